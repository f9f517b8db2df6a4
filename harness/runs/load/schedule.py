"""When requests are due: a list of seconds from the start, fixed in advance by a seed.

Open loop: the next request does not wait for the last one's answer. Closed loop has no schedule but how its streams
start, evenly spread, because streams that start together stay together.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError

ARRIVALS = ("constant", "poisson", "gamma", "ramp", "trace")
MOST = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """A process of arrivals; :meth:`due` is a pure function of its fields."""

    kind: str = "poisson"
    """``constant``: every 1/rate s. ``poisson``: exponential gaps. ``gamma``: gaps of the given ``cv``. ``ramp``:
    Poisson with a rate that grows linearly from ``rate`` to ``rate_to``. ``trace``: the times of ``trace``."""
    rate: float = 1.0
    """Requests per second."""
    rate_to: float | None = None
    cv: float = 2.0
    """Coefficient of variation of gamma gaps: 1 is Poisson, above is burstier, below is more even."""
    trace: tuple[float, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ARRIVALS:
            raise UsageError(f"arrivals must be one of {', '.join(ARRIVALS)}, got {self.kind!r}")
        if self.kind != "trace" and not (0 < self.rate < math.inf):
            raise UsageError(f"rate must be a number of requests per second above 0, got {self.rate!r}")
        if self.kind == "ramp" and not (self.rate_to and 0 < self.rate_to < math.inf):
            raise UsageError(f"a ramp needs the rate at its end, above 0, got {self.rate_to!r}; give --rate-to")
        if self.kind == "gamma" and not 0 < self.cv < 100:
            raise UsageError(f"cv must be above 0 and below 100, got {self.cv!r}")
        if self.kind == "trace" and not self.trace:
            raise UsageError("a trace needs at least one time; give --trace FILE")

    def due(self, duration_s: float, *, most: int | None = None) -> list[float]:
        """Seconds from the start, ascending, all below ``duration_s``; at most ``most`` of them."""
        if not 0 < duration_s < math.inf:
            raise UsageError(f"duration must be a number of seconds above 0, got {duration_s!r}")
        limit = MOST if most is None else most
        if self.kind == "trace":
            return [at for at in sorted(self.trace) if 0 <= at < duration_s][:limit]
        peak = max(self.rate, self.rate_to or 0.0) if self.kind == "ramp" else self.rate
        if peak * duration_s > MOST:
            raise UsageError(f"{peak:g} requests/s for {duration_s:g} s are more than {MOST:,}; shorten the run")
        if self.kind == "constant":
            count = math.ceil(self.rate * duration_s - 1e-9)
            return [index / self.rate for index in range(min(count, limit))]
        made: list[float] = []
        random_ = random.Random(self.seed)
        at = 0.0
        shape = 1 / (self.cv * self.cv)
        while len(made) < limit:
            if self.kind == "gamma":
                at += random_.gammavariate(shape, 1 / (shape * self.rate))
            else:
                at += random_.expovariate(peak)
            if at >= duration_s:
                break
            if self.kind == "ramp":
                assert self.rate_to is not None
                # Thinning (Lewis and Shedler 1979): keep an arrival with the share that the rate has of its peak.
                now = self.rate + (self.rate_to - self.rate) * at / duration_s
                if random_.random() >= now / peak:
                    continue
            made.append(at)
        return made


def read_trace(path: Path) -> tuple[float, ...]:
    """Times in seconds, one a line (first column where there are more), from the first one on.

    :raises UsageError: the file cannot be read, or a line is no number; names the line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--trace: {path} cannot be read: {error}") from None
    times: list[float] = []
    for number, line in enumerate(lines, 1):
        word = line.replace(",", " ").split()[:1]
        if not word or word[0].startswith("#"):
            continue
        try:
            value = float(word[0])
        except ValueError:
            if number == 1:
                continue  # a heading
            raise UsageError(f"{path}:{number}: {word[0]!r} is no time in seconds") from None
        if not math.isfinite(value):
            raise UsageError(f"{path}:{number}: {word[0]!r} is no time in seconds")
        times.append(value)
    first = min(times, default=0.0)
    return tuple(time - first for time in sorted(times))


def stream_starts(streams: int, spread_s: float) -> list[float]:
    """When the streams of a closed loop begin: evenly over ``spread_s`` seconds."""
    return [index * spread_s / streams for index in range(streams)]


def slices(due: Iterable[float], processes: int) -> list[list[tuple[int, float]]]:
    """The schedule dealt to processes in turns, each request with its number in the whole."""
    dealt: list[list[tuple[int, float]]] = [[] for _ in range(processes)]
    for number, at in enumerate(due):
        dealt[number % processes].append((number, at))
    return dealt

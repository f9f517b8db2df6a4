"""Sweeps: the same load at rising rates, up to the knee, beyond which the server does not keep up.

A rate is *kept up with* when at least 95 % of what was offered was answered well in the measured time, at most 1 % of
the requests failed, and the latency had no trend. The knee is the highest rate kept up with, below the lowest that
is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.errors import UsageError
from harness.runs.load.running import Plan, Progress, run_load
from harness.runs.load.summary import Summary, summarise

KEPT_UP, ERRORS = 0.95, 0.01
MOST_LEVELS = 12


@dataclass(frozen=True, kw_only=True)
class Level:
    """One rate of a sweep."""

    rate: float
    """Offered requests per second."""
    summary: Summary
    kept_up: bool | None
    """None: the client was the bottleneck, or nothing was measured."""
    why: str
    """What shows that it did not keep up, or why that is not known."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The levels by rate."""

    levels: tuple[Level, ...]
    folder: Path

    @property
    def knee(self) -> float | None:
        """The highest rate kept up with; None where there is none."""
        bad = min((one.rate for one in self.levels if one.kept_up is False), default=float("inf"))
        return max((one.rate for one in self.levels if one.kept_up and one.rate < bad), default=None)

    @property
    def found(self) -> bool:
        """Whether a rate above the knee was tried and not kept up with."""
        knee = self.knee
        return any(one.kept_up is False and (knee is None or one.rate > knee) for one in self.levels)


def sweep(
    plan: Plan, folder: Path, *, rates: Sequence[float] = (),
    on_progress: Callable[[float, Progress], None] | None = None,
) -> Sweep:  # fmt: skip
    """Run each rate; without rates, double from the plan's until it is not kept up with, then halve the step three
    times.

    :raises UsageError: the plan is a closed loop, a ramp or a trace.
    """
    arrivals = plan.arrivals
    if arrivals is None or arrivals.kind in ("ramp", "trace"):
        raise UsageError("a sweep needs --rate with constant, poisson or gamma arrivals")
    levels: dict[float, Level] = {}

    def one(rate: float) -> Level:
        def told(progress: Progress) -> None:
            if on_progress is not None:
                on_progress(rate, progress)

        run = run_load(
            replace(plan, arrivals=replace(arrivals, rate=rate)), folder / f"rate-{rate:g}", on_progress=told
        )
        levels[rate] = _level(rate, summarise(run))
        if run.stopped:
            raise KeyboardInterrupt
        return levels[rate]

    try:
        if rates:
            for rate in sorted(set(rates)):
                one(rate)
        else:
            rate = arrivals.rate
            while one(rate).kept_up and len(levels) < MOST_LEVELS - 3:
                rate *= 2
            for _ in range(3):
                good = max((r for r, level in levels.items() if level.kept_up), default=None)
                bad = min((r for r, level in levels.items() if level.kept_up is False), default=None)
                if bad is None or any(level.kept_up is None for level in levels.values()):
                    break
                one(round((good + bad) / 2 if good is not None else bad / 2, 4))
    except KeyboardInterrupt:
        if not levels:
            raise
    return Sweep(levels=tuple(levels[rate] for rate in sorted(levels)), folder=folder)


def _level(rate: float, summary: Summary) -> Level:
    if summary.audit.client_limited:
        return Level(rate=rate, summary=summary, kept_up=None, why=f"client-limited: {summary.audit.reasons[0]}")
    if summary.stopped:
        return Level(rate=rate, summary=summary, kept_up=None, why="cut off")
    failed = 1 - summary.good / max(1, summary.due)
    if failed > ERRORS:
        word = next(iter(summary.failures), "")
        return Level(rate=rate, summary=summary, kept_up=False, why=f"{failed:.1%} failed ({word})")
    done = summary.figure("requests_per_s")
    low = done.estimate.value if done is not None else None
    if summary.steady.grows:
        return Level(
            rate=rate, summary=summary, kept_up=False, why=f"latency grew by {summary.steady.change or 0:.0%}"
        )  # fmt: skip
    # Compared with what was really due, because a short Poisson run offers more or less than its rate by chance.
    offered = (summary.due - summary.warm_up) / summary.measured_s if summary.measured_s else rate
    ends_late = summary.value_or("e2e_p50_s") or 0.0
    room = ends_late / summary.measured_s if summary.measured_s else 0.0
    if low is not None and low < offered * (KEPT_UP - min(0.5, room)):
        return Level(rate=rate, summary=summary, kept_up=False, why=f"answered {low:.3g}/s of {offered:.3g}/s")
    return Level(rate=rate, summary=summary, kept_up=True, why="")

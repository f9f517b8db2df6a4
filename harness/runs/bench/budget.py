"""Budget: what a function may take, declared in one line, and the three-valued answer to whether it does."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from harness.core.clock import SYSTEM, Clock
from harness.core.errors import UsageError
from harness.core.verdict import Answer
from harness.runs.bench.call_times import time_calls
from harness.runs.bench.memory import find_leaks, peak_bytes
from harness.stats.means import clustered_mean, mean_bounds
from harness.stats.quantiles import quantile, quantile_bounds
from harness.stats.serial_quantile import serial_quantile_bounds

BLOCKS = 30
"""Runs of successive calls that stand for one observation each, because calls that follow each other are alike."""
LOOKS = 4
"""How often a budget is judged while calls are added; the error of the bounds is shared out among them."""
QUANTILES = {"p50_s": 0.5, "p90_s": 0.9, "p95_s": 0.95, "p99_s": 0.99}


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Upper limits on one call of a function; the limit itself is good enough."""

    mean_s: float | None = None
    p50_s: float | None = None
    p90_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    """Seconds."""
    memory_mb: float | None = None
    """Median over calls of the peak that Python allocates during one call, in units of 1,000,000 bytes."""
    leak_bytes: float | None = None
    """Bytes that may stay behind per call; see :func:`harness.runs.bench.memory.find_leaks`."""
    confidence: float = 0.95
    """Of each one-sided bound, in (0.5, 1)."""
    within_s: float = 5.0
    """How long at most to go on measuring while the answer is inconclusive, in seconds."""

    def __post_init__(self) -> None:
        if not self.limits:
            raise UsageError(f"a budget needs at least one of {', '.join(LIMITS)}")
        for name, limit in self.limits.items():
            least = 0 if name == "leak_bytes" else 1e-12
            given: Any = limit
            if type(given) not in (int, float) or not least <= given < math.inf:
                raise UsageError(f"budget {name} must be a number above 0, got {limit!r}")
        if not 0.5 < self.confidence < 1:
            raise UsageError(f"budget confidence lies between 0.5 and 1, got {self.confidence!r}")
        if not 0 <= self.within_s <= 600:
            raise UsageError(f"budget within_s lies between 0 and 600 seconds, got {self.within_s!r}")

    @classmethod
    def from_marker(cls, args: Sequence[Any], kwargs: Mapping[str, Any], *, where: str) -> Budget:
        """The budget of ``@pytest.mark.budget(...)``. :raises UsageError: names the argument and what exists."""
        known = [item.name for item in fields(cls)]
        if args:
            raise UsageError(f"{where}: budget takes named limits only, got {args[0]!r}; write budget(p95_s=0.05)")
        for name in kwargs:
            if name not in known:
                raise UsageError(f"{where}: budget has no {name!r}; there is {', '.join(known)}")
        try:
            return cls(**kwargs)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None

    @property
    def limits(self) -> dict[str, float]:
        """The limits that were given, by name."""
        return {name: getattr(self, name) for name in LIMITS if getattr(self, name) is not None}


LIMITS = ("mean_s", *QUANTILES, "memory_mb", "leak_bytes")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One limit and what was found."""

    name: str
    limit: float
    unit: str
    answer: Answer
    reason: str
    """The arithmetic."""
    estimate: float | None = None
    """None: not measured."""
    low: float | None = None
    """One-sided bounds at the budget's confidence; None where the calls are too few for one."""
    high: float | None = None
    n: int = 0
    """Calls behind it."""
    needs: str = ""
    """For inconclusive: what would decide it."""


def judge(
    budget: Budget,
    call: Callable[[], object],
    *,
    times: Sequence[float] = (),
    means: Sequence[float] = (),
    clock: Clock = SYSTEM,
) -> tuple[Finding, ...]:
    """Measure until every limit is decided or the budget's time is used up.

    Runs of successive calls tell how many independent calls there are, so that a slow second does not count as a
    hundred independent slow calls. Each of at most four looks is at its share of the error
    (Bonferroni), so going on until it is decided does not favour either answer.

    :param times: seconds of single calls that were measured already.
    :param means: mean seconds per call of rounds of many calls, for functions too short to be timed singly.
    :raises Exception: whatever the function raises.
    """
    collected = list(times)
    confidence = 1 - (1 - budget.confidence) / LOOKS
    started = clock.monotonic()
    singly = any(name in QUANTILES for name in budget.limits) or ("mean_s" in budget.limits and not means)
    if singly and not collected:
        collected = time_calls(call, 5, clock=clock)
    for look in range(LOOKS):
        found = [
            _time_finding(name, limit, collected, means, confidence)
            for name, limit in budget.limits.items()
            if name.endswith("_s")
        ]
        left = budget.within_s - (clock.monotonic() - started)
        if all(item.answer != "inconclusive" for item in found) or left <= 0 or look == LOOKS - 1 or not singly:
            break
        typical = max(sum(collected) / len(collected), 1e-7)
        more = min(max(5 * len(collected), 100), int(left / (LOOKS - 1 - look) / typical), 1_000_000)
        if more < 1:
            break
        collected += time_calls(call, more, clock=clock)
    if budget.memory_mb is not None:
        found.append(_memory_finding(budget.memory_mb, call, budget.confidence, clock))
    if budget.leak_bytes is not None:
        leaks = find_leaks(call, limit_bytes=budget.leak_bytes, within_s=max(2.0, budget.within_s / 2), clock=clock)
        middle = leaks.python.per_call
        found.append(
            Finding(
                name="leak_bytes",
                limit=budget.leak_bytes,
                unit="B",
                answer=_answer(leaks.answer),
                reason=leaks.reason,
                estimate=middle.value,
                low=middle.low,
                high=middle.high,
                n=leaks.python.calls,
                needs="a longer within_s" if leaks.answer == "inconclusive" else "",
            )
        )
    return tuple(found)


def _time_finding(
    name: str, limit: float, times: Sequence[float], means: Sequence[float], confidence: float
) -> Finding:
    if name == "mean_s":
        values = times if times else means
        blocks = _blocks(len(values))
        value = clustered_mean(values, blocks).value
        low, high = mean_bounds(values, blocks, confidence=confidence)
    else:
        values = times
        value = quantile(values, QUANTILES[name]).value
        low, high = serial_quantile_bounds(values, QUANTILES[name], confidence=confidence)
    return decided(name, limit, "s", value, low, high, len(values), confidence)


def _memory_finding(limit: float, call: Callable[[], object], confidence: float, clock: Clock) -> Finding:
    peaks = [peak / 1e6 for peak in peak_bytes(call, clock=clock)]
    low, high = quantile_bounds(peaks, 0.5, confidence=confidence)
    return decided("memory_mb", limit, "MB", quantile(peaks, 0.5).value, low, high, len(peaks), confidence)


def decided(
    name: str, limit: float, unit: str, value: float | None, low: float | None, high: float | None, n: int, at: float
) -> Finding:
    """The three-valued answer: pass when the upper bound is inside, fail when the lower one is outside."""
    answer: Answer = "inconclusive"
    if high is not None and high <= limit:
        answer = "pass"
    elif low is not None and low > limit:
        answer = "fail"
    shown = "not measured" if value is None else f"{value:.4g} {unit}"
    bounds = " to ".join("?" if bound is None else f"{bound:.4g}" for bound in (low, high))
    calls = f"{n:,} calls" if n != 1 else "1 call"
    says = {"pass": "within", "fail": "over", "inconclusive": "not settled against"}[answer]
    reason = f"{name} {shown} ({calls}; bounds {bounds} at {at:.3g}): {says} {limit:g} {unit}"
    needs = "more calls (a longer within_s), or a quieter machine" if answer == "inconclusive" else ""
    return Finding(
        name=name, limit=limit, unit=unit, answer=answer, reason=reason, estimate=value, low=low, high=high, n=n,
        needs=needs,
    )  # fmt: skip


def _blocks(n: int) -> list[int]:
    """A label per call, in order: at most 30 runs of successive calls."""
    return [index * min(BLOCKS, n) // n for index in range(n)]


def _answer(word: str) -> Answer:
    return "pass" if word == "pass" else "fail" if word == "fail" else "inconclusive"

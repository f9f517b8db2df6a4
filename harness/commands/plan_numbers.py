"""Planning arithmetic of ``harness plan``: sizes with what they cost and give, and noise as two runs show it.

The chances themselves are :mod:`harness.stats.gate_plan`'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.stats.gate_plan import Goal, Noise, cases_needed, chances, moments, smallest_drop
from harness.stats.power import mcnemar_power, smallest
from harness.stats.suite_plan import Spread

__all__ = [
    "Goal",
    "Noise",
    "Size",
    "cases_needed",
    "chances",
    "mcnemar",
    "measured_noise",
    "size_of",
    "smallest_drop",
]

MOST_SHARED = 0.95
"""Two runs that agree in everything do not show that the next two will."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """So many cases and trials, and what they give."""

    cases: int
    trials: int
    passes: float
    smallest_drop: float | None
    """None: no drop is shown with the asked power, not even that of the whole rate."""
    method: str
    cost_usd: Decimal | None = None
    """Of one run; None without a price."""


def measured_noise(spread: Spread, pairs: Sequence[tuple[int, int, int, int]], *, against: str) -> Noise:
    """Noise from two runs of one agent: how much less (or more) than independent chance their cases differ.

    :param pairs: per case passes and trials of the one run, passes and trials of the other.
    :param against: how the other run is called in the basis.
    """
    n = len(pairs)
    if not n:
        return Noise(spread=spread, basis="no second run of this agent to measure it with: nothing is taken as shared")
    differences = [b / bt - a / at for a, at, b, bt in pairs]
    mean = math.fsum(differences) / n
    chance = spread.within * math.fsum(1 / at + 1 / bt for _, at, _, bt in pairs) / n
    # One pseudo-case as noisy as independent chance, so that two equal runs do not promise that all runs are.
    seen = (math.fsum((d - mean) ** 2 for d in differences) + chance) / (n + 1)
    differ = sum(1 for d in differences if d)
    text = f"measured against {against}: {differ} of {n} cases differ"
    if seen <= chance:
        return Noise(spread=spread, shared=min(MOST_SHARED, 1 - seen / chance), basis=text)
    return Noise(spread=spread, change=seen - chance, basis=f"{text}, more than chance explains")


def size_of(cases: int, trials: int, noise: Noise, goal: Goal, *, trial_usd: Decimal | None = None) -> Size:
    """What so many cases and trials give."""
    made = chances(cases, trials, noise, goal, fail_below=-goal.margin)
    return Size(
        cases=cases,
        trials=trials,
        passes=made.passes,
        smallest_drop=smallest_drop(cases, trials, noise, goal),
        method=made.method,
        cost_usd=None if trial_usd is None else trial_usd * cases * trials,
    )


def mcnemar(cases: int, noise: Noise, goal: Goal) -> tuple[float, int | None]:
    """Exact McNemar, two-sided, one trial a case, for a true drop of the margin: its power now, and the cases it needs.

    :return: power at ``cases``; fewest cases with the asked power, None above 20,000.
    """
    alpha = 2 * (1 - goal.confidence)
    moved = min(moments(noise, 1)[0], 1 - goal.margin)
    won, lost = moved / 2, moved / 2 + goal.margin
    needed = smallest(lambda n: mcnemar_power(n, won, lost, alpha=alpha) >= goal.power, 20_000)
    return mcnemar_power(cases, won, lost, alpha=alpha), needed

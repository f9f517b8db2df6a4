"""Planning arithmetic: what a suite of so many cases and trials can see, from the chance that a stored run shows.

The words:

- *noise*: what makes two runs of equal agents differ in a case. Chance within a case, p(1-p), shrinks with the trials
  and with *shared* randomness (same seeds on both sides, replayed replies); real *change* of a case does not.
- *passes*: the chance that a non-inferiority gate passes an equal agent.
- *smallest drop*: the smallest true drop of the pass rate that the gate fails with the asked power, when whole cases
  break: the way regressions come, and for the gate the hardest of the ways.

The gate decides on won/u and lost/u of n/u pairs (:func:`harness.stats.paired.paired_counts`), so its chances are those
of a table of n/u pairs with the expected shares of won and lost; exact over all tables while they are few enough to be
looked at, by the normal approximation above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.stats.power import Power, gate_power, mcnemar_power, normal_power, smallest
from harness.stats.suite_plan import Spread, difference_variance

MOST_SHARED = 0.95
"""Two runs that agree in everything do not show that the next two will."""
MOST_CASES = 200_000
_EXACT_CASES, _EXACT_DISCORDANT = 2_000, 150
_NODES = 24


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What makes two runs of equal agents differ."""

    spread: Spread
    shared: float = 0.0
    """Correlation of the two sides' chance, in [0, 1)."""
    change: float = 0.0
    """Variance over cases of the true change of a case."""
    basis: str = ""
    """Where ``shared`` and ``change`` come from, in a sentence."""

    def variance(self, trials: int) -> float:
        """Of one case's difference, with ``trials`` on each side."""
        return difference_variance(self.spread, trials=trials, shared=self.shared, change=self.change)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a gate is to do."""

    margin: float = 0.05
    """Largest acceptable drop, in (0, 1)."""
    power: float = 0.8
    confidence: float = 0.975
    """Of each one-sided bound."""


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


def chances(
    cases: int, trials: int, noise: Noise, goal: Goal, *, broken: float = 0.0, fail_below: float = 0.0
) -> Power:
    """Chances of the gate's three answers when a share ``broken`` of the cases breaks entirely, in [0, 1]."""
    moved, squared = _moments(noise, trials)
    rate, kept = noise.spread.rate, 1 - broken
    won, lost = kept * moved / 2, kept * moved / 2 + broken * rate
    # A broken case differs by the share of its trials that passed before.
    square = kept * squared + broken * (rate * rate + noise.spread.within / trials if rate < 1 else 1.0)
    size = (cases * square + 3) / (cases * (won + lost) + 3)
    pairs = max(1, math.floor(cases / size + 1e-9))
    if pairs <= _EXACT_CASES and pairs * (won + lost) <= _EXACT_DISCORDANT:
        return gate_power(pairs, won, lost, goal.margin, confidence=goal.confidence, fail_below=fail_below)
    variance = square - (won - lost) ** 2
    return normal_power(cases, won - lost, variance, goal.margin, confidence=goal.confidence, fail_below=fail_below)


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


def cases_needed(trials: int, noise: Noise, goal: Goal) -> int | None:
    """Fewest cases from which on an equal agent passes with the asked power; None above 200,000."""

    def enough(n: int) -> bool:
        return chances(n, trials, noise, goal, fail_below=-goal.margin).passes >= goal.power

    found = smallest(enough, MOST_CASES)
    # Exact power is a saw-tooth: the answer must hold for the next sizes too.
    while found is not None and found < _EXACT_CASES and not all(enough(found + k) for k in range(1, 6)):
        found += 1
    return found


def smallest_drop(cases: int, trials: int, noise: Noise, goal: Goal) -> float | None:
    """Smallest true drop of the pass rate that fails the gate with the asked power; None when none does."""
    rate = noise.spread.rate

    def seen(broken: float) -> bool:
        return chances(cases, trials, noise, goal, broken=broken).fails >= goal.power

    if rate <= 0 or not seen(1.0):
        return None
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high * rate


def mcnemar(cases: int, noise: Noise, goal: Goal) -> tuple[float, int | None]:
    """Exact McNemar, two-sided, one trial a case, for a true drop of the margin: its power now, and the cases it needs.

    :return: power at ``cases``; fewest cases with the asked power, None above 20,000.
    """
    alpha = 2 * (1 - goal.confidence)
    moved = min(_moments(noise, 1)[0], 1 - goal.margin)
    won, lost = moved / 2, moved / 2 + goal.margin
    needed = smallest(lambda n: mcnemar_power(n, won, lost, alpha=alpha) >= goal.power, 20_000)
    return mcnemar_power(cases, won, lost, alpha=alpha), needed


def _moments(noise: Noise, trials: int) -> tuple[float, float]:
    """Mean of \\|d\\| and of d squared of one case, for equal agents.

    Pass rates of the cases follow the beta distribution with the run's rate and chance within a case; in each trial the
    two sides share their chance with probability ``shared``. A true change is put on top as whole cases.
    """
    import numpy as np
    from scipy.stats import beta

    spread = noise.spread
    rate = min(max(spread.rate, 0.5 / (spread.cases + 1)), 1 - 0.5 / (spread.cases + 1))
    top = rate * (1 - rate)
    if spread.within < top * (1 - 1e-9):
        weight = spread.within / (top - spread.within)
        nodes = beta.ppf((np.arange(_NODES) + 0.5) / _NODES, rate * weight, (1 - rate) * weight)
    else:
        nodes = np.full(1, rate)
    inner = nodes * (1 - nodes)
    # The few nodes do not meet the chance within a case exactly; scaled, they do.
    inner = inner * spread.within / inner.mean() if inner.mean() > 0 else np.full(nodes.shape, spread.within)
    each = np.clip((1 - noise.shared) * inner, 0.0, 0.5)
    sums = np.zeros((nodes.size, 2 * trials + 1))
    sums[:, trials] = 1.0
    for _ in range(trials):
        aside = np.zeros_like(sums)
        aside[:, 1:] += sums[:, :-1] * each[:, None]
        aside[:, :-1] += sums[:, 1:] * each[:, None]
        sums = sums * (1 - 2 * each[:, None]) + aside
    at = np.abs(np.arange(-trials, trials + 1)) / trials
    chance = sums.mean(axis=0)
    change = min(noise.change, 1.0)
    return min(1.0, float(chance @ at) + change), min(1.0, float(chance @ at**2) + change)

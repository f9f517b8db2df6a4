"""What a non-inferiority gate sees of a suite: chances of its answers, the cases that a goal needs, the smallest drop.

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
from dataclasses import dataclass

from harness.stats.power import Power, gate_power, normal_power, smallest
from harness.stats.suite_plan import Spread, difference_variance

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


def chances(
    cases: int, trials: int, noise: Noise, goal: Goal, *, broken: float = 0.0, fail_below: float = 0.0
) -> Power:
    """Chances of the gate's three answers when a share ``broken`` of the cases breaks entirely, in [0, 1]."""
    moved, squared = moments(noise, trials)
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


def moments(noise: Noise, trials: int) -> tuple[float, float]:
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

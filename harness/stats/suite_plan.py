"""Planning from a stored run: what a suite of these cases and trials can see, what would see more, and what it costs.

The variance of one case's difference between two equal agents has two parts. *Chance within a case*, 2 s / t
with s the mean over cases of p (1 - p) and t trials per side, shrinks with trials and with shared randomness (the same
seeds on both sides, replayed tools): by 1 - r where r is the correlation of the two sides' chance. *Real change between
cases* (some cases better, some worse) does not shrink with trials; an A/A plan assumes none unless told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.stats.power import Power, normal_power, smallest


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What a stored run says about chance."""

    cases: int
    rate: float
    """Mean pass share over cases, in [0, 1]."""
    within: float
    """Mean over cases of p (1 - p), without bias, in [0, .25]."""
    separable: bool
    """False with one trial per case: then ``within`` is rate * (1 - rate), the most that it can be."""


def spread_of_run(passes: Sequence[int], trials: Sequence[int]) -> Spread:
    """Spread from passes and trials per case. Cases with one trial tell nothing about chance within a case.

    p(1-p) without bias is c (t - c) / (t (t - 1)) for c passes in t trials. With fewer than half of the cases measured
    twice, or when no case was ever unreliable, the bound of the rate is used or blended in by one pseudo-case, so that
    a plan never rests on "there is no chance".

    :raises ValueError: for no cases or counts out of range.
    """
    if not passes or len(passes) != len(trials):
        raise ValueError(f"passes and trials must pair up and not be empty, got {len(passes)} and {len(trials)}")
    bad = next(((c, t) for c, t in zip(passes, trials, strict=True) if t < 1 or not 0 <= c <= t), None)
    if bad is not None:
        raise ValueError(f"passes lie between 0 and the trials of at least 1, got {bad[0]!r} of {bad[1]!r}")
    n = len(passes)
    rate = math.fsum(c / t for c, t in zip(passes, trials, strict=True)) / n
    # A run in which everything passed still leaves room for the failure that was not seen.
    top = max(rate * (1 - rate), 0.5 / (n + 1) * (1 - 0.5 / (n + 1)))
    twice = [(c, t) for c, t in zip(passes, trials, strict=True) if t > 1]
    if 2 * len(twice) < n:
        return Spread(cases=n, rate=rate, within=top, separable=False)
    seen = math.fsum(c * (t - c) / (t * (t - 1)) for c, t in twice)
    return Spread(cases=n, rate=rate, within=(seen + top) / (len(twice) + 1), separable=True)


def difference_variance(spread: Spread, *, trials: int = 1, shared: float = 0.0, change: float = 0.0) -> float:
    """Variance of one case's difference when both sides have ``trials`` trials.

    :param shared: correlation of the two sides' chance in [0, 1): 0 for live calls, near 1 for replay.
    :param change: variance over cases of the true change; 0 for equal agents.
    """
    if trials < 1 or not 0.0 <= shared < 1.0 or change < 0:
        raise ValueError(f"trials from 1, shared in [0, 1), change from 0; got {trials!r}, {shared!r}, {change!r}")
    return 2 * spread.within * (1 - shared) / trials + change


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A size of suite and what it gives, by the normal approximation."""

    cases: int
    trials: int
    power: Power
    """For equal agents."""
    smallest_drop: float | None
    """Smallest true drop that the gate fails with the asked power; None when it sees none of at most 100 %."""
    cost_usd: Decimal | None
    """Of one candidate run; None without a price."""


def plan_suite(
    spread: Spread,
    margin: float,
    *,
    cases: int | None = None,
    trials: int = 1,
    shared: float = 0.0,
    change: float = 0.0,
    power: float = 0.8,
    confidence: float = 0.975,
    cost_per_trial_usd: Decimal | None = None,
) -> Plan | None:
    """The plan for ``cases``, or for the fewest cases that pass equal agents with ``power``; None when none do.

    :param margin: largest acceptable drop, in (0, 1).
    :param cost_per_trial_usd: mean cost of a trial, from the stored run.
    """
    variance = difference_variance(spread, trials=trials, shared=shared, change=change)
    size = typical_size(trials)

    def enough(n: int) -> bool:
        made = normal_power(n, 0.0, variance, margin, confidence=confidence, fail_below=-margin, size=size)
        return made.passes >= power

    count = cases if cases is not None else smallest(enough, 1_000_000)
    if count is None:
        return None
    return Plan(
        cases=count,
        trials=trials,
        power=normal_power(count, 0.0, variance, margin, confidence=confidence, size=size),
        smallest_drop=smallest_drop(count, variance, power=power, confidence=confidence, size=size),
        cost_usd=None if cost_per_trial_usd is None else cost_per_trial_usd * count * trials,
    )


def typical_size(trials: int) -> float:
    """Size of a typical difference of a case that differs, with so many trials per side, in (0, 1].

    That of cases which pass half the time, sqrt(pi / 2) times the standard deviation: the largest there is, so that a
    plan errs on the side of more cases.
    """
    return 1.0 if trials == 1 else min(1.0, math.sqrt(math.pi / 2) * math.sqrt(0.5 / trials))


def smallest_drop(
    cases: int, variance: float, *, power: float = 0.8, confidence: float = 0.975, size: float = 1.0
) -> float | None:
    """Smallest true drop, in (0, 1], that is shown to be a drop with ``power``; None when there is none.

    A drop on cases that all passed brings variance of its own: one of x on some of the cases, x (size - x).

    :param size: see :func:`harness.stats.power.normal_power`.
    """
    if cases < 1 or variance < 0:
        raise ValueError(f"cases from 1 and a variance from 0 are needed, got {cases!r} and {variance!r}")

    def seen(drop: float) -> bool:
        spread = variance + max(0.0, drop * (size - drop))
        return normal_power(cases, -drop, spread, 0.5, confidence=confidence, size=size).fails >= power

    low, high = 0.0, 1.0
    if not seen(high):
        return None
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high

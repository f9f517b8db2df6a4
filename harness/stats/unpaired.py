"""Two samples that share no cases: Newcombe's interval and Boschloo's test for shares, Welch's for measurements.

Pairing by case is almost always there and always better; these are for what cannot be paired. Differences are the
candidate's value minus the baseline's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from harness.stats.estimate import Estimate, check_level
from harness.stats.rates import wilson

Alternative = Literal["two-sided", "greater", "less"]


def newcombe_bounds(
    base_passes: float, base_n: float, new_passes: float, new_n: float, *, confidence: float = 0.95
) -> tuple[float, float]:
    """One-sided lower and upper bound of the difference of two independent shares, inside [-1, 1], never of no width.

    The hybrid score interval, method 10 of Newcombe (1998), Statistics in Medicine 17:873-890, from two Wilson
    intervals. Its coverage is near the level on average and can be a point or so below it for single values.
    """
    level = 2 * check_level(confidence) - 1
    if level <= 0:
        raise ValueError(f"a bound needs a confidence above 0.5, got {confidence!r}")
    base_low, base_high = wilson(base_passes, base_n, level=level)
    new_low, new_high = wilson(new_passes, new_n, level=level)
    base, new = base_passes / base_n, new_passes / new_n
    low = new - base - math.hypot(new - new_low, base_high - base)
    high = new - base + math.hypot(new_high - new, base - base_low)
    return max(-1.0, low), min(1.0, high)


def newcombe_difference(
    base_passes: float, base_n: float, new_passes: float, new_n: float, *, level: float = 0.95
) -> Estimate:
    """Difference of two independent shares with its two-sided interval; no estimate when a side has no trials."""
    check_level(level)
    if base_n == 0 or new_n == 0:
        return Estimate(value=None, level=level, note=f"{'baseline' if base_n == 0 else 'candidate'} not measured")
    low, high = newcombe_bounds(base_passes, base_n, new_passes, new_n, confidence=0.5 + level / 2)
    return Estimate(
        value=new_passes / new_n - base_passes / base_n,
        low=low,
        high=high,
        level=level,
        method="Newcombe, unpaired",
        n=base_n + new_n,
    )


def boschloo(
    base_passes: int, base_n: int, new_passes: int, new_n: int, *, alternative: Alternative = "two-sided"
) -> float:
    """Exact unconditional p-value of two independent shares being equal.

    Boschloo (1970), Statistica Neerlandica 24:1-35: Fisher's p-value as the statistic, its worst-case distribution over
    the common share; never larger than Fisher's p-value. The worst share is searched on 2,000 values and then refined
    around the best; "two-sided" doubles the smaller side. Intended for up to about 2,000 trials per side.

    :param alternative: "greater": the candidate is better.
    :raises ValueError: for counts out of range.
    """
    for passes, n in ((base_passes, base_n), (new_passes, new_n)):
        if n < 1 or not 0 <= passes <= n:
            raise ValueError(f"passes lie between 0 and the trials of at least 1, got {passes!r} of {n!r}")
    greater = _boschloo_greater(base_passes, base_n, new_passes, new_n)
    if alternative == "greater":
        return greater
    less = _boschloo_greater(new_passes, new_n, base_passes, base_n)
    return less if alternative == "less" else min(1.0, 2.0 * min(greater, less))


def _boschloo_greater(base_passes: int, base_n: int, new_passes: int, new_n: int) -> float:
    import numpy as np
    from scipy.special import bdtrc
    from scipy.stats import binom, hypergeom

    def fisher(base: int, new: int) -> float:
        return float(hypergeom.sf(new - 1, base_n + new_n, base + new, new_n))

    seen = fisher(base_passes, new_passes) * (1 + 1e-9)
    # Per number of baseline passes, the fewest candidate passes that are as extreme; it rises with the baseline's.
    fewest, at = [], 0
    for base in range(base_n + 1):
        while at <= new_n and fisher(base, at) > seen:
            at += 1
        fewest.append(at)
    extreme = np.asarray(fewest)

    def chance(shares: object) -> object:
        p = np.atleast_1d(np.asarray(shares, dtype=float))[:, None]
        tail = np.where(extreme == 0, 1.0, bdtrc(np.maximum(extreme - 1, 0).astype(float), new_n, p))
        tail = np.where(extreme > new_n, 0.0, tail)
        return (binom.pmf(np.arange(base_n + 1), base_n, p) * tail).sum(axis=1)

    shares = np.linspace(0.0, 1.0, 2001)
    values = np.concatenate([np.asarray(chance(part)) for part in np.array_split(shares, 40)])
    best = float(shares[int(values.argmax())])
    finer = np.linspace(max(0.0, best - 5e-4), min(1.0, best + 5e-4), 101)
    return min(1.0, max(float(values.max()), float(np.asarray(chance(finer)).max())))


def welch_difference(base: Sequence[float], new: Sequence[float], *, level: float = 0.95) -> Estimate:
    """Difference of two means with Welch's t interval; no bounds with fewer than two values or no spread.

    Welch (1947), Biometrika 34:28-35: unequal variances, Satterthwaite's degrees of freedom.
    """
    import numpy as np
    from scipy.special import stdtrit

    check_level(level)
    if len(base) == 0 or len(new) == 0:
        side = "baseline" if len(base) == 0 else "candidate"
        return Estimate(value=None, level=level, note=f"{side} not measured")
    a, b = np.asarray(base, dtype=float), np.asarray(new, dtype=float)
    if not (bool(np.isfinite(a).all()) and bool(np.isfinite(b).all())):
        raise ValueError("values must be finite; leave out what was not measured")
    difference, size = float(b.mean() - a.mean()), a.size + b.size
    if min(a.size, b.size) < 2:
        return Estimate(value=difference, level=level, n=size, note="one value has no spread")
    parts = float(a.var(ddof=1)) / a.size, float(b.var(ddof=1)) / b.size
    if sum(parts) == 0.0:
        return Estimate(value=difference, level=level, n=size, note="all values are equal on both sides")
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / (a.size - 1) + parts[1] ** 2 / (b.size - 1))
    half = float(stdtrit(degrees, 0.5 + level / 2)) * math.sqrt(sum(parts))
    return Estimate(
        value=difference, low=difference - half, high=difference + half, level=level, method="Welch t", n=size
    )

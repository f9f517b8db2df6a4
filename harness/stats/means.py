"""Means of measurements: cluster-robust with Student's t, and the seeded bootstrap as a second opinion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

from harness.stats.beta import student_t_quantile
from harness.stats.estimate import Estimate, check_level, check_same_length

_MANY_KINDS = 5_000


def case_means(cases: Sequence[int], values: Sequence[float]) -> tuple[list[int], list[float], list[int]]:
    """Case labels (ascending), the mean of each case's values, and how many values it has."""
    import numpy as np

    check_same_length(values, cases)
    if len(values) == 0:
        return [], [], []
    labels, index = np.unique(np.asarray(cases), return_inverse=True)
    counts = np.bincount(index)
    sums = np.bincount(index, np.asarray(values, dtype=float))
    return labels.tolist(), (sums / counts).tolist(), counts.tolist()


def clustered_mean(
    values: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Estimate:
    """Mean over cases with its CR1 cluster-robust interval, Student's t with G-1 degrees of freedom.

    Variance G/(G-1) * sum of z^2 / n^2 with z the sum of residuals of a group (Liang and Zeger 1986, Biometrika
    73:13-22; Cameron and Miller 2015, Journal of Human Resources 50:317-372; for evaluations Miller 2024,
    arXiv:2411.00640, without the small-sample correction). With one case per group it is the ordinary t interval.
    Below six groups the note says so: t(G-1) is then known to be optimistic for unequal groups. With one group, or
    when all values are equal, there is no spread to make an interval from and both bounds are None.

    :param values: one value per case (the mean over its trials); finite.
    :param minimum: smallest possible value, where there is one; the interval does not leave the range.
    :raises ValueError: for values that are not finite.
    """
    check_level(level)
    mean, error, count = _mean_and_error(values, groups)
    if mean is None:
        return Estimate(value=None, level=level, note="nothing measured")
    if error is None:
        why = "one cluster has no spread" if count < 2 else "all values are equal: no spread to make an interval from"
        return Estimate(value=mean, level=level, method="mean", n=len(values), clusters=count, note=why)
    half = _t_quantile(0.5 + level / 2, count - 1) * error
    low, high = mean - half, mean + half
    return Estimate(
        value=mean,
        low=low if minimum is None else max(minimum, low),
        high=high if maximum is None else min(maximum, high),
        level=level,
        method="t" if groups is None else "CR1, t(G-1)",
        n=len(values),
        clusters=count,
        note=f"only {count} clusters" if count < 6 else "",
    )


def mean_bounds(
    values: Sequence[float], groups: Sequence[int] | None = None, *, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """One-sided lower and upper bound of the mean over cases; see :func:`clustered_mean`. None where it has none."""
    check_level(confidence)
    mean, error, count = _mean_and_error(values, groups)
    if mean is None or error is None:
        return None, None
    half = _t_quantile(confidence, count - 1) * error
    return mean - half, mean + half


def bootstrap_mean(
    values: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Mean over cases with the percentile interval of a seeded bootstrap over groups.

    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13; groups are drawn whole (Davison and
    Hinkley 1997, section 3.8). Percentile intervals are too narrow below about 30 groups, so no gate uses this one.
    Equal (value, size) groups are drawn together by a multinomial, so that 100,000 cases with few distinct values
    cost as much as a handful. Above 5,000 distinct groups nothing is drawn: the quantiles of the bootstrap distribution
    are given by its expansion with the skewness of the groups (Hall 1992, The Bootstrap and Edgeworth Expansion,
    section 3.2), whose error is far below the noise of any number of draws. All values equal, or one group: no bounds.

    :param resamples: at least 100.
    :param seed: the same seed and data give the same interval; the global random state is not touched.
    """
    import numpy as np

    check_same_length(values, groups)
    check_level(level)
    if resamples < 100:
        raise ValueError(f"a bootstrap needs at least 100 resamples, got {resamples!r}")
    v = np.asarray(values, dtype=float)
    if v.size == 0:
        return Estimate(value=None, level=level, note="nothing measured")
    _check_finite(values)
    if groups is None:
        pairs = np.column_stack((v, np.ones(v.size)))
    else:
        _, index = np.unique(np.asarray(groups), return_inverse=True)
        pairs = np.column_stack((np.bincount(index, v), np.bincount(index).astype(float)))
    kinds, counts = np.unique(pairs, axis=0, return_counts=True)
    mean, total = math.fsum(v) / v.size, int(counts.sum())
    if len({float(a / b) for a, b in kinds}) == 1 or total < 2:
        return Estimate(
            value=mean, level=level, method="bootstrap", n=v.size, clusters=total, note="no spread to resample"
        )
    method = f"bootstrap over {'cases' if groups is None else 'clusters'}"
    if len(kinds) > _MANY_KINDS:
        low, high = _expanded_quantiles(kinds, counts, mean, level)
        return Estimate(
            value=mean, low=low, high=high, level=level, method=f"{method}, expanded", n=v.size, clusters=total
        )
    random = np.random.default_rng(seed)
    step = max(1, 2_000_000 // len(kinds))
    draws = []
    for start in range(0, resamples, step):
        drawn = random.multinomial(total, counts / total, size=min(step, resamples - start))
        draws.append((drawn @ kinds[:, 0]) / (drawn @ kinds[:, 1]))
    low, high = np.quantile(np.concatenate(draws), [0.5 - level / 2, 0.5 + level / 2])
    return Estimate(
        value=mean,
        low=min(float(low), mean),
        high=max(float(high), mean),
        level=level,
        method=f"{method}, {resamples} resamples, seed {seed}",
        n=v.size,
        clusters=total,
    )


def _expanded_quantiles(kinds: Any, counts: Any, mean: float, level: float) -> tuple[float, float]:
    """Percentiles of the bootstrap distribution of a mean over groups, to the second order."""
    import numpy as np

    residuals = kinds[:, 0] - mean * kinds[:, 1]
    second, third = (float(np.sum(counts * residuals**power)) for power in (2, 3))
    error = math.sqrt(second) / float(np.sum(counts * kinds[:, 1]))
    z = NormalDist().inv_cdf(0.5 + level / 2)
    # Sums over groups, so third / second ** 1.5 is the skewness already divided by the root of their number.
    shift = third / second**1.5 * (z * z - 1) / 6
    return mean + error * (shift - z), mean + error * (shift + z)


def _mean_and_error(values: Sequence[float], groups: Sequence[int] | None) -> tuple[float | None, float | None, int]:
    import numpy as np

    check_same_length(values, groups)
    v = np.asarray(values, dtype=float)
    if v.size == 0:
        return None, None, 0
    _check_finite(values)
    # fsum and the clip: a mean of equal values must be that value, not one rounding step beside it.
    mean = min(max(math.fsum(v) / v.size, float(v.min())), float(v.max()))
    residuals = v - mean
    if groups is not None:
        _, index = np.unique(np.asarray(groups), return_inverse=True)
        residuals = np.bincount(index, residuals).astype(np.float64)
    count = int(residuals.size)
    if count < 2 or float(v.min()) == float(v.max()):
        return mean, None, count
    error = math.sqrt(count / (count - 1) * float(np.sum(residuals**2))) / v.size
    return mean, error if error > 0 else None, count


def _check_finite(values: Sequence[float]) -> None:
    import numpy as np

    v = np.asarray(values, dtype=float)
    if not bool(np.all(np.isfinite(v))):
        raise ValueError(f"values must be finite, got {v[~np.isfinite(v)][0]!r}; leave out what was not measured")


def _t_quantile(probability: float, degrees: int) -> float:
    return student_t_quantile(probability, degrees)

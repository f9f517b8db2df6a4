"""Ratio of paired times: how many times slower the second is, with an interval that holds for few pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from harness.stats.beta import student_t_quantile
from harness.stats.estimate import Estimate, check_level

FEW = 8
"""Below so many pairs a bootstrap has too few distinct resamples, and Student's t stands in."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Two sides compared."""

    ratio: Estimate
    """Second over first: above 1 the second is slower."""
    answer: str
    """``slower``, ``faster`` or ``not shown``: whether the interval leaves 1 out, on which side."""


def paired_ratio(
    first: Sequence[float],
    second: Sequence[float],
    *,
    level: float = 0.985,
    resamples: int = 4000,
    seed: int = 0,
) -> Estimate:
    """Geometric mean of ``second[i] / first[i]`` with its interval; the pairs have to be independent.

    From eight pairs on a studentised bootstrap over pairs (Efron and Tibshirani 1993, An Introduction to the Bootstrap,
    section 12.5) of the mean of the log ratios, not narrower than Student's t: percentile intervals of a dozen pairs
    are too narrow by a third. Below, Student's t alone. One pair, or ratios that are all equal: no bounds.

    :param level: two-sided; the default keeps the chance of flagging equal sides, either way, near 1.5 %.
    :raises ValueError: the sides differ in length, or a time is not above 0.
    """
    check_level(level)
    if len(first) != len(second):
        raise ValueError(f"pairs need as many of each, got {len(first)} and {len(second)}")
    for value in (*first, *second):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"times must be finite and above 0, got {value!r}")
    logs = [math.log(b / a) for a, b in zip(first, second, strict=True)]
    n = len(logs)
    if n == 0:
        return Estimate(value=None, level=level, note="nothing measured")
    mean = fmean(logs)
    spread = stdev(logs) if n > 1 else 0.0
    if spread == 0.0:
        why = "one pair has no spread" if n == 1 else "all ratios are equal: no spread to make an interval from"
        return Estimate(value=math.exp(mean), level=level, method="geometric mean", n=n, clusters=n, note=why)
    error = spread / math.sqrt(n)
    t = student_t_quantile(0.5 + level / 2, n - 1)
    below, above, method = t, t, "t on log ratios"
    if n >= FEW:
        # The upper tail of the studentised resamples bounds the mean from below, and the other way round.
        low_t, high_t = _studentised(logs, mean, level, resamples, seed)
        below, above = max(t, high_t), max(t, -low_t)
        method = f"studentised bootstrap over pairs, {resamples} resamples, seed {seed}"
    return Estimate(
        value=math.exp(mean),
        low=math.exp(mean - below * error),
        high=math.exp(mean + above * error),
        level=level,
        method=method,
        n=n,
        clusters=n,
        note=f"only {n} pairs" if n < 5 else "",
    )


def unpaired_ratio(first: Sequence[float], second: Sequence[float], *, level: float = 0.985) -> Estimate:
    """Ratio of geometric means of two sessions that were not interleaved: Welch's t on the logs.

    Says nothing about what differs between the sessions themselves (heat, neighbours, the memory's layout), so a stored
    baseline is weaker evidence than a comparison in one session.

    :param first: one value per independent round.
    :raises ValueError: a time is not above 0.
    """
    check_level(level)
    if any(not (math.isfinite(value) and value > 0) for value in (*first, *second)):
        raise ValueError("times must be finite and above 0")
    a, b = [math.log(value) for value in first], [math.log(value) for value in second]
    if not a or not b:
        return Estimate(value=None, level=level, note="nothing measured")
    difference, n = fmean(b) - fmean(a), len(a) + len(b)
    parts = [stdev(x) ** 2 / len(x) if len(x) > 1 else 0.0 for x in (a, b)]
    if len(a) < 2 or len(b) < 2 or sum(parts) == 0.0:
        return Estimate(
            value=math.exp(difference), level=level, method="ratio of geometric means", n=n, note="no spread"
        )
    degrees = sum(parts) ** 2 / sum(p**2 / (len(x) - 1) for p, x in zip(parts, (a, b), strict=True))
    half = student_t_quantile(0.5 + level / 2, max(1.0, degrees)) * math.sqrt(sum(parts))
    return Estimate(
        value=math.exp(difference),
        low=math.exp(difference - half),
        high=math.exp(difference + half),
        level=level,
        method="Welch's t on log times, not interleaved",
        n=n,
        clusters=n,
    )


def shifted(ratio: Estimate) -> Shift:
    """What the interval says about 1."""
    answer = "not shown"
    if ratio.low is not None and ratio.low > 1.0:
        answer = "slower"
    elif ratio.high is not None and ratio.high < 1.0:
        answer = "faster"
    return Shift(ratio=ratio, answer=answer)


def _studentised(logs: Sequence[float], mean: float, level: float, resamples: int, seed: int) -> tuple[float, float]:
    import numpy as np

    values = np.asarray(logs)
    drawn = np.random.default_rng(seed).choice(values, size=(resamples, values.size))
    errors = drawn.std(axis=1, ddof=1) / math.sqrt(values.size)
    usable = errors > 0
    t = (drawn.mean(axis=1)[usable] - mean) / errors[usable]
    low, high = np.quantile(t, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)

"""Ratio of paired times: how many times slower the second is, with an interval that holds for few pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from harness.stats.beta import student_t_quantile
from harness.stats.estimate import Estimate, check_level

FEW = 8
"""Below so many pairs a bootstrap has too few distinct resamples, and Student's t stands in."""
TRIMMED = 0.2
"""Share of the pairs left out at either end."""


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
    """Typical ``second[i] / first[i]`` with its interval; the pairs have to be independent.

    From eight pairs on the 20 % trimmed mean of the log ratios, because a disturbed round must not decide, with a
    symmetric studentised bootstrap over pairs (Wilcox 2022, Introduction to Robust Estimation and Hypothesis Testing,
    section 4.4), not narrower than Tukey and McLaughlin's t (ibid., section 4.3). Below, the geometric mean with
    Student's t. One pair, or ratios that are all equal: no bounds.

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
    few = n < FEW
    centre, error = (fmean(logs), stdev(logs) / math.sqrt(n) if n > 1 else 0.0) if few else _trimmed(logs)
    if error == 0.0:
        why = "one pair has no spread" if n == 1 else "no spread between the pairs to make an interval from"
        return Estimate(value=math.exp(centre), level=level, method="geometric mean", n=n, clusters=n, note=why)
    if few:
        reach, method = student_t_quantile(0.5 + level / 2, n - 1), "t on log ratios"
    else:
        t = student_t_quantile(0.5 + level / 2, n - 2 * int(TRIMMED * n) - 1)
        reach = max(t, _studentised(logs, centre, level, resamples, seed))
        method = f"trimmed mean, studentised bootstrap over pairs, {resamples} resamples, seed {seed}"
    return Estimate(
        value=math.exp(centre),
        low=math.exp(centre - reach * error),
        high=math.exp(centre + reach * error),
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


def _trimmed(logs: Sequence[float]) -> tuple[float, float]:
    """The trimmed mean and its standard error, from the winsorised spread."""
    import numpy as np

    centres, errors = _trimmed_rows(np.asarray(logs)[None, :])
    return float(centres[0]), float(errors[0])


def _trimmed_rows(rows: Any) -> tuple[Any, Any]:
    import numpy as np

    n = rows.shape[1]
    cut = int(TRIMMED * n)
    ordered = np.sort(rows, axis=1)
    kept = ordered[:, cut : n - cut]
    winsorised = np.clip(ordered, kept[:, :1], kept[:, -1:])
    return kept.mean(axis=1), winsorised.std(axis=1, ddof=1) / ((1 - 2 * cut / n) * math.sqrt(n))


def _studentised(logs: Sequence[float], centre: float, level: float, resamples: int, seed: int) -> float:
    import numpy as np

    values = np.asarray(logs)
    centres, errors = _trimmed_rows(np.random.default_rng(seed).choice(values, size=(resamples, values.size)))
    usable = errors > 0
    return float(np.quantile(np.abs(centres[usable] - centre) / errors[usable], level))

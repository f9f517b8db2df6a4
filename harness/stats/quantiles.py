"""Quantiles by order statistics: no distribution is assumed, and a bound that the data cannot give is None."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from harness.stats.beta import betainc
from harness.stats.estimate import Estimate, check_level
from harness.stats.means import case_means
from harness.stats.rates import clopper_pearson_bounds, effective_size


def quantile(values: Sequence[float], q: float, *, level: float = 0.95, cases: Sequence[int] | None = None) -> Estimate:
    """The ``q`` quantile with its two-sided interval; no values give no estimate.

    The estimate interpolates linearly between order statistics (type 7 of Hyndman and Fan 1996, The American
    Statistician 50:361-365). For the bounds see :func:`quantile_bounds`.
    """
    import numpy as np

    _check_q(q)
    check_level(level)
    if len(values) == 0:
        return Estimate(value=None, level=level, note="nothing measured")
    value = float(np.quantile(np.asarray(values, dtype=float), q))
    low, high = quantile_bounds(values, q, confidence=0.5 + level / 2, cases=cases)
    groups = len(values) if cases is None else len(set(cases))
    short = " and ".join(name for name, bound in (("lower", low), ("upper", high)) if bound is None)
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=level,
        method="order statistics" if groups == len(values) else "order statistics, clustered by case",
        n=len(values),
        clusters=groups,
        note=f"{len(values)} values are too few for the {short} bound" if short else "",
    )


def quantile_bounds(
    values: Sequence[float],
    q: float,
    *,
    confidence: float = 0.95,
    cases: Sequence[int] | None = None,
    missing: int = 0,
) -> tuple[float | None, float | None]:
    """One-sided lower and upper bound of the ``q`` quantile, each holding with at least ``confidence``.

    The order statistics x(l) and x(u) with the largest l and the smallest u that hold their promise under the binomial
    distribution (David and Nagaraja 2003, Order Statistics, section 7.1), whatever the values follow. Where
    n is too small there is no such order statistic and the bound is None: the maximum of 20 values is below the 95 %
    quantile in 36 % of samples, so it never stands in. When trials share cases, the shares that bound the order
    statistics come from Clopper-Pearson on the effective size of "lies at or below the estimate" (Woodruff 1952,
    Journal of the American Statistical Association 47:635-646).

    :param cases: one case label per value; None: independent values.
    :param missing: further trials without a value; counted as smallest for the lower bound, as largest for the upper.
    """
    import numpy as np

    _check_q(q)
    check_level(confidence)
    ordered = np.sort(np.asarray(values, dtype=float))
    n = int(ordered.size) + missing
    if ordered.size == 0:
        return None, None
    if cases is None or len(set(cases)) == len(values):
        lower, upper = _plain_ranks(n, q, confidence)
    else:
        at_most = np.asarray(values, dtype=float) <= float(np.quantile(ordered, q))
        _, shares, _ = case_means(cases, at_most.astype(float).tolist())
        size = effective_size(shares, trials=n).n
        low_share, high_share = clopper_pearson_bounds(q * size, size, confidence=confidence)
        # A share below that of the smallest order statistic, or above that of the largest, has none.
        lower, upper = math.floor(low_share * n), math.floor(high_share * n) + 1
    low_rank, high_rank = lower - missing, upper
    low = float(ordered[low_rank - 1]) if low_rank >= 1 else None
    high = float(ordered[high_rank - 1]) if high_rank <= ordered.size else None
    return low, high


def _plain_ranks(n: int, q: float, confidence: float) -> tuple[int, int]:
    """Ranks from 1 of the bounding order statistics; 0 and n + 1 mean that there is none."""
    # P(x(u) >= quantile) = P(Binomial(n, q) <= u - 1); P(x(l) <= quantile) = 1 - P(Binomial(n, q) <= l - 1).
    # A hair of tolerance: 1 - 0.95 must count as 0.05.
    ranks = range(n)

    def at_most(k: int) -> float:
        return betainc(n - k, k + 1, 1.0 - q)

    upper = bisect_left(ranks, confidence - 1e-12, key=at_most) + 1
    return bisect_right(ranks, 1 - confidence + 1e-12, key=at_most), upper


def _check_q(q: float) -> None:
    if not 0.0 < q < 1.0:
        raise ValueError(f"a quantile lies between 0 and 1, got {q!r}")

"""Quantile of values that follow each other in time, whose neighbours are alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

from harness.stats.beta import student_t_quantile
from harness.stats.quantiles import quantile_bounds
from harness.stats.rates import clopper_pearson_bounds

BLOCKS = 30
"""Runs of successive values whose means tell how much the neighbours say the same."""


def serial_quantile_bounds(
    values: Sequence[float], q: float, *, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """One-sided lower and upper bound of the ``q`` quantile of a series, in the order in which it was measured.

    Whether a value lies at or below the estimate is a share; its variance between 30 runs of successive values (batch
    means, Law 2015, Simulation Modeling and Analysis, section 9.5) gives the effective number of independent values
    (Korn and Graubard 1998, Survey Methodology 24:193-201, their correction for few groups included), never more than
    there are. With that number the order statistics are those of Woodruff (1952). Fewer than 60 values are taken as
    independent, because their runs would hold one value each. A bound that the data cannot give is None.
    """
    import numpy as np

    v = np.asarray(values, dtype=float)
    n = int(v.size)
    if n < 2 * BLOCKS:
        return quantile_bounds(values, q, confidence=confidence)
    ordered = np.sort(v)
    below = (v <= float(np.quantile(v, q))).astype(float)
    share = float(below.mean())
    edges = np.linspace(0, n, BLOCKS + 1).astype(int)
    means = np.asarray([below[a:b].mean() for a, b in pairwise(edges)])
    error = float(means.var(ddof=1)) / BLOCKS
    if error <= 0 or not 0 < share < 1:
        size = float(BLOCKS)  # no run differs from another: nothing is known of how independent they are
    else:
        few = NormalDist().inv_cdf(0.975) / student_t_quantile(0.975, BLOCKS - 1)
        size = min(float(n), max(1.0, share * (1 - share) / error * few**2))
    low_share, high_share = clopper_pearson_bounds(q * size, size, confidence=confidence)
    low_rank, high_rank = math.floor(low_share * n), math.floor(high_share * n) + 1
    low = float(ordered[low_rank - 1]) if low_rank >= 1 else None
    high = float(ordered[high_rank - 1]) if high_rank <= n else None
    return low, high

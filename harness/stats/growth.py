"""Growth per call: how much a level rises for each unit of work, and whether that is shown to be above a limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from harness.stats.estimate import Estimate
from harness.stats.quantiles import quantile


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Growth of a level over batches of equal work."""

    per_call: Estimate
    """Median growth of a batch divided by its calls, with the interval of order statistics."""
    overall: float | None
    """Growth from the first to the last reading over all calls between them; None with fewer than two readings."""
    calls: int
    """Calls between the first and the last reading."""

    def answer(self, limit: float) -> str:
        """``fail`` when growth above ``limit`` is shown, ``pass`` when none is to be seen, else ``inconclusive``.

        The median ignores rare jumps (a cache that fills once, a table that doubles), so it alone could pass code that
        leaks in bursts: for a pass the growth from end to end has to be within the limit too.
        """
        low, high = self.per_call.low, self.per_call.high
        if low is not None and low > limit:
            return "fail"
        settled = high is not None and high <= limit and self.overall is not None and self.overall <= limit
        return "pass" if settled else "inconclusive"


def growth(levels: Sequence[float], calls_per_batch: int, *, level: float = 0.99) -> Growth:
    """Growth per call from readings taken after batches of equally many calls, the first one before any of them.

    A leak rises in every batch, noise in some: the median of the rises, bounded by order statistics (the sign test,
    Conover 1999, Practical Nonparametric Statistics, section 3.2), needs no distribution and forgives single jumps.
    Needs 8 rises for an interval at 99 %. What leaks less often than once per batch is not in the median.

    :raises ValueError: levels that are not finite, or fewer than one call a batch.
    """
    if calls_per_batch < 1:
        raise ValueError(f"a batch has at least one call, got {calls_per_batch!r}")
    if any(not math.isfinite(value) for value in levels):
        raise ValueError("levels must be finite; leave out what could not be read")
    rises = [(b - a) / calls_per_batch for a, b in pairwise(levels)]
    if not rises:
        nothing = Estimate(value=None, level=level, note="fewer than two readings")
        return Growth(per_call=nothing, overall=None, calls=0)
    return Growth(per_call=quantile(rises, 0.5, level=level), overall=fmean(rises), calls=calls_per_batch * len(rises))

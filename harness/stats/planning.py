"""How many more cases a decision needs, if they go on as the measured ones did."""

from __future__ import annotations

import math

from harness.stats.estimate import check_level
from harness.stats.rates import clopper_pearson_bounds

_LARGEST = 10_000_000


def passes_needed(limit: float, *, confidence: float = 0.95) -> int:
    """Passes in a row, without a failure, that put the Clopper-Pearson lower bound at or above ``limit``.

    The smallest n with limit ** n <= 1 - confidence: 29 for 90 % at 95 %, 299 for 99 %.

    :raises ValueError: for a limit outside (0, 1): no number of passes shows 100 %.
    """
    if not 0.0 < limit < 1.0:
        raise ValueError(f"the limit of a share lies between 0 and 1, got {limit!r}")
    n = max(1, math.floor(math.log1p(-check_level(confidence)) / math.log(limit)))
    while limit**n > 1 - confidence + 1e-12:
        n += 1
    return n


def size_to_decide(share: float, limit: float, *, confidence: float = 0.95) -> int | None:
    """Independent one-trial cases at which a share like the measured one is decided against ``limit``, either way.

    Decided: the Clopper-Pearson lower bound is at or above the limit, or the upper bound below it. None when the share
    is the limit (no number decides that) or more than ten million would be needed.

    :param share: the measured share, in [0, 1].
    :param limit: the limit, in [0, 1].
    """
    if share == limit:
        return None

    def decided(n: int) -> bool:
        low, high = clopper_pearson_bounds(min(share * n, n), n, confidence=confidence)
        return low >= limit - 1e-12 if share > limit else high < limit

    high = 1
    while not decided(high):
        high *= 2
        if high > _LARGEST:
            return None
    low = high // 2
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high

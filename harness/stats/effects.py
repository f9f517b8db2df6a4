"""Effect sizes: percentage points first, the field's standard measures beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.paired import paired_difference


@dataclass(frozen=True, kw_only=True)
class PairedEffect:
    """How much better the candidate is on the same cases."""

    points: float
    """Mean difference in percentage points; above 0 the candidate is better."""
    low_points: float | None
    high_points: float | None
    won: int
    """Cases on which the candidate is better."""
    lost: int
    same: int
    odds_ratio: float | None
    """Won over lost; None when no case was lost."""
    d_z: float | None
    """Cohen's d of the differences (mean over standard deviation); None without spread."""


def paired_effect(
    differences: Sequence[float], groups: Sequence[int] | None = None, *, level: float = 0.95
) -> PairedEffect:
    """Effect of differences in [-1, 1], one per case; the interval is that of :func:`paired_difference`.

    :raises ValueError: without differences.
    """
    if not differences:
        raise ValueError("no pair, no effect; say 'not measured' instead")
    made = paired_difference(differences, groups, level=level)
    won, lost = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    n = len(differences)
    mean = math.fsum(differences) / n
    variance = math.fsum((d - mean) ** 2 for d in differences) / (n - 1) if n > 1 else 0.0
    return PairedEffect(
        points=100 * mean,
        low_points=None if made.low is None else 100 * made.low,
        high_points=None if made.high is None else 100 * made.high,
        won=won,
        lost=lost,
        same=n - won - lost,
        odds_ratio=won / lost if lost else None,
        d_z=mean / math.sqrt(variance) if variance > 1e-24 else None,
    )


def cohen_h(base: float, new: float) -> float:
    """Difference of two shares on the arcsine scale, in [-pi, pi]: .2 small, .5 medium, .8 large (Cohen 1988)."""
    for share in (base, new):
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"a share lies in [0, 1], got {share!r}")
    return 2 * math.asin(math.sqrt(new)) - 2 * math.asin(math.sqrt(base))


def hedges_g(base: Sequence[float], new: Sequence[float]) -> float | None:
    """Difference of two means over the pooled standard deviation, corrected for small samples; None without spread.

    Hedges (1981), Journal of Educational Statistics 6:107-128. Needs two values per side, otherwise None.
    """
    if min(len(base), len(new)) < 2:
        return None
    means = [math.fsum(side) / len(side) for side in (base, new)]
    squares = sum(math.fsum((v - mean) ** 2 for v in side) for side, mean in zip((base, new), means, strict=True))
    degrees = len(base) + len(new) - 2
    if squares <= 0:
        return None
    return (means[1] - means[0]) / math.sqrt(squares / degrees) * (1 - 3 / (4 * degrees - 1))


def cliffs_delta(base: Sequence[float], new: Sequence[float]) -> float | None:
    """Chance that a candidate value is above a baseline value, minus the reverse, in [-1, 1]; None for an empty side.

    Cliff (1993), Psychological Bulletin 114:494-509. Sorting makes it cheap for large samples.
    """
    import numpy as np

    if not len(base) or not len(new):
        return None
    ordered = np.sort(np.asarray(base, dtype=float))
    values = np.asarray(new, dtype=float)
    above = np.searchsorted(ordered, values, side="left")
    below = ordered.size - np.searchsorted(ordered, values, side="right")
    return float((above - below).sum() / (ordered.size * values.size))

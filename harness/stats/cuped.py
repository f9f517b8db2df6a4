"""CUPED: an earlier run of the same cases takes out the part of the spread that it foretells.

Deng, Xu, Kohavi and Walker (2013), Improving the sensitivity of online controlled experiments, WSDM, 123-132.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FEWEST = 20
"""Values below which nothing is adjusted."""


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """Values with the foretold part removed; their mean is that of the raw values."""

    values: tuple[float, ...]
    theta: float
    """Regression slope of the values on the covariate."""
    variance_left: float | None
    """Variance after over variance before, in [0, 1]; None when there was no variance."""


def cuped(values: Sequence[float], covariate: Sequence[float]) -> Adjusted:
    """``values`` minus theta * (covariate - its mean), with theta by least squares.

    The covariate must be known before the comparison (an earlier run; never one of the two that are compared), or the
    result is biased. Estimating theta costs about one degree of freedom: below 20 values the raw ones come back, since
    a slope of noise would then make an interval look narrower than it is. Without spread in the covariate likewise.

    :param values: one per case, differences or scores; their mean stays what it is.
    :param covariate: one per case, in the same order; for differences, the earlier run's value of the case.
    :raises ValueError: for unequal lengths or values that are not finite.
    """
    import numpy as np

    if len(values) != len(covariate):
        raise ValueError(f"one covariate per value is needed, got {len(values)} and {len(covariate)}")
    y, x = np.asarray(values, dtype=float), np.asarray(covariate, dtype=float)
    if not (bool(np.isfinite(y).all()) and bool(np.isfinite(x).all())):
        raise ValueError("values and covariate must be finite; leave out cases that the earlier run did not measure")
    unchanged = Adjusted(values=tuple(y.tolist()), theta=0.0, variance_left=1.0 if y.size and np.ptp(y) > 0 else None)
    if y.size < FEWEST or float(np.ptp(x)) == 0.0 or float(np.ptp(y)) == 0.0:
        return unchanged
    centred = x - x.mean()
    theta = float(centred @ y / (centred @ centred))
    adjusted = y - theta * centred
    # Scaled up around the mean for the fitted slope, so that n - 1 in a later variance is right for n - 2.
    mean = float(y.mean())
    adjusted = mean + (adjusted - mean) * float(np.sqrt((y.size - 1) / (y.size - 2)))
    left = min(1.0, float(np.var(adjusted) / np.var(y)))
    return Adjusted(values=tuple(adjusted.tolist()), theta=theta, variance_left=left)


def cuped_arms(
    base: Sequence[float], base_covariate: Sequence[float], new: Sequence[float], new_covariate: Sequence[float]
) -> tuple[Adjusted, Adjusted]:
    """The same for two arms of different cases: one slope for both, each value moved to the mean covariate of all.

    Here the adjusted means do differ from the raw ones: by what the covariate says of the one arm's cases being easier.
    The slope is fitted within the arms, so that the difference itself is not explained away (Lin 2013, Annals of
    Applied Statistics 7:295-318, with a common slope). Below 20 values in all the raw ones come back.
    """
    import numpy as np

    sides = []
    for values, covariate in ((base, base_covariate), (new, new_covariate)):
        if len(values) != len(covariate):
            raise ValueError(f"one covariate per value is needed, got {len(values)} and {len(covariate)}")
        y, x = np.asarray(values, dtype=float), np.asarray(covariate, dtype=float)
        if not (bool(np.isfinite(y).all()) and bool(np.isfinite(x).all())):
            raise ValueError(
                "values and covariate must be finite; leave out cases that the earlier run did not measure"
            )
        sides.append((y, x))
    n = sum(y.size for y, _ in sides)
    spread = sum(float(((x - x.mean()) ** 2).sum()) for _, x in sides if x.size)
    theta = 0.0
    if n >= FEWEST and spread > 0 and all(y.size for y, _ in sides):
        theta = sum(float(((x - x.mean()) * y).sum()) for y, x in sides) / spread
    middle = float(np.concatenate([x for _, x in sides]).mean()) if n else 0.0
    grown = float(np.sqrt((n - 2) / (n - 3))) if theta and n > 3 else 1.0
    made = []
    for y, x in sides:
        moved = y - theta * (x - middle)
        if theta:
            moved = moved.mean() + (moved - moved.mean()) * grown
        had = y.size > 1 and float(np.ptp(y)) > 0
        left = min(1.0, float(np.var(moved) / np.var(y))) if had else None
        made.append(Adjusted(values=tuple(moved.tolist()), theta=theta, variance_left=left))
    return made[0], made[1]

"""What planned looks save: the chance of passing and the cases used on average, against one test of a fixed number.

By the joint normal distribution of the looks (Jennison and Turnbull 2000, Group Sequential Methods, chapter 19). How
far the truth is from the limit is said by the power that one test of the same level has, so that whatever that power
took into account (discrete counts, clusters) is taken into account here too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.sequential.evidence import check_alpha
from harness.stats.sequential.spending import even_looks, look_levels

_MESH = 0.01
MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class LooksSize:
    """A plan of looks, and what it does."""

    looks: tuple[int, ...]
    """Cases seen at each look; the last is the maximum."""
    passes: float
    """Chance of passing at any look."""
    cases: float
    """Cases used on average, stopping only to pass."""


def looks_power(looks: Sequence[int], *, fixed_power: float, alpha: float = 0.025) -> LooksSize:
    """What the looks do where one test of all cases would pass with the chance ``fixed_power``, in (0, 1).

    :raises ValueError: for looks that do not rise, or a share outside (0, 1).
    """
    from scipy.special import ndtri

    if not 0.0 < fixed_power < 1.0:
        raise ValueError(f"the power of the fixed test is a share between 0 and 1, got {fixed_power!r}")
    drift = float(ndtri(fixed_power) - ndtri(check_alpha("alpha", alpha)))
    return _operating(looks, look_levels(looks, alpha=alpha), drift)


def looks_for(fixed: int, count: int, *, power: float, alpha: float = 0.025) -> LooksSize | None:
    """The plan of ``count`` looks with the fewest cases at most that has ``power``, where one test of ``fixed`` has it.

    The maximum is a few percent above ``fixed``; the average is well below it. None above a million cases.
    """
    from scipy.special import ndtri

    drift = float(ndtri(power) - ndtri(check_alpha("alpha", alpha)))
    # The boundaries depend on the shares of the looks, hardly on the number of cases: one plan serves all sizes.
    levels = look_levels(even_looks(10_000, count), alpha=alpha)
    low, high = fixed - 1, 2 * fixed + 10

    def made(most: int) -> LooksSize:
        looks = even_looks(most, count)
        own = levels if len(looks) == len(levels) and most > 200 else look_levels(looks, alpha=alpha)
        return _operating(looks, own, drift * math.sqrt(most / fixed))

    if high > MOST or made(high).passes < power:
        return None
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if made(middle).passes >= power else (middle, high)
    return made(high)


def _operating(looks: Sequence[int], levels: Sequence[float], drift: float) -> LooksSize:
    """Density of the score, less its drift, of the paths that have not crossed, look after look."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    half = math.ceil(9.0 / _MESH)
    grid = np.arange(-half, half + 1) * _MESH
    density = None
    going, before, used, passed = 1.0, 0.0, 0.0, 0.0
    for n, level in zip(looks, levels, strict=True):
        share = n / looks[-1]
        if level <= 0.0:
            continue
        step = math.sqrt(share - before)
        bound = float(-ndtri(level)) * math.sqrt(share) - drift * share
        if density is None:
            crossing = float(ndtr(-bound / step))
            density = np.exp(-0.5 * (grid / step) ** 2) / (step * math.sqrt(2 * math.pi))
        else:
            crossing = float(np.sum(density * ndtr((grid - bound) / step)) * _MESH)
            reach = min(half, math.ceil(8.5 * step / _MESH))
            kernel = np.exp(-0.5 * (grid[half - reach : half + reach + 1] / step) ** 2)
            density = np.convolve(density, kernel / kernel.sum(), mode="same")
        density = density * np.clip((bound - grid) / _MESH + 0.5, 0.0, 1.0)
        used, passed, before = used + n * crossing, passed + crossing, share
        going = max(0.0, 1.0 - passed)
    return LooksSize(looks=tuple(looks), passes=min(1.0, passed), cases=used + going * looks[-1])

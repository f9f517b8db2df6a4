"""A few planned looks up to a known maximum: Lan-DeMets spending of the O'Brien-Fleming kind.

Almost nothing is spent at early looks, so the last look is close to an ordinary fixed-size test. Here for statistics
that are close to normal with independent increments (paired differences, means), by numerical integration of the
multivariate normal distribution; for pass rates :mod:`harness.stats.sequential.spending_binomial` is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.stats.sequential.evidence import check_alpha

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_STEP = 0.02
"""Grid step in standard deviations of the final statistic, finer where looks are close; right to about six digits."""
_SMALLEST = 1e-12
"""Looks that may spend less than this cannot decide."""


def obrien_fleming_spent(share: float, alpha: float) -> float:
    """One-sided error spent when ``share`` of the cases, in [0, 1], has been seen: 2 - 2 Phi(z(1 - alpha/2)/sqrt(t)).

    Lan and DeMets (1983), Biometrika 70:659-663, their first spending function.
    """
    from scipy.special import ndtr, ndtri

    check_alpha("alpha", alpha)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"the share of cases seen lies in [0, 1], got {share!r}")
    if share == 0.0:
        return 0.0
    return float(2.0 * ndtr(ndtri(alpha / 2.0) / math.sqrt(share)))


def look_levels(looks: Sequence[int], *, alpha: float = 0.025) -> list[float]:
    """The one-sided level to test with at each look, so that all looks together err with at most ``alpha``.

    At look k use bounds with ``confidence=1 - levels[k]`` (:func:`harness.stats.paired.paired_bounds`,
    :func:`harness.stats.sign_flip.sign_flip_bounds`). Computed from the joint normal distribution of the looks
    (Armitage, McPherson and Rowe 1969, Journal of the Royal Statistical Society A 132:235-244; Jennison and Turnbull
    2000, Group Sequential Methods, chapter 19). It ignores stopping on the other side, which only makes it safer.
    Looks that have less than 1e-12 to spend get the level 0: they cannot decide.

    :param looks: cases seen at each look, rising; the last is the maximum.
    :raises ValueError: for looks that do not rise from above 0.
    """
    import numpy as np
    from scipy.special import ndtr

    check_looks(looks)
    check_alpha("alpha", alpha)
    # Early looks with nothing to spend change nothing, and steps much finer than the grid could not be followed.
    shares = [n / looks[-1] for n in looks]
    spending = [share for share in shares if obrien_fleming_spent(share, alpha) >= _SMALLEST]
    smallest = min(math.sqrt(b - a) for a, b in pairwise([0.0, *spending]))
    mesh = max(2e-4, min(_STEP, smallest / 5))
    # The score on the scale of a Brownian motion that ends at time 1; density of the paths that have not crossed.
    half = math.ceil(9.0 / mesh)
    grid = (np.arange(-half, half + 1) * mesh).astype(np.float64)
    density: npt.NDArray[np.float64] | None = None
    levels = [0.0] * (len(shares) - len(spending))
    before, spent = 0.0, 0.0
    for share in spending:
        step = math.sqrt(share - before)
        target = obrien_fleming_spent(share, alpha) - spent
        bound = _bound(target, step, grid, density)
        levels.append(float(ndtr(-bound / math.sqrt(share))))
        # Where a bound lies between two grid points the cell at the bound counts by its part below it.
        below = np.clip((bound - grid) / mesh + 0.5, 0.0, 1.0)
        reach = min(half, math.ceil(8.5 * step / mesh))
        kernel = np.exp(-0.5 * (grid[half - reach : half + reach + 1] / step) ** 2) / (step * math.sqrt(2 * math.pi))
        if density is None:
            density = np.zeros(grid.size)
            density[half - reach : half + reach + 1] = kernel
        else:
            density = np.convolve(density, kernel, mode="same") * mesh
        density = density * below
        before, spent = share, spent + target
    return levels


def _bound(target: float, step: float, grid: npt.NDArray[np.float64], density: npt.NDArray[np.float64] | None) -> float:
    """Where to stop so that paths which have not stopped cross now with a chance of ``target``."""
    import numpy as np
    from scipy.special import ndtr

    mesh = float(grid[1] - grid[0])
    low, high = -9.0, 9.0
    for _ in range(60):
        middle = (low + high) / 2
        if density is None:
            chance = float(ndtr(-middle / step))
        else:
            chance = float(np.sum(density * ndtr((grid - middle) / step)) * mesh)
        low, high = (middle, high) if chance > target else (low, middle)
    return high


def check_looks(looks: Sequence[int]) -> None:
    """ValueError unless the looks rise from above 0."""
    rising = all(a < b for a, b in zip(looks, list(looks)[1:], strict=False))
    if not looks or looks[0] <= 0 or not rising:
        raise ValueError(f"looks are rising numbers of cases, such as [40, 80, 120], got {list(looks)!r}")


def even_looks(maximum: int, count: int = 10, *, first: float = 0.3) -> list[int]:
    """``count`` looks at even steps from a share ``first`` of ``maximum`` cases to all; fewer where cases are fewer.

    Earlier looks have nothing to spend and could not decide. Ten looks use about .74 of the cases of a fixed number
    on average at a power of .9 and .84 at .8; five looks .79 and .85.
    """
    if maximum < 1 or count < 1:
        raise ValueError(f"at least one case and one look are needed, got {maximum!r} and {count!r}")
    if not 0.0 < first <= 1.0:
        raise ValueError(f"the first look is at a share of the cases in (0, 1], got {first!r}")
    if count == 1:
        return [maximum]
    shares = (first + (1.0 - first) * k / (count - 1) for k in range(count))
    return sorted({min(maximum, math.ceil(maximum * share - 1e-9)) for share in shares})

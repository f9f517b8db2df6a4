"""Paired differences in any unit: the sign-flip permutation test, and the interval that is its inversion.

If a group's difference is as likely to be x as -x around the true mean, flipping the signs of any set of groups gives
an equally likely sample. The test of "the mean is t" counts the sets S that, flipped, give at least the observed sum:
those whose own mean is at most t. So the bounds are order statistics of the means of subsets (Hartigan 1969, Journal
of the American Statistical Association 64:1303-1317), and the p-value and the interval agree by construction.

Exact up to 14 groups. Above, seeded subsets are drawn and p = (b + 1) / (m + 1), which is never 0 (Phipson and Smyth
2010, Statistical Applications in Genetics and Molecular Biology 9:39). Groups are sorted before drawing, so the order
of cases does not matter; strong skew in few groups makes the one-sided level approximate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from harness.stats.estimate import Estimate, check_level, check_same_length

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Alternative = Literal["two-sided", "greater", "less"]

EXACT_GROUPS = 14
"""Up to this many groups every subset is looked at."""
RESAMPLES = 9_999
"""Subsets drawn above :data:`EXACT_GROUPS` groups."""


def sign_flip_test(
    differences: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    at: float = 0.0,
    alternative: Alternative = "two-sided",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> float | None:
    """P-value of "the mean difference is ``at``"; None without differences. Never 0, and 1 when all equal ``at``.

    Groups are flipped whole. With G groups the smallest possible value is 2 ** -G, so five groups never reach 2.5 %.

    :param alternative: "greater" is evidence for a mean above ``at``; "two-sided" doubles the smaller side.
    :raises ValueError: for differences that are not finite.
    """
    if len(differences) == 0:
        return None
    means, spare, slack = _subset_means(differences, groups, resamples, seed)
    count = means.size + spare
    greater = (spare + int((means <= at + slack).sum())) / count
    less = (spare + int((means >= at - slack).sum())) / count
    if alternative == "two-sided":
        return min(1.0, 2.0 * min(greater, less))
    return greater if alternative == "greater" else less


def sign_flip_bounds(
    differences: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float | None, float | None]:
    """One-sided lower and upper bound of the mean difference; None where the groups are too few or all are equal."""
    check_level(confidence)
    if len(differences) == 0:
        return None, None
    means, spare, _ = _subset_means(differences, groups, resamples, seed)
    # The smallest t that is not rejected: more than alpha * count subsets, the spare ones among them, lie at or below.
    rank = math.floor((1.0 - confidence) * (means.size + spare) + 1e-9) - spare + 1
    if rank < 1 or float(means.min()) == float(means.max()):
        return None, None
    import numpy as np

    ordered = np.sort(means)
    return float(ordered[rank - 1]), float(ordered[-rank])


def sign_flip_difference(
    differences: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Mean difference with the interval of the inverted test; see :func:`sign_flip_bounds`."""
    if len(differences) == 0:
        return Estimate(value=None, level=check_level(level), note="no pairs")
    confidence = 0.5 + check_level(level) / 2
    low, high = sign_flip_bounds(differences, groups, confidence=confidence, resamples=resamples, seed=seed)
    count = len(differences) if groups is None else len(set(groups))
    mean = math.fsum(differences) / len(differences)
    exact = count <= EXACT_GROUPS
    note = ""
    if low is None or high is None:
        few = 2.0**-count > 1 - confidence
        note = f"{count} groups are too few for an interval" if few else "all differences are equal"
    return Estimate(
        value=mean,
        low=None if low is None else min(low, mean),
        high=None if high is None else max(high, mean),
        level=level,
        method="sign flips, all" if exact else f"sign flips, {resamples} draws, seed {seed}",
        n=len(differences),
        clusters=count,
        note=note,
    )


def _subset_means(
    differences: Sequence[float], groups: Sequence[int] | None, resamples: int, seed: int
) -> tuple[npt.NDArray[np.float64], int, float]:
    """Means of the subsets of groups, how many subsets count always (the empty one), and the rounding slack."""
    import numpy as np

    check_same_length(differences, groups)
    if resamples < 99:
        raise ValueError(f"a permutation test needs at least 99 resamples, got {resamples!r}")
    d = np.asarray(differences, dtype=float)
    if not bool(np.all(np.isfinite(d))):
        raise ValueError(f"differences must be finite, got {d[~np.isfinite(d)][0]!r}; leave out what was not measured")
    if groups is None:
        sums, sizes = d, np.ones(d.size)
    else:
        _, index = np.unique(np.asarray(groups), return_inverse=True)
        sums, sizes = np.bincount(index, d), np.bincount(index).astype(float)
    # One orientation and one order for a sample and its mirror image, whatever order the cases came in.
    order, mirrored = np.lexsort((sizes, sums)), np.lexsort((sizes, -sums))
    turned = tuple((-sums)[mirrored]) > tuple(sums[order])
    sums, sizes = (-sums[mirrored], sizes[mirrored]) if turned else (sums[order], sizes[order])
    exact = sums.size <= EXACT_GROUPS
    if exact:
        codes = np.arange(1, 2**sums.size)
        draws = [((codes >> (8 * k)) & 255).astype(np.uint8) for k in range(math.ceil(sums.size / 8))]
        total, weight = _subset_sums(sums, sizes, draws, codes.size)
    else:
        random = np.random.default_rng(seed)
        bytes_of = (random.integers(0, 256, resamples, dtype=np.uint8) for _ in range(math.ceil(sums.size / 8)))
        total, weight = _subset_sums(sums, sizes, bytes_of, resamples)
    drawn = weight > 0
    means = total[drawn] / weight[drawn]
    slack = 1e-12 * float(np.abs(d).max())
    spare = 1 + int((~drawn).sum())
    return (-means if turned else means), spare, slack


def _subset_sums(
    sums: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64], draws: Iterable[npt.NDArray[np.uint8]], count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sum and size of each drawn subset. Eight groups at a time are looked up by the byte that chooses among them,
    which makes 10,000 subsets of 100,000 groups a matter of a second.
    """
    import numpy as np

    bits = ((np.arange(256)[:, None] >> np.arange(8)) & 1).astype(float)
    total, weight = np.zeros(count), np.zeros(count)
    for block, chosen in enumerate(draws):
        part = slice(8 * block, 8 * block + 8)
        width = sums[part].size
        total += (bits[:, :width] @ sums[part])[chosen]
        weight += (bits[:, :width] @ sizes[part])[chosen]
    return total, weight

"""Paired differences in any unit: the sign-flip permutation test, and the interval that is its inversion.

If a group's difference is as likely to be x as -x around the true mean, flipping the signs of any set of groups gives
an equally likely sample. The test of "the mean is t" counts the sets S that, flipped, give at least the observed sum:
those whose own mean is at most t. So the bounds are order statistics of the means of subsets (Hartigan 1969, Journal
of the American Statistical Association 64:1303-1317), and the p-value and the interval agree by construction.

Exact up to 14 groups. Above, subsets are drawn and p = (b + 1) / (m + 1), which is never 0 (Phipson and Smyth 2010,
Statistical Applications in Genetics and Molecular Biology 9:39). The draws follow from the seed and the sizes of the
differences without their signs: the same for a sample in any order, and different for different samples, because one
fixed set of draws for all comparisons would itself be off its level. Strong skew in few groups makes the one-sided
level approximate.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True, eq=False)
class SignFlips:
    """The flips of one sample; tests and bounds are read off them. Made by :func:`sign_flips`."""

    mean: float
    subset_means: npt.NDArray[np.float64]
    """Means of the flipped subsets, ascending."""
    always: int
    """Flips that count for every hypothesis: the empty ones, among them the sample itself."""
    slack: float
    """Differences below this are rounding."""
    groups: int
    method: str

    def p(self, at: float = 0.0, alternative: Alternative = "two-sided") -> float:
        """P-value of "the mean difference is ``at``"; "greater" is evidence for a mean above it."""
        count = self.subset_means.size + self.always
        greater = (self.always + int((self.subset_means <= at + self.slack).sum())) / count
        less = (self.always + int((self.subset_means >= at - self.slack).sum())) / count
        if alternative == "two-sided":
            return min(1.0, 2.0 * min(greater, less))
        return greater if alternative == "greater" else less

    def bounds(self, confidence: float = 0.95) -> tuple[float | None, float | None]:
        """One-sided bounds of the mean difference; None where the groups are too few or all are equal."""
        alpha, ordered = 1.0 - check_level(confidence), self.subset_means
        # The smallest t that is not rejected: more than alpha * count flips lie at or below it.
        rank = math.floor(alpha * (ordered.size + self.always) + 1e-9) - self.always + 1
        if rank < 1 or ordered[-1] - ordered[0] <= self.slack:
            return None, None
        return float(ordered[rank - 1]), float(ordered[-rank])


def sign_flips(
    differences: Sequence[float], groups: Sequence[int] | None = None, *, resamples: int = RESAMPLES, seed: int = 0
) -> SignFlips:
    """All flips of a sample, or ``resamples`` of them. Groups are flipped whole.

    With G groups the smallest p-value is 2 ** -G, so five groups never reach 2.5 %.

    :raises ValueError: without differences, for differences that are not finite, fewer than 99 resamples.
    """
    import numpy as np

    check_same_length(differences, groups)
    if resamples < 99:
        raise ValueError(f"a permutation test needs at least 99 resamples, got {resamples!r}")
    d = np.asarray(differences, dtype=float)
    if d.size == 0:
        raise ValueError("no pair, no test; say 'not measured' instead")
    if not bool(np.all(np.isfinite(d))):
        bad = float(d[~np.isfinite(d)][0])
        raise ValueError(f"differences must be finite, got {bad!r}; leave out what was not measured")
    sums, sizes = _group_sums(d, groups)
    # One orientation and one order for a sample and its mirror image, whatever order the cases came in.
    order, mirrored = np.lexsort((sizes, sums)), np.lexsort((sizes, -sums))
    turned = tuple((-sums)[mirrored]) > tuple(sums[order])
    sums, sizes = (-sums[mirrored], sizes[mirrored]) if turned else (sums[order], sizes[order])
    blocks = math.ceil(sums.size / 8)
    exact = sums.size <= EXACT_GROUPS
    if exact:
        codes = np.arange(1, 2**sums.size)
        draws = (((codes >> (8 * k)) & 255).astype(np.uint8) for k in range(blocks))
        total, weight = _subset_sums(sums, sizes, draws, codes.size)
    else:
        random = np.random.default_rng([seed, _sign_free_hash(sums, sizes)])
        draws = (random.integers(0, 256, resamples, dtype=np.uint8) for _ in range(blocks))
        total, weight = _subset_sums(sums, sizes, draws, resamples)
    drawn = weight > 0
    means = np.sort(total[drawn] / weight[drawn])
    return SignFlips(
        mean=math.fsum(d) / d.size,
        subset_means=-means[::-1] if turned else means,
        always=1 + int((~drawn).sum()),
        slack=1e-12 * float(np.abs(d).max()),
        groups=int(sums.size),
        method="sign flips, all" if exact else f"sign flips, {resamples} draws, seed {seed}",
    )


def sign_flip_test(
    differences: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    at: float = 0.0,
    alternative: Alternative = "two-sided",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> float | None:
    """P-value of "the mean difference is ``at``"; None without differences. Never 0, and 1 when all equal ``at``."""
    if len(differences) == 0:
        return None
    return sign_flips(differences, groups, resamples=resamples, seed=seed).p(at, alternative)


def sign_flip_bounds(
    differences: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float | None, float | None]:
    """One-sided lower and upper bound of the mean difference; None where the groups are too few or all are equal."""
    if len(differences) == 0:
        return None, None
    return sign_flips(differences, groups, resamples=resamples, seed=seed).bounds(confidence)


def sign_flip_difference(
    differences: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Mean difference with the interval of the inverted test; see :meth:`SignFlips.bounds`."""
    confidence = 0.5 + check_level(level) / 2
    if len(differences) == 0:
        return Estimate(value=None, level=level, note="no pairs")
    made = sign_flips(differences, groups, resamples=resamples, seed=seed)
    low, high = made.bounds(confidence)
    note = ""
    if low is None or high is None:
        few = 2.0**-made.groups > 1 - confidence
        note = f"{made.groups} groups are too few for an interval" if few else "all differences are equal"
    return Estimate(
        value=made.mean,
        low=None if low is None else min(low, made.mean),
        high=None if high is None else max(high, made.mean),
        level=level,
        method=made.method,
        n=len(differences),
        clusters=made.groups,
        note=note,
    )


def _group_sums(
    d: npt.NDArray[np.float64], groups: Sequence[int] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    import numpy as np

    if groups is None:
        return d, np.ones(d.size)
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    # Added in the order of their values: the last bit of a sum must not depend on the order of the cases.
    order = np.argsort(d, kind="stable")
    sums = np.bincount(index[order], d[order]).astype(np.float64)
    return sums, np.bincount(index).astype(np.float64)


def _sign_free_hash(sums: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]) -> int:
    import numpy as np

    order = np.lexsort((sizes, np.abs(sums)))
    content = np.abs(sums)[order].tobytes() + sizes[order].tobytes()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _subset_sums(
    sums: npt.NDArray[np.float64],
    sizes: npt.NDArray[np.float64],
    draws: Iterable[npt.NDArray[np.uint8]],
    count: int,
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

"""A against B on the same cases: exact McNemar, and an interval of the difference that holds for few cases.

d is the candidate's value minus the baseline's on one case, in [-1, 1]; *won* is the sum of the positive d, *lost* of
the negative ones without their sign. With one trial on each side d is -1, 0 or 1. For differences in other units
(seconds, dollars) see :mod:`harness.stats.sign_flip`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.beta import betainc
from harness.stats.estimate import Estimate, check_level, check_same_length
from harness.stats.tango import CORRECTION, tango_bounds, tango_p

__all__ = [
    "CORRECTION",
    "PSEUDO_CASES",
    "PairedCounts",
    "mcnemar",
    "non_inferiority_p",
    "paired_bounds",
    "paired_counts",
    "paired_difference",
    "pairs_to_decide",
    "tango_bounds",
]

PSEUDO_CASES = 3.0
"""Pseudo-cases of full size that steady the size of a difference when few cases differ."""


def mcnemar(won: int, lost: int) -> float:
    """Two-sided exact McNemar p-value for the discordant pairs; 1.0 when no pair differs.

    McNemar (1947), Psychometrika 12:153-157, by the binomial distribution of ``won`` among the discordant pairs.

    :raises ValueError: for negative counts.
    """
    if won < 0 or lost < 0:
        raise ValueError(f"counts of discordant pairs are at least 0, got {won!r} and {lost!r}")
    n, fewer = won + lost, min(won, lost)
    # P(Binomial(n, 1/2) <= fewer), DLMF 8.17.5
    return 1.0 if n == 0 else min(1.0, 2.0 * betainc(n - fewer, fewer + 1, 0.5))


@dataclass(frozen=True, kw_only=True)
class PairedCounts:
    """Differences over cases, as numbers of won and lost pairs of an effective number of pairs."""

    won: float
    lost: float
    n: float
    difference: float
    """Mean of d."""
    pairs: int
    groups: int
    """Independent groups of pairs; the number of pairs where they are not grouped."""


def paired_counts(differences: Sequence[float], groups: Sequence[int] | None = None) -> PairedCounts:
    """Won, lost and n for :func:`tango_bounds`, for one trial or several per case, and for cases in families.

    The size of a typical difference, u = (sum of d^2 + 3) / (sum of |d| + 3), is 1 when every d is -1, 0 or 1; several
    trials make it smaller, and then won/u and lost/u of n/u pairs have the variance of the differences. The three
    pseudo-cases of full size keep a handful of small differences from looking like certainty.

    With ``groups`` all three are scaled by the share of its cases that the sample is worth, after Korn and Graubard
    (1998), drawn towards "all cases of a group alike" as in :func:`harness.stats.rates.effective_size`.

    :param groups: one label per difference where cases are not independent of each other.
    :raises ValueError: for no differences, one outside [-1, 1], or a wrong number of labels.
    """
    check_same_length(differences, groups)
    n = len(differences)
    if not n:
        raise ValueError("no pair, no difference; say 'not measured' instead")
    bad = next((d for d in differences if not -1.0 <= d <= 1.0), None)
    if bad is not None:
        raise ValueError(f"a difference lies in [-1, 1], got {bad!r}")
    won = math.fsum(d for d in differences if d > 0)
    lost = math.fsum(-d for d in differences if d < 0)
    size = (math.fsum(d * d for d in differences) + PSEUDO_CASES) / (won + lost + PSEUDO_CASES)
    worth, count = (1.0, n) if groups is None else _worth(differences, groups)
    scale = worth / size
    return PairedCounts(
        won=won * scale, lost=lost * scale, n=n * scale, difference=(won - lost) / n, pairs=n, groups=count
    )


def paired_bounds(
    differences: Sequence[float], groups: Sequence[int] | None = None, *, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """One-sided bounds of the mean difference; (None, None) without pairs. See :func:`tango_bounds`."""
    if not differences:
        return None, None
    counts = paired_counts(differences, groups)
    return tango_bounds(counts.won, counts.lost, counts.n, confidence=confidence)


def non_inferiority_p(differences: Sequence[float], margin: float, groups: Sequence[int] | None = None) -> float | None:
    """P-value of "worse by ``margin`` or more", for :func:`harness.stats.multiplicity.holm`; None without pairs.

    At or below 1 - confidence exactly where the lower bound of :func:`paired_bounds` is above ``-margin``.
    """
    if not differences:
        return None
    counts = paired_counts(differences, groups)
    return tango_p(counts.lost, counts.won, counts.n, margin)


def paired_difference(
    differences: Sequence[float], groups: Sequence[int] | None = None, *, level: float = 0.95
) -> Estimate:
    """Mean difference over cases with its two-sided interval; no pairs give no estimate."""
    if not differences:
        return Estimate(value=None, level=check_level(level), note="no pairs")
    counts = paired_counts(differences, groups)
    low, high = tango_bounds(counts.won, counts.lost, counts.n, confidence=0.5 + check_level(level) / 2)
    return Estimate(
        value=counts.difference,
        low=min(low, counts.difference),
        high=max(high, counts.difference),
        level=level,
        method="Tango score, continuity corrected" + ("" if groups is None else ", clustered"),
        n=counts.n,
        clusters=counts.groups,
        note=f"only {counts.groups} clusters" if groups is not None and counts.groups < 6 else "",
    )


def pairs_to_decide(
    differences: Sequence[float],
    margin: float,
    groups: Sequence[int] | None = None,
    *,
    confidence: float = 0.95,
    largest: int = 10_000_000,
) -> int | None:
    """Pairs at which differences like these put the lower bound above ``-margin``; None when none does.

    None when the mean difference is at or below ``-margin``: more of the same does not help.
    """
    if not differences:
        return None
    counts = paired_counts(differences, groups)
    if counts.difference <= -margin:
        return None

    def decided(factor: float) -> bool:
        low = tango_bounds(counts.won * factor, counts.lost * factor, counts.n * factor, confidence=confidence)[0]
        return low > -margin

    high = counts.pairs
    while not decided(high / counts.pairs):
        high *= 2
        if high > largest:
            return None
    low = 0 if high == counts.pairs else high // 2
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle / counts.pairs) else (middle, high)
    return high


def _worth(differences: Sequence[float], groups: Sequence[int]) -> tuple[float, int]:
    """Effective cases per case, at most 1, and the number of groups."""
    import numpy as np

    d = np.asarray(differences, dtype=float)
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(index).astype(float)
    z = np.bincount(index, d - d.mean())
    square = float(np.sum(sizes**2))
    prior = PSEUDO_CASES * square / sizes.size
    ratio = (float(np.sum(z**2)) + prior) / (float(np.var(d)) * square + prior)
    return min(1.0, d.size / square / ratio), int(sizes.size)

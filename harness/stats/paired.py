"""A against B on the same cases: exact McNemar, and an interval of the difference that holds for few cases.

d is the candidate's value minus the baseline's on one case, in [-1, 1]; *won* is the sum of the positive d, *lost* of
the negative ones without their sign. With one trial on each side d is -1, 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.estimate import Estimate, check_level

CORRECTION = 0.25
"""Continuity correction of the Tango interval, in cases."""
PSEUDO_CASES = 3.0
"""Pseudo-cases of full size that steady the size of a difference when few cases differ."""


def mcnemar(won: int, lost: int) -> float:
    """Two-sided exact McNemar p-value for the discordant pairs; 1.0 when no pair differs.

    McNemar (1947), Psychometrika 12:153-157, by the binomial distribution of ``won`` among the discordant pairs.

    :raises ValueError: for negative counts.
    """
    if won < 0 or lost < 0:
        raise ValueError(f"counts of discordant pairs are at least 0, got {won!r} and {lost!r}")
    from scipy.special import bdtr

    n = won + lost
    return 1.0 if n == 0 else min(1.0, 2.0 * float(bdtr(min(won, lost), n, 0.5)))


def tango_bounds(
    won: float, lost: float, n: float, *, confidence: float = 0.95, correction: float = CORRECTION
) -> tuple[float, float]:
    """One-sided lower and upper bound of the difference of two paired shares, each at ``confidence``.

    The score interval of Tango (1998), Statistics in Medicine 17:891-908, with a continuity correction of a quarter of
    a case, without which a non-inferiority gate passes falsely up to 2.9 % of the time at a nominal 2.5 % near 20
    cases. Inside [-1, 1], and wider than a point also when no pair differs.

    :param won: pairs that only the candidate passed; a fraction where ``n`` is an effective number.
    :param lost: pairs that only the baseline passed.
    :param n: all pairs, above 0.
    :raises ValueError: for counts out of range.
    """
    if not n > 0 or won < 0 or lost < 0 or won + lost > n * (1 + 1e-9):
        raise ValueError(f"won and lost are parts of n pairs, got won={won!r}, lost={lost!r}, n={n!r}")
    from scipy.special import ndtri

    z = float(ndtri(check_level(confidence)))
    return -_upper(lost, won, n, z, correction), _upper(won, lost, n, z, correction)


@dataclass(frozen=True, kw_only=True)
class PairedCounts:
    """Differences over cases, as numbers of won and lost pairs of an effective number of pairs."""

    won: float
    lost: float
    n: float
    difference: float
    """Mean of d."""
    pairs: int


def paired_counts(differences: Sequence[float]) -> PairedCounts:
    """Won, lost and n for :func:`tango_bounds`, for one trial or several per case.

    The size of a typical difference, u = (sum of d^2 + 3) / (sum of |d| + 3), is 1 when every d is -1, 0 or 1; several
    trials make it smaller, and then won/u and lost/u of n/u pairs have the variance of the differences. The three
    pseudo-cases of full size keep a handful of small differences from looking like certainty.

    :raises ValueError: for no differences, or one outside [-1, 1].
    """
    if not differences:
        raise ValueError("no pair, no difference; say 'not measured' instead")
    bad = next((d for d in differences if not -1.0 <= d <= 1.0), None)
    if bad is not None:
        raise ValueError(f"a difference lies in [-1, 1], got {bad!r}")
    won = math.fsum(d for d in differences if d > 0)
    lost = math.fsum(-d for d in differences if d < 0)
    size = (math.fsum(d * d for d in differences) + PSEUDO_CASES) / (won + lost + PSEUDO_CASES)
    n = len(differences)
    return PairedCounts(won=won / size, lost=lost / size, n=n / size, difference=(won - lost) / n, pairs=n)


def paired_bounds(differences: Sequence[float], *, confidence: float = 0.95) -> tuple[float | None, float | None]:
    """One-sided bounds of the mean difference; (None, None) without pairs. See :func:`tango_bounds`."""
    if not differences:
        return None, None
    counts = paired_counts(differences)
    return tango_bounds(counts.won, counts.lost, counts.n, confidence=confidence)


def paired_difference(differences: Sequence[float], *, level: float = 0.95) -> Estimate:
    """Mean difference over cases with its two-sided interval; no pairs give no estimate."""
    if not differences:
        return Estimate(value=None, level=check_level(level), note="no pairs")
    counts = paired_counts(differences)
    low, high = tango_bounds(counts.won, counts.lost, counts.n, confidence=0.5 + check_level(level) / 2)
    return Estimate(
        value=counts.difference,
        low=min(low, counts.difference),
        high=max(high, counts.difference),
        level=level,
        method="Tango score, continuity corrected",
        n=counts.n,
        clusters=counts.pairs,
    )


def pairs_to_decide(
    differences: Sequence[float], margin: float, *, confidence: float = 0.95, largest: int = 10_000_000
) -> int | None:
    """Pairs at which differences like these put the lower bound above ``-margin``; None when none does.

    None when the mean difference is at or below ``-margin``: more of the same does not help.
    """
    if not differences:
        return None
    counts = paired_counts(differences)
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


def _upper(won: float, lost: float, n: float, z: float, correction: float) -> float:
    """Largest difference that the one-sided score test does not reject: bisection, since the test is monotone in it."""

    def rejected(delta: float) -> bool:
        # Restricted maximum likelihood estimate of the share lost, given the difference (Tango 1998, equation 5).
        a = 2.0 * n
        b = -won - lost + (2.0 * n - won + lost) * delta
        c = -lost * delta * (1.0 - delta)
        share_lost = (math.sqrt(max(0.0, b * b - 4.0 * a * c)) - b) / (2.0 * a)
        variance = n * (2.0 * share_lost + delta * (1.0 - delta))
        distance = n * delta - (won - lost) - correction
        if variance <= 0.0:
            return distance > 0.0
        return distance > z * math.sqrt(variance)

    low, high = (won - lost) / n, 1.0
    if not rejected(high):
        return 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (low, middle) if rejected(middle) else (middle, high)
    return high

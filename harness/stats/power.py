"""What a paired suite can see: chances of passing and failing for a true change, and the number of cases for them.

Exact over every table of won, lost and same where there is one trial per case; by the normal approximation, and said
so, where there are several. Changes are in [-1, 1], candidate minus baseline.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from harness.stats.estimate import check_level
from harness.stats.tango import CORRECTION, tango_rejects

_LARGEST = 100_000
_EXACT = 2_000
"""Up to this many cases every table is looked at."""


@dataclass(frozen=True, kw_only=True)
class Power:
    """Chances of the three answers of a non-inferiority gate."""

    passes: float
    fails: float
    inconclusive: float
    method: str


def mcnemar_power(n: int, won: float, lost: float, *, alpha: float = 0.05) -> float:
    """Chance that the two-sided exact McNemar test of ``n`` pairs is at or below ``alpha``; exact.

    Summed over the number of discordant pairs, as in Schork and Williams (1980), Communications in Statistics B
    9:349-357.

    :param won: chance that a pair is won, in [0, 1]; ``lost`` that it is lost; together at most 1.
    """
    import numpy as np
    from scipy.special import bdtr
    from scipy.stats import binom

    _check_shares(won, lost)
    if won + lost == 0.0 or n < 1:
        return 0.0
    # Numbers of discordant pairs beyond ten standard deviations have no weight worth their time.
    mean, spread = n * (won + lost), 10 * math.sqrt(n * (won + lost)) + 20
    among = np.arange(max(1, math.floor(mean - spread)), min(n, math.ceil(mean + spread)) + 1)
    chance = binom.pmf(among, n, won + lost)
    # Largest count on one side that is still significant: the first whose tail exceeds alpha / 2, less one.
    count = binom.ppf(alpha / 2, among, 0.5)
    critical = np.where(bdtr(count, among, 0.5) <= alpha / 2 + 1e-15, count, count - 1)
    share = won / (won + lost)
    tails = np.where(critical >= 0, bdtr(np.maximum(critical, 0), among, share), 0.0)
    tails = tails + np.where(critical >= 0, bdtr(np.maximum(critical, 0), among, 1 - share), 0.0)
    return min(1.0, float(chance @ tails))


def gate_power(
    n: int,
    won: float,
    lost: float,
    margin: float,
    *,
    confidence: float = 0.975,
    fail_below: float = 0.0,
) -> Power:
    """Chances of pass, fail and inconclusive with one trial per case, by the corrected Tango bounds.

    Exact up to 2,000 cases, above by the normal approximation of :func:`normal_power`.

    :param won: true chance that a case is won, ``lost`` that it is lost.
    """
    import numpy as np
    from scipy.special import gammaln, xlogy

    _check_shares(won, lost)
    _check_margin(margin)
    if n < 1:
        raise ValueError(f"at least one case is needed, got {n!r}")
    if n > _EXACT:
        variance = won + lost - (won - lost) ** 2
        return normal_power(n, won - lost, variance, margin, confidence=confidence, fail_below=fail_below)
    # Tables with more discordance than ten standard deviations above the mean have no weight worth their time.
    mean = n * (won + lost)
    most = min(n, math.ceil(mean + 10 * math.sqrt(mean + 1) + 20))
    w, x = np.meshgrid(np.arange(most + 1), np.arange(most + 1), indexing="ij")
    fits = w + x <= min(n, most)
    w, x = w[fits].astype(float), x[fits].astype(float)
    logs = gammaln(n + 1) - gammaln(w + 1) - gammaln(x + 1) - gammaln(n - w - x + 1)
    chance = np.exp(logs + xlogy(w, won) + xlogy(x, lost) + xlogy(n - w - x, 1 - won - lost))
    failing = tango_rejects(w, x, n, fail_below, confidence=confidence)
    passing = tango_rejects(x, w, n, margin, confidence=confidence) & ~failing
    passes, fails = float(chance[passing].sum()), float(chance[failing].sum())
    return Power(passes=passes, fails=fails, inconclusive=max(0.0, 1 - passes - fails), method="exact")


def normal_power(
    n: int,
    change: float,
    variance: float,
    margin: float,
    *,
    confidence: float = 0.975,
    fail_below: float = 0.0,
    size: float = 1.0,
) -> Power:
    """The same by the normal approximation, from the variance of one case's difference; for several trials per case.

    With the variance of the score test at the limit beside the true one, as in Nam (1997), Biometrics 53:1422-1430;
    within a few points of the exact power from about 50 cases on.

    :param change: true mean difference, in [-1, 1].
    :param variance: of one case's difference around it, at least 0.
    :param size: size of a typical difference where there is one, in (0, 1]: 1 for one trial; the u of
        :func:`harness.stats.paired.paired_counts`.
    """
    from scipy.special import ndtr, ndtri

    _check_margin(margin)
    if n < 1 or variance < 0 or not 0.0 < size <= 1.0:
        raise ValueError(f"n from 1, variance from 0, size in (0, 1] are needed, got {n!r}, {variance!r}, {size!r}")
    z = float(ndtri(check_level(confidence)))
    both = max(abs(change), min(1.0, (variance + change * change) / size))
    won, lost = (both + change) / 2, (both - change) / 2
    error = math.sqrt(max(variance, 0.25 / n**2) * n)

    def rejects(up: float, down: float, limit: float) -> float:
        """Chance that a mean difference of ``limit`` or more is rejected when up - down is true."""
        at_limit = max(0.0, 2.0 * _share_lost(up, down, limit) + limit * (1.0 - limit))
        room = n * (limit - up + down) - CORRECTION * size - z * math.sqrt(n * size * at_limit)
        return float(ndtr(room / error))

    fails = rejects(won, lost, fail_below)
    passes = min(rejects(lost, won, margin), 1.0 - fails)
    return Power(passes=passes, fails=fails, inconclusive=max(0.0, 1 - passes - fails), method="normal approximation")


def _share_lost(won: float, lost: float, delta: float) -> float:
    """Share lost that is most likely when the difference is ``delta``; see :mod:`harness.stats.tango`."""
    b = -won - lost + (2.0 - won + lost) * delta
    return (math.sqrt(max(0.0, b * b + 8.0 * lost * delta * (1.0 - delta))) - b) / 4.0


def cases_for_pass(
    margin: float,
    *,
    won: float,
    lost: float,
    power: float = 0.8,
    confidence: float = 0.975,
) -> int | None:
    """Fewest cases, one trial each, from which on the gate passes with at least ``power``; None above 100,000.

    Exact power is a saw-tooth; the answer is the first n that holds the power for itself and the next eight.
    """
    if won - lost <= -margin:
        return None

    def enough(n: int) -> bool:
        return gate_power(n, won, lost, margin, confidence=confidence, fail_below=-margin).passes >= power

    found = smallest(enough, _LARGEST)
    if found is None or found > _EXACT:
        return found
    while not all(enough(found + k) for k in range(9)):
        found += 1
    return found


def cases_for_mcnemar(won: float, lost: float, *, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """Fewest cases from which on McNemar's exact test sees the difference with ``power``; None above 100,000."""
    if won == lost:
        return None
    return smallest(lambda n: mcnemar_power(n, won, lost, alpha=alpha) >= power, _LARGEST)


def smallest(enough: Callable[[int], bool], largest: int) -> int | None:
    """Smallest n in 1 to ``largest`` that is enough, when more is never less; None when none is."""
    high = 1
    while not enough(high):
        if high >= largest:
            return None
        high = min(2 * high, largest)
    low = high // 2
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check_shares(won: float, lost: float) -> None:
    if won < 0 or lost < 0 or won + lost > 1 + 1e-12:
        raise ValueError(f"shares of won and lost cases lie in [0, 1] together, got {won!r} and {lost!r}")


def _check_margin(margin: float) -> None:
    if not 0.0 < margin < 1.0:
        raise ValueError(f"a margin lies between 0 and 1, got {margin!r}")

"""Shares of passes: Wilson to show, Clopper-Pearson to gate, and both on an effective size where trials are clustered.

The words:

- *value of a case*: the share of its trials that passed, in [0, 1]; with one trial per case 0 or 1.
- *group*: cases that are not independent of each other. Trials of one case are one case, so they never count twice.
- *effective size*: the number of independent one-trial cases that would be as informative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from harness.stats.beta import betainc, betaincinv
from harness.stats.estimate import Estimate, check_level, check_same_length

PSEUDO_GROUPS = 3.0
"""Weight of the belief, in groups, that trials of a case tell nothing new; see :func:`effective_size`."""


def wilson(passes: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Two-sided Wilson score interval of a share, inside [0, 1], never of zero width.

    Wilson (1927), Journal of the American Statistical Association 22:209-212; recommended for display by Brown, Cai
    and DasGupta (2001), Statistical Science 16:101-133. Its average coverage is close to ``level``; for single values
    of the true share it can be below, which is why gates use :func:`clopper_pearson_bounds`.

    :param passes: passes, 0 to ``n``; a fraction where ``n`` is an effective size.
    :param n: trials, above 0.
    :raises ValueError: for values out of range.
    """
    _check_counts(passes, n)

    z = NormalDist().inv_cdf(0.5 + check_level(level) / 2.0)  # scipy.special would take 0.2 s to import
    p = passes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # The closed form gives 1 - 1e-17 where the limit is exactly 1 (and so at 0), which prints as a wrong bound.
    low = 0.0 if passes <= 0 else max(0.0, centre - half)
    high = 1.0 if passes >= n else min(1.0, centre + half)
    return low, high


def clopper_pearson_bounds(passes: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """One-sided lower and upper bound of a share, each holding with at least ``confidence``.

    Clopper and Pearson (1934), Biometrika 26:404-413, by quantiles of the beta distribution; exact: the true share is
    below the lower bound in at most 1 - ``confidence`` of runs, whatever it is. The two together are the two-sided
    interval of level 2 * confidence - 1. With no pass the lower bound is 0, with no failure the upper bound is 1.
    All of ``n`` passing gives (1 - confidence) ** (1 / n): 299 passes in a row show 99 % at 95 %.

    :param passes: passes, 0 to ``n``; a fraction where ``n`` is an effective size (the beta quantile interpolates).
    :param n: trials, above 0.
    :raises ValueError: for values out of range.
    """
    _check_counts(passes, n)
    alpha = 1.0 - check_level(confidence)
    low = 0.0 if passes <= 0 else betaincinv(passes, n - passes + 1, alpha)
    high = 1.0 if passes >= n else betaincinv(passes + 1, n - passes, 1 - alpha)
    return low, high


def clopper_pearson(passes: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Two-sided Clopper-Pearson interval of a share. See :func:`clopper_pearson_bounds`."""
    return clopper_pearson_bounds(passes, n, confidence=0.5 + check_level(level) / 2.0)


@dataclass(frozen=True, kw_only=True)
class EffectiveSize:
    """A share over cases and how many independent cases it is worth."""

    mean: float
    """Mean over cases of the value of a case, in [0, 1]."""
    n: float
    """Effective size: at least 1, at most the number of trials."""
    groups: int
    """Independent groups."""


def effective_size(
    values: Sequence[float], groups: Sequence[int] | None = None, *, trials: float | None = None
) -> EffectiveSize:
    """How many independent one-trial cases the ``values`` are worth.

    The effective size of Korn and Graubard (1998), Survey Methodology 24:193-201: p(1-p) over the variance of p that
    is computed between groups. Departure: their ratio is 0/0 when every case passes and jumps when the first one
    fails, so that one more failure could raise a lower bound. Here the design effect is drawn towards its largest
    value (all trials of a group alike) with the weight of three groups:

        r = (sum over groups of z^2 + a) / (p(1-p) * sum of c^2 + a),    a = 3 * mean of c^2
        n = (sum of c)^2 / (sum of c^2) / r

    z: sum over the group's cases of value - p; c: its number of cases. With one trial per case and no groups r is
    exactly 1 and n the number of cases; with all passes n is the number of groups. The price is a wider interval than
    Korn and Graubard's when there are few groups of many trials.

    :param values: one value in [0, 1] per case; at least one.
    :param groups: one label per case; None: every case is its own group.
    :param trials: trials behind all values together, the upper limit of the result; None: no limit.
    :raises ValueError: for no values, values outside [0, 1] or a wrong number of labels.
    """
    import numpy as np

    check_same_length(values, groups)
    v = np.asarray(values, dtype=float)
    if v.size == 0:
        raise ValueError("a share of no cases is not a number; say 'not measured' instead")
    if not bool(np.all((v >= 0) & (v <= 1))):
        raise ValueError(f"the value of a case lies in [0, 1], got {v[(v < 0) | (v > 1) | np.isnan(v)][0]!r}")
    p = min(1.0, max(0.0, math.fsum(v) / v.size))
    if groups is None:
        sizes, z = np.ones(v.size), v - p
    else:
        _, index = np.unique(np.asarray(groups), return_inverse=True)
        sizes, z = np.bincount(index).astype(np.float64), np.bincount(index, v - p).astype(np.float64)
    square = float(np.sum(sizes**2))
    prior = PSEUDO_GROUPS * square / sizes.size
    ratio = (float(np.sum(z**2)) + prior) / (p * (1 - p) * square + prior)
    n = float(v.size**2) / square / ratio
    n = min(n, float(trials)) if trials is not None else n
    return EffectiveSize(mean=p, n=max(1.0, n), groups=int(sizes.size))


def rate(
    values: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    trials: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """Mean share over cases with its Wilson interval on the :func:`effective_size`; no values give no estimate."""
    if len(values) == 0:
        return Estimate(value=None, level=check_level(level), note="nothing measured")
    size = effective_size(values, groups, trials=trials)
    low, high = wilson(size.mean * size.n, size.n, level=level)
    plain = groups is None and (trials is None or trials == len(values))
    return Estimate(
        value=size.mean,
        low=min(low, size.mean),
        high=max(high, size.mean),
        level=level,
        method="Wilson" if plain else "Wilson, clustered by case",
        n=size.n,
        clusters=size.groups,
        note="" if plain or size.groups >= 6 else f"only {size.groups} clusters",
    )


def rate_bounds(
    values: Sequence[float],
    groups: Sequence[int] | None = None,
    *,
    trials: float | None = None,
    confidence: float = 0.95,
) -> tuple[float | None, float | None]:
    """One-sided gate bounds of the mean share: Clopper-Pearson on the :func:`effective_size`; (None, None) for nothing.

    Korn and Graubard (1998); exactly Clopper-Pearson with one trial per case and no groups.
    """
    if len(values) == 0:
        return None, None
    size = effective_size(values, groups, trials=trials)
    return clopper_pearson_bounds(size.mean * size.n, size.n, confidence=confidence)


def rate_p(
    values: Sequence[float],
    limit: float,
    groups: Sequence[int] | None = None,
    *,
    trials: float | None = None,
) -> tuple[float, float] | None:
    """P-values of "the share is at most ``limit``" and "at least ``limit``", for Holm over rules; None for nothing.

    The exact binomial tails on the :func:`effective_size`; each is at or below 1 - confidence where the bound of
    :func:`rate_bounds` on its side has reached the limit.
    """
    if not 0.0 < limit < 1.0:
        raise ValueError(f"the limit of a share lies between 0 and 1, got {limit!r}")
    if len(values) == 0:
        return None
    size = effective_size(values, groups, trials=trials)
    passes, failures = size.mean * size.n, size.n - size.mean * size.n
    at_most = 1.0 if passes <= 0 else betainc(passes, failures + 1, limit)
    at_least = 1.0 if failures <= 0 else betainc(failures, passes + 1, 1 - limit)
    return at_most, at_least


def _check_counts(passes: float, n: float) -> None:
    if not n > 0:
        raise ValueError(f"a share needs at least one trial, got n={n!r}")
    if not 0 <= passes <= n:
        raise ValueError(f"passes lie between 0 and n={n!r}, got {passes!r}")

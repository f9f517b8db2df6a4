"""The regularized incomplete beta function and its inverse for single numbers, without importing scipy.

Every exact interval of a share and every Student t interval is a quantile of the beta distribution. scipy.special has
it, and takes a quarter of a second to import, which is more than all the rest of judging a thousand cases. So single
values are computed here; arrays, and counts above :data:`LARGEST`, go to scipy.
"""

from __future__ import annotations

import math

LARGEST = 20_000.0
"""Up to this sum of both parameters the logarithms below lose less than four digits of sixteen."""
_TINY = 1e-300
_MOST_STEPS = 10_000


def betainc(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b), in [0, 1]: the distribution function of Beta(a, b).

    The continued fraction of DLMF 8.17.22 by the modified method of Lentz (1976, Applied Optics 15:668), on the side
    of the mean where it converges in about sqrt(a + b) steps.

    :param a: above 0.
    :param b: above 0.
    :param x: in [0, 1].
    :raises ValueError: for parameters out of range.
    """
    if not (a > 0 and b > 0 and math.isfinite(a) and math.isfinite(b)):
        raise ValueError(f"the parameters of a beta distribution are finite and above 0, got {a!r} and {b!r}")
    if not 0.0 <= x <= 1.0:
        raise ValueError(f"x lies in [0, 1], got {x!r}")
    if x in (0.0, 1.0):
        return x
    if a + b > LARGEST:
        from scipy.special import betainc as of_arrays

        return float(of_arrays(a, b, x))
    if x <= (a + 1.0) / (a + b + 2.0):
        return min(1.0, _lower(a, b, x, 1.0 - x))
    return max(0.0, 1.0 - _lower(b, a, 1.0 - x, x))


def betaincinv(a: float, b: float, p: float) -> float:
    """The x at which I_x(a, b) is ``p``: the quantile of Beta(a, b).

    Newton's method inside a bracket that bisection keeps, in the tail where x or 1 - x is small. Full precision of
    the nearer end: a quantile of 1e-12 has its digits, as has one that is 1e-12 below 1.

    :param p: in [0, 1].
    :raises ValueError: for parameters out of range.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"a probability lies in [0, 1], got {p!r}")
    if p in (0.0, 1.0):
        betainc(a, b, 0.5)  # for its check of the parameters
        return p
    if a + b > LARGEST:
        from scipy.special import betaincinv as of_arrays

        return float(of_arrays(a, b, p))
    if betainc(a, b, 0.5) >= p:
        return _quantile(a, b, p)
    return 1.0 - _quantile(b, a, 1.0 - p)


def student_t_quantile(p: float, df: float) -> float:
    """The quantile of Student's t distribution; by I_x(df/2, 1/2) with x = df / (df + t^2) (DLMF 8.17, NIST 26.7.1).

    :param p: in (0, 1).
    :param df: degrees of freedom, above 0.
    :raises ValueError: for parameters out of range.
    """
    if not 0.0 < p < 1.0:
        raise ValueError(f"the probability of a t quantile lies between 0 and 1, got {p!r}")
    if not df > 0:
        raise ValueError(f"degrees of freedom are above 0, got {df!r}")
    if p == 0.5:
        return 0.0
    if df > LARGEST - 1:
        from scipy.special import stdtrit

        return float(stdtrit(df, p))
    tail = 2.0 * min(p, 1.0 - p)
    # Of y = t^2 / (df + t^2), which keeps its digits near the middle, where x is all but 1.
    y = betaincinv(0.5, df / 2.0, 1.0 - tail)
    x = betaincinv(df / 2.0, 0.5, tail)
    t = math.sqrt(df * (y / (1.0 - y) if y < 0.5 else (1.0 - x) / x))
    return t if p > 0.5 else -t


def _lower(a: float, b: float, x: float, rest: float) -> float:
    """I_x(a, b) for x on the near side of the mean; ``rest`` is 1 - x with its own digits."""
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest) - math.log(a)
    )
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    fraction = d
    for m in range(1, _MOST_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1.0 + term * d
            c = 1.0 + term / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            step = d * c
            fraction *= step
        if abs(step - 1.0) < 1e-16:
            break
    return math.exp(log_front) * fraction


def _quantile(a: float, b: float, p: float) -> float:
    """The quantile where it is at most one half."""
    low, high = 0.0, 0.5
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    # The leading term x^a / (a B) of the series starts the search where the quantile is tiny.
    x = math.exp(min(math.log(0.5), (math.log(p) + math.log(a) + log_beta) / a))
    for _ in range(200):
        if not low < x < high:
            x = (low + high) / 2.0
        error = betainc(a, b, x) - p
        if error == 0.0:
            return x
        if error > 0:
            high = x
        else:
            low = x
        log_density = (a - 1.0) * math.log(x) + (b - 1.0) * math.log1p(-x) - log_beta if x > 0 else -math.inf
        density = math.exp(log_density) if log_density < 700 else math.inf
        following = x - error / density if 0 < density < math.inf else (low + high) / 2.0
        if not low < following < high:
            following = (low + high) / 2.0
        if abs(following - x) <= 2e-16 * x or following in (low, high):
            return following
        x = following
    return x

"""pass@k and pass^k: the chance that at least one of k trials passes, and that all k do.

From c passes in n trials of a case, without bias (any k of the n trials are equally likely to be the k that counted):

- pass@k = 1 - C(n-c, k) / C(n, k)    (Chen et al. 2021, arXiv:2107.03374)
- pass^k = C(c, k) / C(n, k)          (Yao et al. 2024, tau-bench, arXiv:2406.12045)
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from harness.stats.estimate import Estimate
from harness.stats.means import bootstrap_mean
from harness.stats.rates import wilson


def pass_at_k(passes: int, trials: int, k: int) -> float:
    """Chance that at least one of ``k`` trials of a case passes. See :func:`pass_hat_k` for what is refused."""
    _check(passes, trials, k)
    return 1.0 - comb(trials - passes, k) / comb(trials, k)


def pass_hat_k(passes: int, trials: int, k: int) -> float:
    """Chance that all of ``k`` trials of a case pass.

    :raises ValueError: when ``k`` is not in 1 to ``trials``, or ``passes`` not in 0 to ``trials``.
    """
    _check(passes, trials, k)
    return comb(passes, k) / comb(trials, k)


def pass_k(
    passes: Sequence[int],
    trials: Sequence[int],
    k: int,
    *,
    every: bool = True,
    groups: Sequence[int] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Mean of pass^k (``every``) or pass@k over cases, with an interval by resampling whole cases.

    The percentile interval of a seeded bootstrap; where resampling cannot show a bound (every case alike, or one
    case) the Wilson bound on as many observations as there are cases stands there, which is the widest case possible
    for values in [0, 1].

    :param passes: passes per case.
    :param trials: measured trials per case, in the same order.
    :param groups: one label per case where cases are not independent.
    :raises ValueError: when ``k`` is above the trials of any case, naming the first such case by position.
    """
    if len(passes) != len(trials):
        raise ValueError(f"passes and trials must pair up, got {len(passes)} and {len(trials)}")
    chance = pass_hat_k if every else pass_at_k
    short = next((i for i, n in enumerate(trials) if n < k), None)
    if short is not None:
        raise ValueError(f"k={k} is above the {trials[short]} trials of case number {short}; use k <= {min(trials)}")
    values = [chance(c, n, k) for c, n in zip(passes, trials, strict=True)]
    if not values:
        return Estimate(value=None, level=level, note="nothing measured")
    made = bootstrap_mean(values, groups, level=level, seed=seed)
    mean = min(1.0, max(0.0, made.value or 0.0))
    low, high = wilson(mean * made.clusters, made.clusters, level=level)
    by_cases = made.low is not None and made.high is not None and made.low < mean < made.high
    return Estimate(
        value=mean,
        low=made.low if by_cases else low,
        high=made.high if by_cases else high,
        level=level,
        method=made.method if by_cases else "Wilson on cases",
        n=len(values),
        clusters=made.clusters,
    )


def _check(passes: int, trials: int, k: int) -> None:
    if not 1 <= k <= trials:
        raise ValueError(f"k lies between 1 and the number of trials ({trials}), got {k!r}")
    if not 0 <= passes <= trials:
        raise ValueError(f"passes lie between 0 and the number of trials ({trials}), got {passes!r}")

"""Two-sample drift: has a distribution moved, judged by thresholds that know how many values there are.

Fixed limits (a population stability index of .1, a distance of .05) alarm all the time on small samples and never on
large ones; here the limit is what two samples of these sizes from one distribution rarely exceed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A distance between two samples beside the distance that chance gives."""

    distance: float
    threshold: float
    """Exceeded with a chance of at most alpha (for categories: about) when nothing moved."""
    p: float
    moved: bool
    method: str


def value_drift(base: Sequence[float], new: Sequence[float], *, alpha: float = 0.01) -> Drift | None:
    """Kolmogorov and Smirnov's largest distance of two empirical distributions, in [0, 1]; None for an empty side.

    Exact p-values up to 10,000 values per side (Hodges 1958, Arkiv for Matematik 3:469-486), above asymptotic; ties
    make it conservative. The threshold is the asymptotic one, sqrt(ln(2/alpha)/2 (1/n + 1/m)) (Smirnov 1948).
    """
    from scipy.stats import ks_2samp

    _check_alpha(alpha)
    if not len(base) or not len(new):
        return None
    # Without `auto`, which warns and switches when the exact computation overflows.
    method = "exact" if max(len(base), len(new)) <= 10_000 and len(base) * len(new) <= 4_000_000 else "asymp"
    made = ks_2samp(base, new, method=method)
    limit = math.sqrt(math.log(2 / alpha) / 2 * (1 / len(base) + 1 / len(new)))
    p = float(made.pvalue)
    return Drift(
        distance=float(made.statistic),
        threshold=min(1.0, limit),
        p=p,
        moved=p <= alpha,
        method=f"Kolmogorov-Smirnov, {'exact' if method == 'exact' else 'asymptotic'}",
    )


def category_drift(
    base: Mapping[str, int], new: Mapping[str, int], *, alpha: float = 0.01, resamples: int = 4999, seed: int = 0
) -> Drift | None:
    """Population stability index of two counts of categories, judged by permutation; None for an empty side.

    The index is the sum of (q - p) ln(q / p), with half a count added to each category so that it is finite. Its usual
    limits .1 and .25 ignore the size; under no drift it follows (1/n + 1/m) times a chi-squared with one less degree
    of freedom than categories (Yurdakul and Naranjo 2020, Journal of Risk Model Validation 14:89-100). The threshold
    here is the quantile of the index over seeded reassignments of all values to the two sides.
    """
    import numpy as np

    _check_alpha(alpha)
    names = sorted(set(base) | set(new))
    a = np.array([base.get(name, 0) for name in names], dtype=np.int64)
    b = np.array([new.get(name, 0) for name in names], dtype=np.int64)
    if (a < 0).any() or (b < 0).any():
        raise ValueError("counts of categories are at least 0")
    if a.sum() == 0 or b.sum() == 0:
        return None
    random = np.random.default_rng(seed)
    drawn = random.multivariate_hypergeometric(a + b, int(a.sum()), size=resamples, method="marginals")
    indices = _stability(drawn, (a + b) - drawn)
    seen = float(_stability(a[None, :], b[None, :])[0])
    p = (1 + int((indices >= seen - 1e-12).sum())) / (resamples + 1)
    ordered = np.sort(indices)
    rank = math.ceil((1 - alpha) * (resamples + 1))
    return Drift(
        distance=seen,
        threshold=float(ordered[min(rank, resamples) - 1]),
        p=p,
        moved=p <= alpha,
        method=f"population stability index, {resamples} reassignments, seed {seed}",
    )


def _stability(left: Any, right: Any) -> Any:
    import numpy as np

    a, b = np.asarray(left, dtype=float) + 0.5, np.asarray(right, dtype=float) + 0.5
    p, q = a / a.sum(axis=1, keepdims=True), b / b.sum(axis=1, keepdims=True)
    return ((q - p) * np.log(q / p)).sum(axis=1)


def _check_alpha(alpha: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is an error rate between 0 and 1, got {alpha!r}")

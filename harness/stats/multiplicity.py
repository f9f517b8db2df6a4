"""Many tests at once: Holm for rules that gate, Benjamini-Hochberg for lists for triage, e-BH for evidence at any time.

A test that could not be made is None: it counts among the tests (so that leaving it out gains nothing) and is never
rejected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values: rejecting those at or below alpha keeps the chance of any false rejection at alpha.

    Holm (1979), Scandinavian Journal of Statistics 6:65-70; under any dependence.

    :raises ValueError: for a p-value outside [0, 1].
    """
    order = _rising(p_values)
    m, worst = len(p_values), 0.0
    out: list[float | None] = [None] * m
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (m - rank) * _at(p_values, index)))
        out[index] = worst
    return out


def holm_levels(count: int, alpha: float = 0.05) -> list[float]:
    """The levels that the smallest, second smallest, ... of ``count`` p-values must reach."""
    return [alpha / (count - rank) for rank in range(count)]


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values: among those at or below q, a share of at most q is false on average.

    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57:289-300; for independent or positively
    dependent tests. Not for gating.
    """
    order = _rising(p_values)
    m, best = len(p_values), 1.0
    out: list[float | None] = [None] * m
    for rank in range(len(order), 0, -1):
        index = order[rank - 1]
        best = min(best, _at(p_values, index) * m / rank)
        out[index] = best
    return out


def e_bh(log_e_values: Sequence[float | None], *, alpha: float = 0.05) -> list[bool]:
    """Which of the rules' evidence counts when all are looked at together, at any time and under any dependence.

    Wang and Ramdas (2022), Journal of the Royal Statistical Society B 84:822-852: with e-values sorted downwards, the
    largest k with k e(k) >= m / alpha; those k are rejected, and a share of at most ``alpha`` is false on average.
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is an error rate between 0 and 1, got {alpha!r}")
    if any(e is not None and math.isnan(e) for e in log_e_values):
        raise ValueError("log evidence must be a number; pass None for a rule without evidence")
    known = sorted((-e, index) for index, e in enumerate(log_e_values) if e is not None)
    m, last = len(log_e_values), 0
    for k, (minus, _) in enumerate(known, start=1):
        if math.log(k) - minus >= math.log(m / alpha) - 1e-12:
            last = k
    chosen = {index for _, index in known[:last]}
    return [index in chosen for index in range(m)]


def _rising(p_values: Sequence[float | None]) -> list[int]:
    bad = next((p for p in p_values if p is not None and not 0.0 <= p <= 1.0), None)
    if bad is not None:
        raise ValueError(f"a p-value lies in [0, 1], got {bad!r}; pass None for a test that could not be made")
    return sorted((i for i, p in enumerate(p_values) if p is not None), key=lambda i: _at(p_values, i))


def _at(p_values: Sequence[float | None], index: int) -> float:
    p = p_values[index]
    assert p is not None
    return p

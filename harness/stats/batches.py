"""Intervals for figures of a series whose values depend on each other, such as latencies of requests in one queue.

Requests that wait behind each other share their luck: a thousand of them may hold as much evidence as thirty. The
series is cut into a few long batches in order of time; batches are nearly independent where single values are not, and
the spread between them is what the interval is made of (Schmeiser 1982, Operations Research 30:556-568; for quantiles
the sectioning of Asmussen and Glynn 2007, Stochastic Simulation, section III.5). Dependence that is left between
neighbouring batches widens it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.stats.beta import student_t_quantile
from harness.stats.estimate import check_level

MANY, FEW, LEAST = 20, 8, 5
"""Batches of a series that hardly remembers, of one that does, and of one with too few values beyond the quantile."""
LEAST_IN_BATCH = 5
FLOOR = 10.0
"""Effective values below which nothing may be gated."""


@dataclass(frozen=True, kw_only=True)
class SeriesEstimate:
    """A figure of a series with its interval, and what the interval rests on."""

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    n: int = 0
    effective: float = 0.0
    """How many independent values would say as much, between 1 and n."""
    batches: int = 0
    correlation: float = 0.0
    """Between neighbouring batches; large means that the run was too short for its own memory."""
    note: str = ""

    @property
    def enough(self) -> bool:
        """Whether there is an interval that may decide something."""
        return self.low is not None and self.high is not None and not self.note


def series_mean(values: Sequence[float], *, level: float = 0.95, positive: bool = False) -> SeriesEstimate:
    """The mean with its interval.

    :param positive: values are sizes (times): the interval is made on the logarithm, because the means of busy batches
        are skewed to the right.
    """
    import numpy as np

    return _sectioned(np.asarray(values, dtype=float), lambda v: v.mean(axis=-1), level, positive, None)


def series_quantile(values: Sequence[float], q: float, *, level: float = 0.95) -> SeriesEstimate:
    """The ``q`` quantile of times or other sizes with its interval; the floor counts values beyond the quantile."""
    import numpy as np

    if not 0.0 < q < 1.0:
        raise ValueError(f"a quantile lies between 0 and 1, got {q!r}")
    return _sectioned(np.asarray(values, dtype=float), lambda v: np.quantile(v, q, axis=-1), level, True, q)


def series_share(flags: Sequence[bool], *, level: float = 0.95) -> SeriesEstimate:
    """A share with its interval: Clopper-Pearson on the effective number of values, which batches tell."""
    import numpy as np

    from harness.stats.rates import clopper_pearson_bounds

    check_level(level)
    v = np.asarray(flags, dtype=float)
    if v.size == 0:
        return SeriesEstimate(value=None, level=level, note="nothing measured")
    share = float(v.mean())
    batches, correlation, effective = _dependence(v)
    low, high = clopper_pearson_bounds(share * effective, effective, confidence=0.5 + level / 2)
    note = "" if effective >= FLOOR else f"only {effective:.0f} effective values"
    return SeriesEstimate(
        value=share, low=low, high=high, level=level, n=v.size, effective=effective, batches=batches,
        correlation=correlation, note=note,
    )  # fmt: skip


def repeats_mean(values: Sequence[float], *, level: float = 0.95, positive: bool = True) -> SeriesEstimate:
    """The mean over whole runs with Student's interval: the best evidence, because runs share nothing.

    With ``positive`` it is the geometric mean, on whose scale the interval is made. Below two runs there is none.
    """
    import numpy as np

    check_level(level)
    v = np.asarray(values, dtype=float)
    if v.size == 0:
        return SeriesEstimate(value=None, level=level, note="nothing measured")
    logs = positive and bool((v > 0).all())
    w = np.log(v) if logs else v
    middle = float(w.mean())
    if v.size < 2:
        return SeriesEstimate(value=float(v[0]), level=level, n=1, note="one run has no spread")
    half = student_t_quantile(0.5 + level / 2, v.size - 1) * float(w.std(ddof=1)) / math.sqrt(v.size)
    back: Callable[[float], float] = math.exp if logs else float
    return SeriesEstimate(
        value=back(middle), low=back(middle - half), high=back(middle + half), level=level, n=v.size,
        effective=float(v.size), batches=v.size,
    )  # fmt: skip


def _sectioned(v: Any, figure: Callable[[Any], Any], level: float, positive: bool, q: float | None) -> SeriesEstimate:
    import numpy as np

    check_level(level)
    if v.size == 0:
        return SeriesEstimate(value=None, level=level, note="nothing measured")
    if not bool(np.all(np.isfinite(v))):
        raise ValueError("values must be finite; leave out what was not measured")
    value = float(figure(v))
    if v.size < LEAST * LEAST_IN_BATCH:
        return SeriesEstimate(value=value, level=level, n=v.size, note=f"{v.size} values are too few for an interval")
    rare = 1.0 if q is None else min(q, 1 - q)
    batches, correlation, effective = _dependence(v if q is None else (v <= value).astype(float), rare)
    made = figure(_cut(v, batches))
    logs = positive and value > 0 and bool((made > 0).all())
    middle = math.log(value) if logs else value
    spread = np.log(made) if logs else made
    # Around the figure of the whole series, whose bias is far below that of a batch's.
    error = math.sqrt(float(np.sum((spread - middle) ** 2)) / (batches - 1) / batches * _widened(correlation))
    half = student_t_quantile(0.5 + level / 2, batches - 1) * error
    low, high = (math.exp(middle - half), math.exp(middle + half)) if logs else (middle - half, middle + half)
    beyond = effective * rare
    floor = FLOOR if q is None else FLOOR / 4
    note = "" if beyond >= floor else f"only {effective:.0f} effective values"
    return SeriesEstimate(
        value=value, low=low, high=high, level=level, n=v.size, effective=effective, batches=batches,
        correlation=correlation, note=note,
    )  # fmt: skip


def _cut(v: Any, batches: int) -> Any:
    """Rows of equal length; the few values that are over are left out at the beginning."""
    size = v.size // batches
    return v[v.size - size * batches :].reshape(batches, size)


def _dependence(v: Any, rare: float = 1.0) -> tuple[int, float, float]:
    """How many batches, the correlation of neighbours, and the effective number of values."""
    import numpy as np

    spread = float(v.var())
    if spread <= 0 or v.size < LEAST * 2:
        return LEAST, 0.0, float(v.size)
    for batches in (MANY, FEW, LEAST):
        if v.size // batches * rare < 2 * LEAST_IN_BATCH and batches > LEAST:
            continue
        means = _cut(v, batches).mean(axis=1)
        correlation = _lag_one(means)
        between = float(means.var(ddof=1)) / batches * _widened(correlation)
        effective = float(np.clip(spread / between if between > 0 else v.size, 1.0, v.size))
        # Many batches make a shorter interval, and too short a one where a batch is not much longer than the memory.
        if batches < MANY or (correlation < 1 / math.sqrt(batches) and effective > v.size / 3):
            break
    return batches, correlation, effective


def _widened(correlation: float) -> float:
    """What dependence that is left between batches does to the variance of their mean (first-order)."""
    left = min(0.8, max(0.0, correlation))
    return (1 + left) / (1 - left)


def _lag_one(means: Any) -> float:
    """Lag-one correlation, its small-sample bias taken off."""
    import numpy as np

    centred = means - means.mean()
    total = float(np.sum(centred**2))
    return 0.0 if total <= 0 else float(np.sum(centred[1:] * centred[:-1])) / total + 1 / len(means)

"""Calibration of stated probabilities: does what is called 80 % happen 80 % of the time?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.stats.estimate import Estimate, check_level
from harness.stats.means import clustered_mean
from harness.stats.rates import wilson


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Stated probabilities of about the same size."""

    stated: float
    """Mean stated probability."""
    happened: float
    """Share that happened, with its Wilson interval."""
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True)
class Brier:
    """Brier score and Murphy's parts: score = reliability - resolution + uncertainty, up to the spread within bins."""

    score: Estimate
    """Mean squared error of the probabilities, in [0, 1]; 0 is perfect."""
    reliability: float
    """How far stated probabilities are from what happened; 0 is calibrated."""
    resolution: float
    """How far the bins are apart in what happened; more is better."""
    uncertainty: float
    """Spread of the outcomes themselves, at most .25."""
    within: float
    """What binning leaves over (Stephenson, Coelho and Jolliffe 2008); 0 when a bin has one probability."""


def reliability_bins(stated: Sequence[float], happened: Sequence[bool], *, bins: int = 10) -> list[Bin]:
    """Bins of about equal counts, equal probabilities never apart; fewer bins when there are fewer probabilities.

    Equal counts instead of equal widths: judges answer .9 or .95 most of the time, and empty bins tell nothing.
    """
    import numpy as np

    p, y = _checked(stated, happened)
    if p.size == 0:
        return []
    if bins < 1:
        raise ValueError(f"at least one bin is needed, got {bins!r}")
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    edges = np.unique(np.searchsorted(p, p[np.ceil(np.arange(bins) * p.size / bins).astype(int).clip(0, p.size - 1)]))
    out = []
    for part_p, part_y in zip(np.split(p, edges[1:]), np.split(y, edges[1:]), strict=True):
        low, high = wilson(float(part_y.sum()), part_y.size)
        out.append(
            Bin(stated=float(part_p.mean()), happened=float(part_y.mean()), low=low, high=high, n=int(part_y.size))
        )
    return out


def calibration_error(
    stated: Sequence[float],
    happened: Sequence[bool],
    *,
    bins: int = 10,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Expected calibration error, in [0, 1]: mean over bins of |stated - happened|, weighted by count.

    Naeini, Cooper and Hauskrecht (2015), AAAI, 2901-2907. The plain figure is above 0 even for perfect calibration,
    by about sqrt(2 bins / (pi n)) / 2; the note gives what chance alone makes of these probabilities, from seeded
    outcomes. The interval resamples items around the figure (basic bootstrap), which takes the same excess out again.
    """
    import numpy as np

    check_level(level)
    p, y = _checked(stated, happened)
    if p.size == 0:
        return Estimate(value=None, level=level, note="nothing measured")
    made = reliability_bins(p.tolist(), y.astype(bool).tolist(), bins=bins)
    value = math.fsum(b.n * abs(b.stated - b.happened) for b in made) / p.size
    edges = np.cumsum([b.n for b in made])[:-1]
    order = np.argsort(p, kind="stable")
    label = np.zeros(p.size, dtype=int)
    label[order] = np.searchsorted(edges, np.arange(p.size), side="right")
    random = np.random.default_rng(seed)
    drawn, chance = np.empty(resamples), np.empty(resamples)
    for i in range(resamples):
        pick = random.integers(0, p.size, p.size)
        gaps = np.bincount(label[pick], y[pick] - p[pick], minlength=len(made))
        drawn[i] = np.abs(gaps).sum() / p.size
        lucky = random.random(p.size) < p
        chance[i] = np.abs(np.bincount(label, lucky - p, minlength=len(made))).sum() / p.size
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    spread = p.size > 1 and float(high) > float(low)
    return Estimate(
        value=value,
        low=min(value, max(0.0, 2 * value - float(high))) if spread else None,
        high=max(value, min(1.0, 2 * value - float(low))) if spread else None,
        level=level,
        method=f"{len(made)} bins of equal count, basic bootstrap, seed {seed}",
        n=int(p.size),
        clusters=int(p.size),
        note=f"chance alone gives {float(chance.mean()):.3f} with calibrated probabilities",
    )


def brier(stated: Sequence[float], happened: Sequence[bool], *, bins: int = 10, level: float = 0.95) -> Brier | None:
    """Brier (1950), Monthly Weather Review 78:1-3, with the partition of Murphy (1973), Journal of Applied Meteorology
    12:595-600, over :func:`reliability_bins`; None for nothing.
    """
    p, y = _checked(stated, happened)
    if p.size == 0:
        return None
    made = reliability_bins(p.tolist(), y.astype(bool).tolist(), bins=bins)
    base = float(y.mean())
    reliability = math.fsum(b.n * (b.stated - b.happened) ** 2 for b in made) / p.size
    resolution = math.fsum(b.n * (b.happened - base) ** 2 for b in made) / p.size
    score = clustered_mean(((p - y) ** 2).tolist(), level=level, minimum=0.0, maximum=1.0)
    assert score.value is not None
    uncertainty = base * (1 - base)
    return Brier(
        score=score,
        reliability=reliability,
        resolution=resolution,
        uncertainty=uncertainty,
        within=score.value - (reliability - resolution + uncertainty),
    )


def _checked(stated: Sequence[float], happened: Sequence[bool]) -> tuple[Any, Any]:
    import numpy as np

    if len(stated) != len(happened):
        raise ValueError(f"one outcome per probability is needed, got {len(stated)} and {len(happened)}")
    p, y = np.asarray(stated, dtype=float), np.asarray(happened, dtype=float)
    if not bool(np.all((p >= 0) & (p <= 1))):
        raise ValueError(f"a probability lies in [0, 1], got {float(p[~((p >= 0) & (p <= 1))][0])!r}")
    return p, y

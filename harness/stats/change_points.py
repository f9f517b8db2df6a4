"""Change points of a series of runs: where its level shifted, by permutation of the largest shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """A shift of the level between two runs."""

    at: int
    """Position, from 0, of the first run after the shift."""
    before: float
    """Mean of the segment before it."""
    after: float
    p: float
    """Of this segment's largest shift, never 0."""


def change_points(
    values: Sequence[float], *, alpha: float = 0.05, smallest: int = 3, resamples: int = 1999, seed: int = 0
) -> list[ChangePoint]:
    """Shifts of the level, oldest first, each significant at ``alpha`` within its segment.

    The largest standardised difference of means over all splits, against its distribution when the runs of the
    segment are put in a random order (Antoch and Huskova 2001, Statistics and Probability Letters 53:37-46), then the
    same within both parts (binary segmentation, Vostrikova 1981). At ``alpha`` a series without a shift is split with
    a chance of at most ``alpha``; runs must not be correlated with their neighbours for other reasons. A quiet series
    shows a shift from about ten runs on; fewer than twice ``smallest`` runs show none.

    :param smallest: fewest runs on each side, at least 1.
    :raises ValueError: for values that are not finite.
    """
    import numpy as np

    v = np.asarray(values, dtype=float)
    if not bool(np.isfinite(v).all()):
        raise ValueError("values must be finite; leave out runs that did not measure")
    if not 0.0 < alpha < 1.0 or smallest < 1 or resamples < 99:
        raise ValueError(
            f"alpha in (0, 1), smallest from 1 and resamples from 99, got {alpha!r}, {smallest!r}, {resamples!r}"
        )
    random = np.random.default_rng(seed)
    cuts: list[tuple[int, float]] = []
    open_parts = [(0, v.size)]
    while open_parts:
        start, stop = open_parts.pop()
        part = v[start:stop]
        if part.size < 2 * smallest or float(np.ptp(part)) == 0.0:
            continue
        shifts = _shifts(part[None, :], smallest)[0]
        largest = float(shifts.max())
        drawn = np.concatenate(
            [
                _shifts(random.permuted(np.tile(part, (size, 1)), axis=1), smallest).max(axis=1)
                for size in _chunks(resamples, part.size)
            ]
        )
        p = (1 + int((drawn >= largest - 1e-12).sum())) / (resamples + 1)
        if p <= alpha:
            cut = start + smallest + int(shifts.argmax())
            cuts.append((cut, p))
            open_parts += [(start, cut), (cut, stop)]
    edges = [0, *sorted(cut for cut, _ in cuts), v.size]
    p_of = dict(cuts)
    means = [float(v[a:b].mean()) for a, b in pairwise(edges) if b > a]
    return [
        ChangePoint(at=edge, before=means[i], after=means[i + 1], p=p_of[edge]) for i, edge in enumerate(edges[1:-1])
    ]


def _shifts(rows: Any, smallest: int) -> Any:
    """Standardised difference of means at every allowed split of each row; the row's own spread is the same for all."""
    import numpy as np

    n = rows.shape[1]
    sums = np.cumsum(rows - rows.mean(axis=1, keepdims=True), axis=1)[:, smallest - 1 : n - smallest]
    k = np.arange(smallest, n - smallest + 1)
    return np.abs(sums) / np.sqrt(k * (n - k) / n)


def _chunks(total: int, width: int) -> list[int]:
    step = max(1, 4_000_000 // max(1, width))
    return [min(step, total - start) for start in range(0, total, step)]

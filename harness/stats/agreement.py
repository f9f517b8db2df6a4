"""Agreement of raters (two judges, a judge and a person, several judges), beyond chance, with the raw share beside it.

Kappa and alpha are 1 for perfect agreement, 0 for what chance gives, and below 0 for less. Both are undefined, and
then None, when every rating is the same: nobody could have disagreed, so nothing was measured but the raw agreement.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.stats.estimate import Estimate, check_level
from harness.stats.rates import wilson

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Weights = Literal["none", "linear", "quadratic"]
Metric = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A chance-corrected coefficient and the raw share of agreeing pairs."""

    coefficient: Estimate
    raw: Estimate
    """Share of pairs of ratings that are equal, with its Wilson interval over items."""


def cohen_kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    *,
    weights: Weights = "none",
    order: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> Agreement:
    """Cohen's kappa of two raters over the same items.

    Cohen (1960), Educational and Psychological Measurement 20:37-46; weighted 1968, Psychological Bulletin 70:213-220.
    The interval is by the large-sample variance of Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72:323-327,
    on the scale of Fisher's z, which keeps it inside [-1, 1]; with perfect agreement, where that variance is 0, the
    lower bound is the kappa of these margins at the lower Wilson bound of the raw agreement. That alone covers 37 to
    75 % where a category is rare and kappa small, so it is widened to the intervals with one and with two items more,
    spread over all cells (after Agresti and Coull 1998, American Statistician 52:119-126): two raters of equal margins
    are then covered at least 93 % of the time from 50 items and a category of 10 % on (92 % at 5 %), and at worst 79 %
    (20 items, 5 %, kappa .8: the category is then hardly seen).

    :param weights: how much a miss counts: fully, by the distance of the categories, or by its square.
    :param order: all categories in their order, for weights; None: sorted.
    :raises ValueError: for unequal numbers of ratings, or a rating that is not in ``order``.
    """
    import numpy as np

    check_level(level)
    if len(first) != len(second):
        raise ValueError(f"both raters rate the same items, got {len(first)} and {len(second)} ratings")
    n = len(first)
    if n == 0:
        nothing = Estimate(value=None, level=level, note="nothing measured")
        return Agreement(coefficient=nothing, raw=nothing)
    numbers = _numbers([*first, *second], order)
    k = len(numbers)
    table = np.zeros((k, k))
    np.add.at(table, ([numbers[v] for v in first], [numbers[v] for v in second]), 1.0 / n)
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / max(1, k - 1)
    worth = {"none": (apart == 0).astype(float), "linear": 1 - apart, "quadratic": 1 - apart**2}[weights]
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    seen, chance = float((worth * table).sum()), float(rows @ worth @ columns)
    same = float(np.trace(table))
    raw = _raw(same, n, level)
    if chance >= 1 - 1e-12:
        note = "every rating is the same: agreement beyond chance cannot be measured"
        return Agreement(coefficient=Estimate(value=None, level=level, n=n, note=note), raw=raw)
    kappa = (seen - chance) / (1 - chance)
    low, high = _kappa_interval(table, worth, n, level)
    if seen >= 1 - 1e-12:
        assert raw.low is not None
        low, high = min(kappa, (raw.low - chance) / (1 - chance)), 1.0
    # Where a cell is empty the variance says too little of what was not seen, and above all with a rare category: the
    # interval is widened to those of the table with a quarter and a half of an item more in each cell of a two by two.
    for extra in (1.0, 2.0):
        more = (table * n + extra / k**2) / (n + extra)
        wider = _kappa_interval(more, worth, n + extra, level)
        low, high = min(low, wider[0]), max(high, wider[1])
    name = "Cohen's kappa" if weights == "none" else f"Cohen's kappa, {weights} weights"
    return Agreement(
        coefficient=Estimate(
            value=kappa,
            low=low,
            high=high,
            level=level,
            method=name,
            n=n,
            clusters=n,
            note="few items: the interval is too narrow where one rating is rare" if n < 30 else "",
        ),
        raw=raw,
    )


def krippendorff_alpha(
    ratings: Sequence[Sequence[float | str | None]],
    *,
    metric: Metric = "nominal",
    order: Sequence[Hashable] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Agreement:
    """Krippendorff's alpha of any number of raters with gaps; the interval by resampling items.

    Krippendorff (2011), Computing Krippendorff's alpha-reliability, from the coincidences of ratings within items.
    The percentile interval over items follows the way evaluations resample cases, not Krippendorff's own bootstrap of
    pairs, which treats pairs of one item as independent and is too narrow with many raters.

    :param ratings: per item, one rating per rater; None where a rater did not rate. Items with fewer than two ratings
        say nothing about agreement and are left out.
    :param metric: distance of two ratings: nominal, ordinal (ranks) or interval (squared difference of numbers).
    :param order: all categories in their order, for ordinal; None: sorted.
    """
    import numpy as np

    check_level(level)
    items = [[r for r in item if r is not None] for item in ratings]
    items = [item for item in items if len(item) > 1]
    if not items:
        nothing = Estimate(value=None, level=level, note="no item has two ratings")
        return Agreement(coefficient=nothing, raw=nothing)
    numbers = _numbers([r for item in items for r in item], order)
    k = len(numbers)
    if metric == "interval" and any(isinstance(r, str) for r in numbers):
        raise ValueError("interval ratings are numbers; use nominal or ordinal for words")
    # Per item its coincidences: each ordered pair of ratings, weighted so that an item counts as its ratings.
    parts = np.zeros((len(items), k, k))
    for index, item in enumerate(items):
        counts = np.bincount([numbers[r] for r in item], minlength=k).astype(float)
        parts[index] = (np.outer(counts, counts) - np.diag(counts)) / (len(item) - 1)
    points = np.arange(k, dtype=float)
    if metric == "interval":
        points = np.array([float(v) for v in numbers])  # type: ignore[arg-type]
    value = _alpha(parts.sum(axis=0), metric, points)
    same = float(np.trace(parts.sum(axis=0)) / parts.sum())
    raw = _raw(same, len(items), level)
    name = f"Krippendorff's alpha, {metric}"
    if value is None:
        note = "every rating is the same: agreement beyond chance cannot be measured"
        return Agreement(coefficient=Estimate(value=None, level=level, n=len(items), note=note), raw=raw)
    low, high = _resampled(parts, lambda total: _alpha(total, metric, points), level, resamples, seed)
    if low is not None and high is not None and high - low < 1e-12:
        low = high = None
    if value >= 1 - 1e-12:
        # No resample of perfect agreement is anything else; the raw agreement's bound says what may have been missed.
        expected = _chance_agreement(parts.sum(axis=0))
        assert raw.low is not None
        low, high = (raw.low - expected) / (1 - expected), 1.0
    made = Estimate(
        value=value,
        low=None if low is None else min(low, value),
        high=None if high is None else max(high, value),
        level=level,
        method=f"{name}, bootstrap over items, seed {seed}",
        n=len(items),
        clusters=len(items),
        note="few items: the interval is too narrow" if len(items) < 20 else "",
    )
    return Agreement(coefficient=made, raw=raw)


def _alpha(coincidences: npt.NDArray[np.float64], metric: Metric, points: npt.NDArray[np.float64]) -> float | None:
    import numpy as np

    totals = coincidences.sum(axis=1)
    n = float(totals.sum())
    if metric == "nominal":
        distance = 1.0 - np.eye(totals.size)
    elif metric == "interval":
        distance = np.subtract.outer(points, points) ** 2
    else:
        # Ratings between the two, with half of the ends.
        ranks = np.cumsum(totals) - totals / 2
        distance = np.subtract.outer(ranks, ranks) ** 2
    seen = float((coincidences * distance).sum()) / n
    expected = float((np.outer(totals, totals) * distance).sum()) / (n * (n - 1))
    return None if expected <= 0 else 1.0 - seen / expected


def _chance_agreement(coincidences: npt.NDArray[np.float64]) -> float:
    totals = coincidences.sum(axis=1)
    n = float(totals.sum())
    return float((totals * (totals - 1)).sum()) / (n * (n - 1))


def _resampled(
    parts: npt.NDArray[np.float64],
    figure: Callable[[npt.NDArray[np.float64]], float | None],
    level: float,
    resamples: int,
    seed: int,
) -> tuple[float | None, float | None]:
    """Percentile interval over items; resamples in which the figure is undefined are left out."""
    import numpy as np

    random = np.random.default_rng(seed)
    count, k = parts.shape[0], parts.shape[1]
    flat = parts.reshape(count, k * k)
    kinds, index = np.unique(flat, axis=0, return_inverse=True)
    weights = np.bincount(index.ravel()) / count
    drawn = random.multinomial(count, weights, size=resamples) @ kinds
    values = [value for row in drawn if (value := figure(row.reshape(k, k))) is not None]
    if len(values) < resamples / 2:
        return None, None
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _kappa_interval(
    table: npt.NDArray[np.float64], worth: npt.NDArray[np.float64], n: float, level: float
) -> tuple[float, float]:
    """Fleiss, Cohen and Everitt (1969), equation 13, with the margins' mean weights, on the scale of Fisher's z."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    seen, chance = float((worth * table).sum()), float(rows @ worth @ columns)
    kappa = (seen - chance) / (1 - chance)
    mean_row, mean_column = worth @ columns, worth.T @ rows
    inner = worth - (mean_row[:, None] + mean_column[None, :]) * (1 - kappa)
    variance = (float((table * inner**2).sum()) - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    return _fisher_interval(kappa, max(0.0, variance), level)


def _fisher_interval(value: float, variance: float, level: float) -> tuple[float, float]:
    from scipy.special import ndtri

    if abs(value) >= 1:
        return -1.0, 1.0
    half = float(ndtri(0.5 + level / 2)) * math.sqrt(variance) / (1 - value * value)
    return math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)


def _raw(same: float, n: int, level: float) -> Estimate:
    same = min(1.0, max(0.0, same))
    low, high = wilson(same * n, n, level=level)
    return Estimate(value=same, low=low, high=high, level=level, method="Wilson", n=n, clusters=n)


def _numbers(ratings: Sequence[Hashable], order: Sequence[Hashable] | None) -> dict[Hashable, int]:
    found = set(ratings)
    if order is None:
        try:
            named: list[Hashable] = sorted(found)  # type: ignore[type-var]
        except TypeError:
            named = sorted(found, key=repr)
        return {value: number for number, value in enumerate(named)}
    strange = sorted(map(repr, found - set(order)))
    if strange:
        raise ValueError(f"rating {strange[0]} is not in the order {list(order)!r}")
    return {value: number for number, value in enumerate(order)}

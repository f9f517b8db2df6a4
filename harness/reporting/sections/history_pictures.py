"""Pictures of what is watched over the history: charts of failures, levels between shifts, drift between two runs.

Beside the lines of :mod:`harness.reporting.sections.trend`; what is drawn is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.blocks import Block, Cell, Curve, Interval, Prose, Series, Table
from harness.reporting import numbers

MOST_CHARTS = 5
MOST_PER_LIMIT = 3.0
"""A chart is drawn up to three times its limit; further up nothing could be told apart below."""


@dataclass(frozen=True, kw_only=True)
class DriftRow:
    """How far one figure or kind of behaviour moved between two runs."""

    name: str
    distance: float
    threshold: float
    """What the distance is held against; it knows how many values there are."""
    moved: bool
    detail: str = ""


def charts_curve(charts: Sequence[tuple[str, Sequence[tuple[int, float]], float]], runs: int) -> Curve | None:
    """The charts of failures (CUSUM), each as a share of its own limit, so that all alarm at 1.

    :param charts: name, (number of the run from 1, sum of failures) and limit of each chart.
    :param runs: in the history; a chart begins after the runs that its usual rate comes from.
    """
    drawn = [(name, sums, limit) for name, sums, limit in charts if limit > 0 and sums]
    # Those nearest to an alarm, or beyond it, are those to look at.
    drawn.sort(key=lambda item: -max(value / item[2] for _, value in item[1]))
    if not drawn:
        return None
    series = [
        Series(name=name, points=tuple((float(at), min(value / limit, MOST_PER_LIMIT)) for at, value in sums))
        for name, sums, limit in drawn[:MOST_CHARTS]
    ]
    first = min(sums[0][0] for _, sums, _ in drawn[:MOST_CHARTS])
    series.append(Series(name="alarm", points=((float(min(first, runs - 1)), 1.0), (float(runs), 1.0))))
    more = f"; the {MOST_CHARTS} highest of {numbers.count(len(drawn))}" if len(drawn) > MOST_CHARTS else ""
    return Curve(
        series=tuple(series),
        x_label="run",
        y_label="share of the limit",
        caption=f"Charts of failures (CUSUM), as a share of the limit at which each alarms{more}",
    )


def levels_series(name: str, levels: Sequence[tuple[int, int, float]]) -> Series:
    """The level of a line between its shifts, as steps: first and last run (from 1) and the level of each stretch."""
    points = [point for first, last, level in levels for point in ((float(first), level), (float(last), level))]
    return Series(name=f"{name}: level", points=tuple(points))


def drift_blocks(rows: Sequence[DriftRow], before: str) -> list[Block]:
    """What moved against the run before, with each distance drawn beside its limit; empty without rows."""
    if not rows:
        return []
    reach = max(max(row.distance, row.threshold) for row in rows) or 1.0
    moved = [row.name for row in rows if row.moved]
    text = (
        f"Against run {before}, {', '.join(moved)} moved by more than chance does."
        if moved
        else f"Against run {before} nothing moved by more than chance does."
    )
    table = Table(
        columns=("Behaviour", "", "Distance", "", "Limit", "What moved most"),
        rows=tuple(_drift_row(row, reach) for row in rows),
        caption="Drift from the run before, first trial of each case; dashed line: the limit, which knows how many "
        "values there are. Latency, cost and tokens by Kolmogorov and Smirnov's distance, outcomes and tools by the "
        "population stability index",
        numeric=(2, 4),
    )
    return [Prose(text=text, tone="warn" if moved else ""), table]


def _drift_row(row: DriftRow, reach: float) -> tuple[Cell, ...]:
    picture = Interval(
        estimate=row.distance,
        minimum=0.0,
        maximum=1.05 * reach,
        limit=row.threshold,
        text=f"{numbers.plain(row.distance)} (limit {numbers.plain(row.threshold)})",
    )
    return (
        Cell(text=row.name),
        Cell(text="moved" if row.moved else "same", tone="warn" if row.moved else "muted"),
        Cell(text=numbers.plain(row.distance), sort=row.distance),
        Cell(text="", interval=picture),
        Cell(text=numbers.plain(row.threshold), tone="muted"),
        Cell(text=row.detail, tone="muted"),
    )

"""Reliability over trials: pass^k, the chance that k trials of a case all pass, and pass@k, that one of k does.

pass^k after tau-bench (Yao et al. 2024), pass@k after Chen et al. 2021; the scorecard has the estimates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.core.blocks import Block, Cell, Curve, SectionPage, Series, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Row, Scorecard
from harness.reporting.row_cells import measured_cell
from harness.reporting.row_places import places
from harness.reporting.row_text import estimate_text, interval_text, row_place

MOST_SERIES = 6
MOST_ROWS = 200
MOST_K = 10


class Reliability:
    """A curve over k, and its numbers."""

    id = "reliability"

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no case had more than one trial."""
        shown = [row for place in places(self._scorecard.rows) for row in place.rows]
        rows = [row for row in shown if row.kind == "pass_k" and row.k is not None]
        if max((row.k or 0 for row in rows), default=0) < 2:
            return None
        lines: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            lines.setdefault((row.metric, row_place(row)), []).append(row)
        series = [_series(metric, place, line) for (metric, place), line in lines.items()]
        drawn = tuple(one for one in series if len(one.points) > 1)[:MOST_SERIES]
        blocks: list[Block] = []
        if drawn:
            blocks.append(Curve(series=drawn, x_label="k, trials of a case", y_label="share of cases"))
        blocks.append(_table(lines))
        return SectionPage(id=self.id, title="Reliability", blocks=tuple(blocks))


def _series(metric: str, place: str, rows: Sequence[Row]) -> Series:
    known = [(row.k, row.estimate, row) for row in sorted(rows, key=lambda row: row.k or 0)]
    points = [(k, value, row) for k, value, row in known if k is not None and value is not None]
    # Bands over bands cannot be read: only pass^k, what a gate asks for, gets one.
    banded = metric == "pass^k" and all(row.low is not None and row.high is not None for _, _, row in points)
    return Series(
        name=f"{metric} {place.rpartition('::')[2]}",
        points=tuple((float(k), value) for k, value, _ in points),
        low=tuple(row.low for _, _, row in points if row.low is not None) if banded else (),
        high=tuple(row.high for _, _, row in points if row.high is not None) if banded else (),
    )


def _table(lines: Mapping[tuple[str, str], Sequence[Row]]) -> Table:
    """One row a figure and suite, one column a k."""
    ks = sorted({row.k for rows in lines.values() for row in rows if row.k is not None})[:MOST_K]

    def cell(rows: Sequence[Row], k: int) -> Cell:
        row = next((row for row in rows if row.k == k), None)
        if row is None:
            return Cell(text="")
        if row.estimate is None:
            return Cell(text=row.note or estimate_text(row), tone="muted")
        return Cell(text=f"{estimate_text(row)} {interval_text(row)}".rstrip(), sort=row.estimate)

    rows = tuple(
        (Cell(text=metric), Cell(text=place), *(cell(some, k) for k in ks), measured_cell(some[0]))
        for (metric, place), some in list(lines.items())[:MOST_ROWS]
    )
    columns = ("Figure", "Suite", *(f"k = {k}" for k in ks), "Measured")
    return Table(columns=columns, rows=rows, numeric=(len(columns) - 1,))

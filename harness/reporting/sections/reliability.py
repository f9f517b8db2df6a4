"""Reliability over trials: pass^k, the chance that k trials of a case all pass, and pass@k, that one of k does.

pass^k after tau-bench (Yao et al. 2024), pass@k after Chen et al. 2021; the scorecard has the estimates.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.blocks import Block, Cell, Curve, SectionPage, Series, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Row, Scorecard
from harness.reporting import numbers
from harness.reporting.row_places import places
from harness.reporting.row_text import estimate_text, interval_text, row_name, row_place

MOST_SERIES = 6
MOST_ROWS = 200


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
        lines: dict[str, list[Row]] = {}
        for row in rows:
            lines.setdefault(f"{row.metric} {row_place(row)}", []).append(row)
        series = [_series(name, line) for name, line in lines.items()]
        drawn = tuple(one for one in series if len(one.points) > 1)[:MOST_SERIES]
        blocks: list[Block] = []
        if drawn:
            blocks.append(Curve(series=drawn, x_label="k, trials of a case", y_label="share of cases"))
        blocks.append(
            Table(
                columns=("Figure", "Suite", "Estimate", "Interval", "Measured", "Note"),
                rows=tuple(_cells(row) for row in rows[:MOST_ROWS]),
                numeric=(2, 4),
            )
        )
        return SectionPage(id=self.id, title="Reliability", blocks=tuple(blocks))


def _series(name: str, rows: Sequence[Row]) -> Series:
    known = [(row.k, row.estimate, row) for row in sorted(rows, key=lambda row: row.k or 0)]
    points = [(k, value, row) for k, value, row in known if k is not None and value is not None]
    banded = all(row.low is not None and row.high is not None for _, _, row in points)
    return Series(
        name=name,
        points=tuple((float(k), value) for k, value, _ in points),
        low=tuple(row.low for _, _, row in points if row.low is not None) if banded else (),
        high=tuple(row.high for _, _, row in points if row.high is not None) if banded else (),
    )


def _cells(row: Row) -> tuple[Cell, ...]:
    return (
        Cell(text=row_name(row)),
        Cell(text=row_place(row)),
        Cell(text=estimate_text(row), sort=row.estimate),
        Cell(text=interval_text(row), tone="muted"),
        Cell(text=numbers.n_of(row.n, row.of), sort=row.n),
        Cell(text=row.note, tone="muted"),
    )

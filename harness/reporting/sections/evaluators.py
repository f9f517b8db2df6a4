"""Evaluators: every metric over all suites and per suite, shares drawn with their intervals, the worst first."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.blocks import Block, Cell, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Row, Scorecard
from harness.reporting.row_cells import estimate_cell, interval_cell, measured_cell
from harness.reporting.row_places import places
from harness.reporting.row_text import row_name, row_picture, row_place, share_scale

MOST_ROWS = 1_000
_ELSEWHERE = {"pass_rate", "latency_s", "cost_usd", "tokens"}


class Evaluators:
    """Shares in one table a choice of suites, other numbers in another, because they share no scale."""

    id = "evaluators"

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no evaluator has a row."""
        shown = [row for place in places(self._scorecard.rows) for row in place.rows]
        rows = [row for row in shown if row.metric not in _ELSEWHERE and row.kind != "pass_k"]
        whole, suites = [row for row in rows if not row.suite], [row for row in rows if row.suite]
        scale = share_scale([v for row in rows if row.kind == "rate" for v in (row.estimate, row.low, row.high)])
        blocks: list[Block] = []
        for title, some in (("Over all suites", whole), ("By suite, worst first" if whole else "", suites)):
            shares = [row for row in some if row.kind == "rate"]
            others = [row for row in some if row.kind != "rate"]
            if shares:
                blocks.append(_shares(title, shares, scale))
            if others:
                blocks.append(_others("" if shares else title, others))
        return SectionPage(id=self.id, title="Evaluators", blocks=tuple(blocks)) if blocks else None


def _shares(title: str, rows: Sequence[Row], scale: tuple[float, float]) -> Table:
    worst = sorted(rows, key=lambda row: (row.estimate is not None, row.estimate or 0.0))
    return Table(
        columns=("Evaluator", "Suite", "Passed", "Interval", "", "Measured", "Note"),
        rows=tuple(
            (
                Cell(text=row_name(row)),
                Cell(text=row_place(row)),
                estimate_cell(row),
                Cell(text="", interval=row_picture(row, scale)),
                interval_cell(row),
                measured_cell(row),
                Cell(text=row.note, tone="muted"),
            )
            for row in worst[:MOST_ROWS]
        ),
        caption=title,
        numeric=(2, 5),
    )


def _others(title: str, rows: Sequence[Row]) -> Table:
    return Table(
        columns=("Measurement", "Suite", "Estimate", "Interval", "Better", "Measured", "Note"),
        rows=tuple(
            (
                Cell(text=row_name(row)),
                Cell(text=row_place(row)),
                estimate_cell(row),
                interval_cell(row),
                Cell(text=row.direction, tone="muted"),
                measured_cell(row),
                Cell(text=row.note, tone="muted"),
            )
            for row in rows[:MOST_ROWS]
        ),
        caption=title,
        numeric=(2, 5),
    )

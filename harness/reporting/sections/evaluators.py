"""Evaluators: every metric per suite, shares drawn with their intervals."""

from __future__ import annotations

from harness.core.blocks import Block, Cell, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Row, Scorecard
from harness.reporting import numbers
from harness.reporting.row_text import estimate_text, interval_text, row_name, row_picture, row_place, share_scale

MOST_ROWS = 500
_ELSEWHERE = {"pass_rate", "latency_s", "cost_usd", "tokens", "judge_cost_usd"}


class Evaluators:
    """Shares in one table, other numbers in another, because they share no scale."""

    id = "evaluators"

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no evaluator has a row."""
        rows = [row for row in self._scorecard.rows if row.metric not in _ELSEWHERE and row.kind != "pass_k"]
        shares = [row for row in rows if row.kind == "rate"][:MOST_ROWS]
        others = [row for row in rows if row.kind != "rate"][:MOST_ROWS]
        blocks: list[Block] = []
        if shares:
            scale = share_scale([value for row in shares for value in (row.estimate, row.low, row.high)])
            blocks.append(
                Table(
                    columns=("Evaluator", "Suite", "Passed", "Interval", "", "Measured", "Note"),
                    rows=tuple(_share(row, scale) for row in shares),
                    numeric=(2, 5),
                )
            )
        if others:
            blocks.append(
                Table(
                    columns=("Measurement", "Suite", "Estimate", "Interval", "Better", "Measured", "Note"),
                    rows=tuple(_other(row) for row in others),
                    numeric=(2, 5),
                )
            )
        return SectionPage(id=self.id, title="Evaluators", blocks=tuple(blocks)) if blocks else None


def _measured(row: Row) -> Cell:
    return Cell(text=numbers.n_of(row.n, row.of), tone="warn" if row.n < row.of else "", sort=row.n)


def _share(row: Row, scale: tuple[float, float]) -> tuple[Cell, ...]:
    return (
        Cell(text=row_name(row)),
        Cell(text=row_place(row)),
        Cell(text=estimate_text(row), sort=row.estimate),
        Cell(text="", interval=row_picture(row, scale)),
        Cell(text=interval_text(row), tone="muted"),
        _measured(row),
        Cell(text=row.note, tone="muted"),
    )


def _other(row: Row) -> tuple[Cell, ...]:
    return (
        Cell(text=row_name(row)),
        Cell(text=row_place(row)),
        Cell(text=estimate_text(row), sort=row.estimate),
        Cell(text=interval_text(row), tone="muted"),
        Cell(text=row.direction, tone="muted"),
        _measured(row),
        Cell(text=row.note, tone="muted"),
    )

"""Cells of the scorecard's rows, the same in every table."""

from __future__ import annotations

from harness.core.blocks import Cell
from harness.core.scorecard import Row
from harness.reporting import numbers
from harness.reporting.row_text import estimate_text, interval_text


def estimate_cell(row: Row | None, *, limit: float | None = None) -> Cell:
    """The estimate, sorted by its value; what was not measured says so; empty without a row."""
    if row is None:
        return Cell(text="")
    return Cell(
        text=estimate_text(row, limit=limit), sort=row.estimate, tone="" if row.estimate is not None else "warn"
    )


def interval_cell(row: Row | None, *, limit: float | None = None) -> Cell:
    """The interval in brackets; empty without one."""
    return Cell(text="" if row is None else interval_text(row, limit=limit), tone="muted")


def measured_cell(row: Row | None) -> Cell:
    """n of N, marked where something is missing."""
    if row is None:
        return Cell(text="")
    return Cell(text=numbers.n_of(row.n, row.of), tone="warn" if row.n < row.of else "", sort=row.n)

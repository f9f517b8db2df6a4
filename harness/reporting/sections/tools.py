"""Tools: how often the agent called each, and how often the call failed or was never answered."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.blocks import Cell, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.reporting import numbers
from harness.reporting.walk import ToolTally


class Tools:
    """Counts over all trials; a repeated call counts again."""

    id = "tools"

    def __init__(self, tools: Mapping[str, ToolTally]) -> None:
        self._tools = tools

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no tool was called."""
        if not self._tools:
            return None
        ordered = sorted(self._tools.items(), key=lambda item: -item[1].calls)
        table = Table(
            columns=("Tool", "Calls", "Failed", "Not answered", "Failed share"),
            rows=tuple(_row(name, tally) for name, tally in ordered),
            numeric=(1, 2, 3, 4),
        )
        return SectionPage(id=self.id, title="Tools", blocks=(table,))


def _row(name: str, tally: ToolTally) -> tuple[Cell, ...]:
    share = tally.failed / tally.calls
    return (
        Cell(text=name or "(no name)"),
        Cell(text=numbers.count(tally.calls), sort=tally.calls),
        Cell(text=numbers.count(tally.failed), sort=tally.failed, tone="warn" if tally.failed else ""),
        Cell(text=numbers.count(tally.unanswered), sort=tally.unanswered, tone="warn" if tally.unanswered else ""),
        Cell(text=numbers.share(share), sort=share),
    )

"""Errored trials by the boundary that broke: what could not be measured, apart from what was wrong."""

from __future__ import annotations

from harness.core.blocks import Cell, Prose, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.reporting import numbers

MOST_REASONS = 50
_MEANINGS = {
    "agent": "the agent raised, or answered with something that is not a trajectory",
    "provider": "a model endpoint failed",
    "tool": "a tool failed in a way the agent could not see",
    "judge": "a judge gave no usable verdict",
    "timeout": "the trial's deadline passed",
    "budget": "the money cap would have been passed",
    "harness": "a recording is missing, or the harness itself broke",
}


class Errors:
    """Kinds with their meaning, then reasons."""

    id = "errors"

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when every trial could be judged."""
        card = self._scorecard
        if not card.errors:
            return None
        kinds = Table(
            columns=("Boundary", "Trials", "What it means"),
            rows=tuple(
                (Cell(text=kind), Cell(text=numbers.count(count), sort=count), Cell(text=_MEANINGS.get(kind, "")))
                for kind, count in sorted(card.errors.items(), key=lambda item: -item[1])
            ),
            numeric=(1,),
        )
        reasons = sorted(card.error_reasons.items(), key=lambda item: -item[1])
        table = Table(
            columns=("Reason", "Trials"),
            rows=tuple((Cell(text=text), Cell(text=numbers.count(n), sort=n)) for text, n in reasons[:MOST_REASONS]),
            numeric=(1,),
        )
        note = Prose(text="An errored trial is neither a pass nor a failure; it stays in every N.", tone="muted")
        return SectionPage(id=self.id, title="Errors", blocks=(note, kinds, table) if reasons else (note, kinds))

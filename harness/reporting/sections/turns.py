"""Turns: where the reward of the worst runs came from, turn by turn, with the credit of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.blocks import Block, Cell, Prose, SectionPage, Table, Tone
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.reporting import numbers
from harness.reporting.case_order import case_anchor
from harness.reporting.reward_notes import TurnNote
from harness.reporting.visible_text import one_line

MOST_TURNS = 40
_PARTS = ("information", "progress", "format", "safety", "total", "credit")


class Turns:
    """The runs with the lowest reward."""

    id = "turns"

    def __init__(self, worst: Sequence[TurnNote], judged: int) -> None:
        self._worst = worst
        self._judged = judged

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no run has turn credits."""
        if not self._worst:
            return None
        blocks: list[Block] = [
            Prose(
                text=f"Turn credits of {numbers.count(self._judged)} trials, the {len(self._worst)} with the lowest "
                "reward shown. Credits of a run sum to its reward; the lowest one is the first turn to look at."
            )
        ]
        blocks += [_table(note) for note in self._worst]
        return SectionPage(id=self.id, title="Turn credits", blocks=tuple(blocks))


def _table(note: TurnNote) -> Table:
    credits = [value for turn in note.turns if (value := _number(turn.get("credit"))) is not None]
    lowest = min(credits, default=None)
    more = note.turn_count - min(len(note.turns), MOST_TURNS)
    left_out = f"; {more:,} later turns are not shown" if more > 0 else ""
    suite, arm, case = note.key
    name = f"{case} [{arm}]" if arm else case
    return Table(
        columns=("Turn", "What it did", "Information", "Progress", "Format", "Safety", "Total", "Credit"),
        rows=tuple(_row(turn, lowest, case_anchor(note.key)) for turn in note.turns[:MOST_TURNS]),
        caption=f"{one_line(name)} of {suite.rpartition('::')[2]}, trial {note.trial}: "
        f"reward {numbers.plain(note.reward)}{left_out}",
        numeric=(0, 2, 3, 4, 5, 6, 7),
    )


def _row(turn: Mapping[str, Any], lowest: float | None, anchor: str) -> tuple[Cell, ...]:
    parts = []
    for name in _PARTS:
        value = _number(turn.get(name))
        tone: Tone = "bad" if name == "credit" and value is not None and value == lowest else ""
        text = "" if value is None else numbers.plain(value)
        parts.append(Cell(text=text, sort=value, tone=tone))
    index = turn.get("index")
    return (
        Cell(text=str(index) if isinstance(index, int) else "?", href=f"#{anchor}"),
        Cell(text=one_line(str(turn.get("did", "")), 160)),
        *parts,
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

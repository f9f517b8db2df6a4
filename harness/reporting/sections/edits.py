"""Edits: the least minimal changes side by side, line by line, with what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.blocks import Block, Cell, Prose, SectionPage, Table, Tone
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.reporting import numbers
from harness.reporting.case_order import case_anchor
from harness.reporting.reward_notes import EditNote
from harness.reporting.visible_text import bounded, one_line

MOST_FILES = 6
MOST_CHARS = 160
_TONES: Mapping[str, Tone] = {"-": "bad", "+": "good", "~": "warn"}


class Edits:
    """The edits with the lowest score of those whose evaluator drew them."""

    id = "edits"

    def __init__(self, worst: Sequence[EditNote], judged: int) -> None:
        self._worst = worst
        self._judged = judged

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no evaluator drew an edit."""
        if not self._worst:
            return None
        blocks: list[Block] = [
            Prose(
                text=f"Edits of {numbers.count(self._judged)} trials, the {len(self._worst)} with the lowest "
                "multiplier shown: lines before on the left, after on the right."
            )
        ]
        for note in self._worst:
            for file in note.files[:MOST_FILES]:
                if (table := _table(note, file)) is not None:
                    blocks.append(table)
        return SectionPage(id=self.id, title="Edits", blocks=tuple(blocks))


def _table(note: EditNote, file: Mapping[str, Any]) -> Table | None:
    rows = [row for row in file.get("rows") or () if isinstance(row, (list, tuple)) and len(row) == 5]
    if not rows:
        return None
    suite, arm, case = note.key
    name = f"{case} [{arm}]" if arm else case
    left_out = file.get("left_out")
    more = f"; {left_out:,} more rows are not shown" if isinstance(left_out, int) and left_out > 0 else ""
    return Table(
        columns=("Before", "", "After", ""),
        rows=tuple(_row(row, case_anchor(note.key)) for row in rows),
        caption=f"{one_line(str(file.get('path', '')))}, {one_line(name)} of {suite.rpartition('::')[2]}: "
        f"multiplier {numbers.plain(note.value)}; {one_line(note.reason)}{more}",
        numeric=(0, 2),
    )


def _row(row: Sequence[Any], anchor: str) -> tuple[Cell, ...]:
    old, left, new, right, mark = row
    tone = _TONES.get(str(mark), "")
    return (
        _number(old, anchor),
        Cell(text=_code(left), tone=tone if mark in ("-", "~") else ""),
        _number(new, anchor),
        Cell(text=_code(right), tone=tone if mark in ("+", "~") else ""),
    )


def _number(line: Any, anchor: str) -> Cell:
    return Cell(text=str(line), href=f"#{anchor}") if isinstance(line, int) else Cell(text="")


def _code(text: Any) -> str:
    # Indentation is meaning: spaces at the start that a browser does not join.
    line = bounded(str(text).expandtabs(4), MOST_CHARS)
    bare = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(bare)) + bare

"""What is wrong with the rows of a dataset, gathered first and told all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.core.errors import DatasetError

_SHOWN_IN_FULL = 200


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake in one row."""

    line: int
    """From 1; for tables the row, the heading not counted; 0: the file as a whole."""
    field: str
    """Path of the field (``expected.number``); empty: the whole row."""
    value: str
    """What stands there, bounded; empty where there is nothing to show."""
    fix: str
    """What is wrong and what to write instead."""

    def __str__(self) -> str:
        where = f"{self.field} = {self.value}" if self.field and self.value else (self.field or self.value)
        return f"{where}: {self.fix}" if where else self.fix


class BadRows(DatasetError):
    """Rows of a golden dataset cannot be used.

    :param place: the file as the user knows it.
    :param problems: every mistake, in the order of the file.
    """

    def __init__(self, place: str, problems: Sequence[Problem], rows: int) -> None:
        bad = len({problem.line for problem in problems})
        head = f"{place}: {bad} of {rows:,} rows cannot be used; nothing was run" if rows else f"{place} cannot be used"
        lines = [f"  {place}:{p.line}: {p}" if p.line else f"  {place}: {p}" for p in problems[:_SHOWN_IN_FULL]]
        if rest := problems[_SHOWN_IN_FULL:]:
            lines.append(f"  and {len(rest):,} more mistakes, in lines {line_ranges(p.line for p in rest)}")
        super().__init__("\n".join([head, *lines]))
        self.problems = tuple(problems)


def line_ranges(lines: Iterable[int]) -> str:
    """Line numbers as ``3, 5-9, 12``."""
    parts: list[list[int]] = []
    for line in sorted(set(lines)):
        if parts and line == parts[-1][1] + 1:
            parts[-1][1] = line
        else:
            parts.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def shown(value: object, limit: int = 60) -> str:
    """A value as it stands in the file, bounded."""
    import reprlib

    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = brief.maxlong = limit
    brief.maxlevel = 3
    text = brief.repr(value)
    return text if len(text) <= 2 * limit else text[: 2 * limit] + "…"

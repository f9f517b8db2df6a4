"""The picture of an edit: its lines side by side, as data that a report can draw, bounded in size."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from harness.rewards.minimal_diff.edit import Edit, Files

MAX_ROWS = 60
MAX_CHARS = 160
CONTEXT = 2


def picture(edit: Edit, *, rows: int = MAX_ROWS) -> list[dict[str, Any]]:
    """One entry per changed file: ``path``, ``rows`` of [line before, text, line after, text, mark], ``left_out`` rows.

    A mark is ``=`` (equal), ``-`` (deleted), ``+`` (inserted) or ``~`` (changed). Lines are cut at
    :data:`MAX_CHARS` characters; not more than ``rows`` rows are kept over all files.
    """
    out: list[dict[str, Any]] = []
    for path in edit.changed:
        made = list(_rows(edit.before, edit.after, path))
        out.append({"path": path, "rows": made[: max(0, rows)], "left_out": max(0, len(made) - max(0, rows))})
        rows -= len(made)
    return out


def _rows(before: Files, after: Files, path: str) -> Iterator[list[Any]]:
    old, new = before.get(path, "").splitlines(), after.get(path, "").splitlines()
    start, end = _equal_ends(old, new)
    low = max(0, start - CONTEXT)
    mine, other = old[low : len(old) - max(0, end - CONTEXT)], new[low : len(new) - max(0, end - CONTEXT)]
    if len(mine) + len(other) > 6000:  # too much for difflib, and for any reader
        mine, other = mine[: MAX_ROWS * 2], other[: MAX_ROWS * 2]
    for group in SequenceMatcher(None, mine, other, autojunk=False).get_grouped_opcodes(CONTEXT):
        for tag, a, b, c, d in group:
            for at in range(max(b - a, d - c)):
                left, right = (a + at if a + at < b else None), (c + at if c + at < d else None)
                mark = (
                    "="
                    if tag == "equal"
                    else "~"
                    if left is not None and right is not None
                    else "-"
                    if right is None
                    else "+"
                )
                yield [
                    None if left is None else low + left + 1,
                    "" if left is None else mine[left][:MAX_CHARS],
                    None if right is None else low + right + 1,
                    "" if right is None else other[right][:MAX_CHARS],
                    mark,
                ]


def _equal_ends(old: list[str], new: list[str]) -> tuple[int, int]:
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    end = next((at for at in range(shorter - start) if old[-1 - at] != new[-1 - at]), shorter - start)
    return start, end

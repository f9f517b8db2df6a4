"""Blocks as text: prose and tables for the terminal and for Markdown. Everything in them is hostile and escaped."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from harness.core.blocks import Cell, Prose, SectionPage, Table
from harness.reporting.to_markdown import escaped
from harness.reporting.to_terminal import interval_bar
from harness.reporting.visible_text import one_line

LONGEST = 48
"""Characters of a cell in the terminal; longer ones keep their end, which is what differs in node ids."""
_ASCII = str.maketrans({"●": "o", "├": "|", "┤": "|", "─": "-", "┊": ":", "·": " ", "…": ".", "→": ">"})
BAR = 15
MOST_ROWS = 60
"""Rows of a table in the terminal; the other formats have all of them."""


def terminal_text(page: SectionPage, *, width: int = 100, ascii_only: bool = False) -> str:
    """The page as plain text; tables keep their columns whole, so that a line may be wider than ``width``."""
    lines = [page.title, ""]
    for block in page.blocks:
        if isinstance(block, Prose):
            lines += textwrap.wrap(one_line(block.text, 4000), max(40, width)) or [""]
        elif isinstance(block, Table):
            lines += ["", *_plain_table(block), ""]
    kept = [line for number, line in enumerate(lines) if line or number == 0 or lines[number - 1]]
    text = "\n".join(kept).rstrip() + "\n"
    return text.translate(_ASCII) if ascii_only else text


def markdown_text(page: SectionPage) -> str:
    """The page as GitHub's Markdown."""
    lines = [f"## {escaped(page.title)}", ""]
    for block in page.blocks:
        if isinstance(block, Prose):
            mark = "> " if block.tone == "warn" else ""
            lines += [f"{mark}{escaped(block.text, 4000)}", ""]
        elif isinstance(block, Table):
            kept = _kept(block, pictures=False)
            if block.caption:
                lines += [f"**{escaped(block.caption)}**", ""]
            lines.append("| " + " | ".join(escaped(block.columns[i]) for i in kept) + " |")
            lines.append("|" + "".join(" ---: |" if i in block.numeric else " --- |" for i in kept))
            lines += ["| " + " | ".join(escaped(row[i].text) for i in kept) + " |" for row in block.rows]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _plain_table(table: Table) -> list[str]:
    kept = _kept(table, pictures=True)
    body = [[_cell(row[i]) for i in kept] for row in table.rows[:MOST_ROWS]]
    head = [table.columns[i] for i in kept]
    widths = [max(len(head[n]), *(len(line[n]) for line in body)) for n in range(len(kept))] if body else []
    lines = [one_line(table.caption, 200)] if table.caption else []
    for texts in [head, *body] if body else []:
        cells = [
            text.rjust(widths[n]) if kept[n] in table.numeric else text.ljust(widths[n]) for n, text in enumerate(texts)
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    if len(table.rows) > MOST_ROWS:
        lines.append(f"  and {len(table.rows) - MOST_ROWS} more: --format markdown, html or json")
    return lines


def _cell(cell: Cell) -> str:
    if cell.interval is not None:
        return interval_bar(cell.interval, BAR)
    text = one_line(cell.text, 400)
    return text if len(text) <= LONGEST else "…" + text[-(LONGEST - 1) :]


def _kept(table: Table, *, pictures: bool) -> Sequence[int]:
    """Columns in which some row says something."""
    return [
        column
        for column in range(len(table.columns))
        if any(row[column].text or (pictures and row[column].interval) for row in table.rows)
    ]

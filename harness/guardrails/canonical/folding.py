"""Folding: one plain letter for every way Unicode has to draw it, and nothing for what cannot be seen.

Compatibility forms (NFKD), combining marks, format and control characters, variation selectors, letters with strokes,
circled and squared letters, and look-alikes of other scripts (after Unicode TS #39, the part that resembles a to z).
One character never becomes more than :data:`LONGEST`, so folding cannot blow a text up.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import cast

from harness.guardrails.canonical.tracked import Tracked

LONGEST = 3
"""Most characters that one character may become."""

_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5")
_NAMED = re.compile(
    r"(?:LATIN|REGIONAL INDICATOR|TAG|CIRCLED|SQUARED|PARENTHESIZED)[A-Z -]*?(?:LETTER|CAPITAL|SYMBOL LETTER)"
    r"(?: SMALL CAPITAL| CAPITAL| TURNED| REVERSED| SCRIPT| OPEN| CLOSED| LONG| INSULAR)* ([A-Z])(?: |$)"
)


@cache
def lookalikes() -> dict[str, str]:
    """Every character of the table, with what it is read as."""
    text = resources.files("harness.guardrails.canonical").joinpath("lookalikes.txt").read_text(encoding="utf-8")
    table = {}
    for line in text.splitlines():
        if not line.startswith("# "):
            plain, _, others = line.partition(" ")
            table.update(dict.fromkeys(others, plain))
    return table


@lru_cache(maxsize=1 << 16)
def fold_character(character: str) -> str:
    """What one character is read as: zero to :data:`LONGEST` characters, case kept."""
    if character.isascii():
        return character if character.isprintable() or character in "\t\n\r" else ""
    look = lookalikes()
    if character in look:
        return look[character]
    if character in _BLANK:
        return ""
    if character == "\u2800" or character.isspace():
        return " "
    if unicodedata.category(character) in ("Cf", "Cc", "Mn", "Me", "Cs", "Co", "Cn"):
        return ""
    out = []
    for part in unicodedata.normalize("NFKD", character):
        if part.isascii():
            out.append(part)
        elif part in look:
            out.append(look[part])
        elif unicodedata.category(part) not in ("Mn", "Me", "Cf"):
            named = _NAMED.match(unicodedata.name(part, ""))
            out.append(named[1] if named else part)
    # Parenthesised letters are letters.
    return "".join(out).strip("()")[:LONGEST] if len(out) > 1 else "".join(out)


def fold(tracked: Tracked) -> Tracked:
    """The text with every character folded. Idempotent but for case, which is kept: codes such as base64 need it."""
    text = tracked.text
    table: dict[str, str] = {character: fold_character(character) for character in set(text)}
    if sum(map(len, table.values())) > len(table) and sum(len(table[character]) for character in text) > 2 * len(text):
        # Nobody writes with ligatures alone: this would only make a text longer.
        table = {character: new[:1] for character, new in table.items()}
    changed = {character: new for character, new in table.items() if new != character}
    if not changed:
        return tracked
    folded = text.translate(str.maketrans(cast("dict[str, str | int | None]", changed)))
    if all(len(new) == 1 for new in changed.values()):
        return tracked.renamed(folded)
    import numpy as np

    size = {character: len(new) for character, new in table.items()}
    return tracked.expanded(folded, np.fromiter(map(size.__getitem__, text), dtype=np.int64, count=len(text)))

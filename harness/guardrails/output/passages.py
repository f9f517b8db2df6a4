"""Passages: the sentences of an output with their places, in plain letters so that disguised words are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from harness.guardrails.canonical.folding import fold
from harness.guardrails.canonical.tracked import Tracked

_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
_WORD = re.compile(r"[a-z0-9$%']+")
LONGEST = 2_000
"""Characters of a passage; longer sentences are cut between words, so that no pattern runs over a whole document."""


@dataclass(frozen=True)
class Passage:
    """A sentence."""

    text: str
    """As written, without what cannot be seen; case kept."""
    start: int
    """Offset into the original text."""
    end: int

    @cached_property
    def lower(self) -> str:
        """In lower case, spaces made single."""
        return " ".join(self.text.lower().split())

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words in lower case."""
        return frozenset(_WORD.findall(self.lower))


def passages(text: str) -> list[Passage]:
    """The sentences of a text in order; linear in the text."""
    tracked = fold(Tracked(text))
    out: list[Passage] = []
    start = 0
    for match in [*_END.finditer(tracked.text), None]:
        end = len(tracked.text) if match is None else match.start()
        _add(out, tracked, start, end)
        if match is not None:
            start = match.end()
    return out


def _add(out: list[Passage], tracked: Tracked, start: int, end: int) -> None:
    while start < end:
        stop = end
        if end - start > LONGEST:
            space = tracked.text.rfind(" ", start + LONGEST // 2, start + LONGEST)
            stop = space if space > start else start + LONGEST
        piece = tracked.text[start:stop]
        lead = len(piece) - len(piece.lstrip())
        if piece.strip():
            first, last = start + lead, start + len(piece.rstrip())
            out.append(Passage(tracked.text[first:last], *tracked.cover(first, last)))
        start = stop

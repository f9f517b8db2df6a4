"""Readings: every canonical form of one text, decoding capped in depth and size.

Sizes: one pass of folding makes a character at most four; every decoding shrinks. So the readings of a text of n
characters hold at most a fixed multiple of n characters, and everything here is linear in n.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.guardrails.canonical.codes import decoded, rot13, words_turned
from harness.guardrails.canonical.escapes import unescape
from harness.guardrails.canonical.folding import fold
from harness.guardrails.canonical.hidden import hidden_texts
from harness.guardrails.canonical.letters import join_letters, part_words, read_leet
from harness.guardrails.canonical.markup import drop_apostrophes, strip_markup
from harness.guardrails.canonical.tracked import Tracked

MAX_DEPTH = 3
"""Codes inside codes are opened this often."""
_MAX_ESCAPES = 4
_MANY_GAPS = 16
"""Gaps between single letters from which on they are no initials or table cells."""
_MANY_LEET = 3


@dataclass(frozen=True)
class Reading:
    """One canonical form: lower case, plain letters."""

    name: str
    """How it was read: ``plain``, ``rendered``, ``reversed``, ``turned``, ``rot13``."""
    tracked: Tracked
    depth: int
    """How many codes were opened to get here."""
    disguised: bool
    """Whether nobody would write this reading so but to hide it: a code opened, letters apart, turned or shifted."""


@dataclass(frozen=True)
class Readings:
    """All readings of a text."""

    items: tuple[Reading, ...]
    too_deep: bool
    """Whether readable codes were left unopened at the greatest depth; no honest text nests that far."""


def readings(text: str, *, max_depth: int = MAX_DEPTH) -> Readings:
    """Every canonical form of ``text``."""
    items: list[Reading] = []
    level = [Tracked(text)]
    for depth in range(max_depth + 1):
        inner: list[Tracked] = []
        for tracked in level:
            items.extend(_read(tracked, depth, inner))
        if not inner:
            return Readings(tuple(items), False)
        level = [_joined(inner)]
    return Readings(tuple(items), True)


def _read(tracked: Tracked, depth: int, inner: list[Tracked]) -> Iterator[Reading]:
    inner.extend(hidden_texts(tracked))
    base = fold(tracked)
    for _ in range(_MAX_ESCAPES):
        spelt = unescape(base)
        if spelt is base:
            break
        inner.extend(hidden_texts(spelt))
        base = fold(spelt)
    inner.extend(decoded(base))
    plain = drop_apostrophes(_lower(base))
    stripped = drop_apostrophes(_lower(strip_markup(base)))
    joined = join_letters(stripped)
    rendered, leet = read_leet(part_words(joined))
    hidden = depth > 0
    yield Reading("plain", plain, depth, hidden)
    if rendered.text != plain.text:
        apart = len(stripped.text) - len(joined.text) >= _MANY_GAPS
        yield Reading("rendered", rendered, depth, hidden or apart or leet >= _MANY_LEET)
    yield Reading("reversed", rendered.reversed(), depth, True)
    yield Reading("turned", words_turned(rendered), depth, True)
    yield Reading("rot13", rot13(plain), depth, True)


def _lower(tracked: Tracked) -> Tracked:
    lowered = tracked.text.lower()
    if len(lowered) != len(tracked.text):
        lowered = "".join(character.lower()[:1] for character in tracked.text)
    return tracked.renamed(lowered)


def _joined(parts: list[Tracked]) -> Tracked:
    """Parts one after the other; what was cut into several codes grows together again."""
    if len(parts) == 1:
        return parts[0]
    import numpy as np

    starts, ends, texts = [], [], []
    for part in parts:
        part_starts, part_ends = part.starts, part.ends
        if part_starts is None or part_ends is None or not part.text:
            continue
        texts.append(part.text + "\n")
        starts += [part_starts, part_starts[-1:]]
        ends += [part_ends, part_ends[-1:]]
    return Tracked("".join(texts), np.concatenate(starts), np.concatenate(ends))

"""Order: how much of an answer stands in its source in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from operator import contains

EXACT_UP_TO = 1 << 22
"""Pairs of words up to which the longest common subsequence is found; beyond it neighbours decide, in linear time."""
_NEAR = 5
_BEFORE = 3


class Order:
    """A source, ready to have answers compared with it."""

    def __init__(self, source: Sequence[str]) -> None:
        self._source = source
        self._before: dict[str, set[str]] | None = None

    def shared(self, answer: Sequence[str]) -> float:
        """Share of the answer's words in its longest common subsequence with the source; 0 for an empty answer.

        Long texts (:data:`EXACT_UP_TO`): the share that :meth:`neighbours` gives.
        """
        if not answer or not self._source:
            return 0.0
        if len(answer) * len(self._source) > EXACT_UP_TO:
            return self.neighbours(answer)
        return _longest_common(answer, self._source) / len(answer)

    def neighbours(self, answer: Sequence[str]) -> float:
        """Share of the answer's words with one of the three words around it within five words of it in the source."""
        if not answer:
            return 0.0
        if self._before is None:
            self._before = _words_before(self._source)
        get, nothing = self._before.get, frozenset[str]()
        near = [get(word, nothing) for word in answer]
        # One byte per word, as one number: thousands of words are then compared and shifted in one operation.
        held = 0
        for gap in range(1, _BEFORE + 1):
            pairs = int.from_bytes(bytes(map(contains, near[gap:], answer)), "little")
            held |= pairs | pairs << 8 * gap
        return held.bit_count() / len(answer)


def _words_before(source: Sequence[str]) -> dict[str, set[str]]:
    """For every word the words that stand at most five before it."""
    out: dict[str, set[str]] = {}
    for index, word in enumerate(source):
        before = source[max(0, index - _NEAR) : index]
        if word in out:
            out[word].update(before)
        else:
            out[word] = set(before)
    return out


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence, bit-parallel (Hyyro 2004)."""
    wanted = set(one)
    bits: dict[str, bytearray] = {}
    size = len(other) // 8 + 1
    for index, word in enumerate(other):
        if word in wanted:
            bits.setdefault(word, bytearray(size))[index >> 3] |= 1 << (index & 7)
    places = {word: int.from_bytes(found, "little") for word, found in bits.items()}
    full = (1 << len(other)) - 1
    row = full
    for word in one:
        if found := places.get(word):
            matched = row & found
            # Carries beyond the last word are cut at the end: nothing below ever sees them.
            row = (row + matched) | (row - matched)
    return len(other) - (row & full).bit_count()

"""Order: how much of an answer stands in its source in the same order."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

EXACT_UP_TO = 1 << 22
"""Pairs of words up to which the longest common subsequence is found; beyond it neighbours decide, in linear time."""
_NEAR = 5
_BEFORE = 3


class Order:
    """A source, ready to have answers compared with it."""

    def __init__(self, source: Sequence[str]) -> None:
        self._source = source
        self._known = frozenset(source)
        self._pairs: set[tuple[str, str]] | None = None

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
        if self._pairs is None:
            self._pairs = set()
            last: deque[str] = deque(maxlen=_NEAR)
            for word in self._source:
                self._pairs.update((before, word) for before in last)
                last.append(word)
        held = [False] * len(answer)
        for index, word in enumerate(answer):
            if word not in self._known:
                continue
            for before in range(max(0, index - _BEFORE), index):
                if (answer[before], word) in self._pairs:
                    held[before] = held[index] = True
        return sum(held) / len(answer)


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
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(other) - row.bit_count()

"""Vocabulary: the words that leet and run-together letters are read with, most frequent first.

The list is written by ``benchmarks/train_injection.py`` from the project's own training text, nothing else.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import resources

_UNKNOWN = 12.0
"""Cost of a letter that belongs to no known word; more than any word's own cost."""


class Vocabulary:
    """Known words with a cost each, the logarithm of their rank, and every beginning of one."""

    def __init__(self, words: list[str]) -> None:
        self.costs = {word: 1.0 + math.log(rank + 2) for rank, word in reversed(list(enumerate(words)))}
        self.beginnings = {word[:size] for word in self.costs for size in range(1, len(word) + 1)}

    def __contains__(self, word: object) -> bool:
        return word in self.costs

    def split(self, letters: str) -> list[str]:
        """The cheapest way to read letters as words; unknown stretches stay in one piece. Linear in the letters."""
        size = len(letters)
        best = [0.0] + [math.inf] * size
        came = [0] * (size + 1)
        for start in range(size):
            cost = best[start] + _UNKNOWN
            if cost < best[start + 1]:
                best[start + 1], came[start + 1] = cost, start
            end = start + 1
            while end <= size and letters[start:end] in self.beginnings:
                known = self.costs.get(letters[start:end])
                if known is not None and best[start] + known < best[end]:
                    best[end], came[end] = best[start] + known, start
                end += 1
        words: list[str] = []
        unknown: list[str] = []
        end = size
        while end > 0:
            piece = letters[came[end] : end]
            if piece in self.costs:
                if unknown:
                    words.append("".join(reversed(unknown)))
                    unknown = []
                words.append(piece)
            else:
                unknown.append(piece)
            end = came[end]
        if unknown:
            words.append("".join(reversed(unknown)))
        return words[::-1]


@cache
def vocabulary() -> Vocabulary:
    """The shipped list, read once."""
    text = resources.files("harness.guardrails").joinpath("models/words.txt").read_text(encoding="utf-8")
    return Vocabulary(text.split())

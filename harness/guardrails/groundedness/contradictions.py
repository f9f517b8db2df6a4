"""Contradictions: a sentence that follows its source closely but changes a number, a name, or yes into no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from harness.guardrails.groundedness.words import Sentence, stem

_NEGATIONS = frozenset(
    [
        "not",
        "no",
        "never",
        "none",
        "nobody",
        "nothing",
        "neither",
        "nor",
        "cannot",
        "without",
        "hardly",
        "unable",
        "refuse",
        "refuses",
        "refused",
        "fail",
        "fails",
        "failed",
        "deny",
        "denies",
        "denied",
    ]
)
_CLOSE = 0.6
"""Share of a sentence's content that the source sentence must hold before the two are compared."""
_VERY_CLOSE = 0.75
"""The same before a negation counts."""
_POSTINGS = 64
"""Source sentences looked at per word; words in more of them tell nothing, and time stays linear."""


class SourceIndex:
    """The sentences of a source by the words they hold; each part is made when it is first asked for."""

    def __init__(self, source: Sequence[Sentence]) -> None:
        self.source = source
        spoken = set().union(*(sentence.words for sentence in source))
        self.words = frozenset(word.split("'")[0] for word in spoken)
        self._by_word: dict[str, list[int]] | None = None
        self._numbers: frozenset[str] | None = None
        self._denies: bool | None = None

    @property
    def by_word(self) -> dict[str, list[int]]:
        """By content word the first sentences that hold it."""
        if self._by_word is None:
            self._by_word = {}
            for index, sentence in enumerate(self.source):
                for word in set(sentence.content):
                    postings = self._by_word.setdefault(word, [])
                    if len(postings) < _POSTINGS:
                        postings.append(index)
        return self._by_word

    @property
    def numbers(self) -> frozenset[str]:
        """Every number of the source."""
        if self._numbers is None:
            self._numbers = frozenset(number for sentence in self.source for number in sentence.numbers)
        return self._numbers

    @property
    def denies(self) -> bool:
        """Whether any of its sentences is negated."""
        if self._denies is None:
            self._denies = any(map(negated, self.source))
        return self._denies

    def closest(self, sentence: Sentence, names: frozenset[str], at_least: float) -> tuple[Sentence | None, float]:
        """The source sentence that holds most of a sentence's content, and which share of it; None below a share.

        :param names: the sentence's own.
        """
        # A changed name or number must not make the sentence look like another one.
        strange = {stem(name) for name in names if name not in self.words}
        content = {word for word in sentence.content if not word.isdigit() and word not in strange}
        if len(content) < 2:
            return None, 0.0
        found = list(filter(None, map(self.by_word.get, content)))
        if len(found) / len(content) < at_least:
            return None, 0.0
        counts: dict[int, int] = Counter(chain.from_iterable(found))
        held = max(counts.values())
        return self.source[min(index for index, count in counts.items() if count == held)], held / len(content)


def negated(sentence: Sentence) -> bool:
    """Whether an odd number of its words deny."""
    # A "no" that opens an answer belongs to the question before it.
    words = sentence.words[1:] if sentence.words[:1] == ["no"] else sentence.words
    if _NEGATIONS.isdisjoint(words) and "n't" not in " ".join(words):
        return False
    return sum(word in _NEGATIONS or word.endswith("n't") for word in words) % 2 == 1


def contradiction(sentence: Sentence, index: SourceIndex) -> str:
    """What the sentence changes: ``number``, ``name``, ``negation``; empty for nothing."""
    numbers, names, denies = sentence.numbers, sentence.names, negated(sentence)
    strange_number = bool(numbers) and not numbers <= index.numbers
    strange_name = not names <= index.words
    # Finding the closest sentence is slow, and most sentences have nothing to compare.
    if not (strange_number or strange_name or denies or index.denies):
        return ""
    nearest, share = index.closest(sentence, names, _CLOSE if strange_number or strange_name else _VERY_CLOSE)
    if nearest is None or share < _CLOSE:
        return ""
    if strange_number and nearest.numbers:
        return "number"
    if strange_name and nearest.names:
        return "name"
    if share >= _VERY_CLOSE and denies != negated(nearest) and not sentence.text.rstrip().endswith("?"):
        # A long source sentence may deny something else than what the answer took from it.
        said = set(sentence.content)
        held = sum(word in said for word in set(nearest.content)) / len(set(nearest.content))
        return "negation" if held >= _CLOSE else ""
    return ""

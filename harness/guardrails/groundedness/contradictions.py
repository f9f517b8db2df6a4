"""Contradictions: a sentence that follows its source closely but changes a number, a name, or yes into no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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
_POSTINGS = 64
"""Source sentences looked at per word; words in more of them tell nothing, and time stays linear."""


class SourceIndex:
    """The sentences of a source by the words they hold."""

    def __init__(self, source: Sequence[Sentence]) -> None:
        self.source = source
        self.by_word: dict[str, list[int]] = {}
        for index, sentence in enumerate(source):
            for word in set(sentence.content):
                postings = self.by_word.setdefault(word, [])
                if len(postings) < _POSTINGS:
                    postings.append(index)
        self.numbers = frozenset(number for sentence in source for number in sentence.numbers)
        self.words = frozenset(word.split("'")[0] for sentence in source for word in sentence.words)

    def closest(self, sentence: Sentence) -> tuple[Sentence | None, float]:
        """The source sentence that holds most of a sentence's content, and which share of it."""
        # A changed name or number must not make the sentence look like another one.
        strange = {stem(name) for name in sentence.names if name not in self.words}
        content = {word for word in sentence.content if not word.isdigit() and word not in strange}
        if len(content) < 2:
            return None, 0.0
        counts: Counter[int] = Counter()
        for word in content:
            counts.update(self.by_word.get(word, ()))
        if not counts:
            return None, 0.0
        index, held = min(counts.items(), key=lambda item: (-item[1], item[0]))
        return self.source[index], held / len(content)


def negated(sentence: Sentence) -> bool:
    """Whether an odd number of its words deny."""
    # A "no" that opens an answer belongs to the question before it.
    words = sentence.words[1:] if sentence.words[:1] == ["no"] else sentence.words
    return sum(word in _NEGATIONS or word.endswith("n't") for word in words) % 2 == 1


def contradiction(sentence: Sentence, index: SourceIndex) -> str:
    """What the sentence changes: ``number``, ``name``, ``negation``; empty for nothing."""
    nearest, share = index.closest(sentence)
    if nearest is None or share < _CLOSE:
        return ""
    if nearest.numbers and sentence.numbers - index.numbers:
        return "number"
    if nearest.names and any(name not in index.words for name in sentence.names):
        return "name"
    if share >= 0.75 and negated(sentence) != negated(nearest) and not sentence.text.rstrip().endswith("?"):
        # A long source sentence may deny something else than what the answer took from it.
        said = set(sentence.content)
        held = sum(word in said for word in set(nearest.content)) / len(set(nearest.content))
        return "negation" if held >= _CLOSE else ""
    return ""

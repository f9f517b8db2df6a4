"""Offline rules for what needs no model: each says what it counts, and refuses where it would only guess.

- *supported* (faithfulness, context recall): a sentence is supported when at least .7 of its content words stand in the
  texts, and each of its numbers in a sentence there that shares another content word with it. It sees no synonyms, so
  it is a lower bound for honest paraphrase, and does not see a denial that was turned round.
- *average precision* (context precision): over the ranks of texts that a person marked as relevant.
- *facts said* (completeness): over facts that a person listed, each with its accepted wordings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

ENOUGH = 0.7
"""Share of a sentence's content words that a text must hold to support it."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"\w+(?:[.,:]\d+)*")
_DULL_WORDS = """
a an and are as at be been but by can do does for from had has have he her his i if in into is it its may no not of on
or our she so than that the their them then there they this to up was we were what when where which who will with
would you your
"""
_DULL = frozenset(_DULL_WORDS.split())


def sentences(text: str) -> list[str]:
    """The sentences of a text that hold a content word or a number."""
    return [part.strip() for part in _SENTENCE.split(text) if content(part)]


def content(text: str) -> set[str]:
    """Content words and numbers, in lower case, without the endings of English plurals and tenses."""
    found = {word for word in _WORD.findall(text.lower()) if word not in _DULL}
    return {word if word[0].isdigit() or len(word) < 5 else re.sub(r"(?:ies|es|s|ed|ing)$", "", word) for word in found}


def supported(text: str, sources: Sequence[str]) -> tuple[list[str], list[str]]:
    """The sentences of a text that the sources support, and the others."""
    said = [content(sentence) for source in sources for sentence in sentences(source)]
    known = set().union(*said)
    yes: list[str] = []
    no: list[str] = []
    for sentence in sentences(text):
        words = content(sentence)
        numbers = {word for word in words if word[0].isdigit()}
        about = words - numbers
        invented = not all(any(n in one and (not about or about & one) for one in said) for n in numbers)
        (no if invented or len(words & known) < ENOUGH * len(words) else yes).append(sentence)
    return yes, no


def average_precision(relevant: Sequence[bool]) -> float | None:
    """Mean of the precision at each relevant rank; None when no rank is relevant, which leaves nothing to average."""
    hits, total = 0, 0.0
    for rank, is_relevant in enumerate(relevant, start=1):
        if is_relevant:
            hits += 1
            total += hits / rank
    return total / hits if hits else None


def facts_said(answer: str, facts: Any) -> tuple[list[str], list[str]] | None:
    """The listed facts that an answer says, and the others; None when there is no list.

    :param facts: a list; each fact a text, or a list of accepted wordings, found without regard to case and spacing.
    """
    if not isinstance(facts, (list, tuple)) or not facts:
        return None
    said = " ".join(answer.lower().split())
    yes: list[str] = []
    no: list[str] = []
    for fact in facts:
        wordings = [fact] if isinstance(fact, str) else [word for word in fact if isinstance(word, str)]
        if not wordings:
            return None
        found = any(re.search(rf"(?<!\w){re.escape(' '.join(w.lower().split()))}(?!\w)", said) for w in wordings)
        (yes if found else no).append(wordings[0])
    return yes, no

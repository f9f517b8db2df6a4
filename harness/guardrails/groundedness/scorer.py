"""The offline scorer: how far an answer says only what its source says, from 0 to 1.

The score is the mean of three shares, all over stems, plus a constant, less penalties, cut to [0, 1]:

- words: share of all words of the answer that occur in the source;
- content: the same over words with content;
- order: share of the words that stand in the source in the same order;
- penalties: 0.3 for a question, 0.1 for each first-person word that the source does not use and for each hedge
  ("I think", "maybe"), 0.02 for each content word that the source lacks.

A contradicted number, name or negation caps the score at :data:`CONTRADICTED`. The constants are round; on BEGIN
(Dziri et al. 2022) constants picked by a grid search on any two of its three files do as well on the third (see
``benchmarks/injection/grounded.py``). What it cannot do: follow paraphrase without common words, or inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.guardrails.groundedness.contradictions import SourceIndex, contradiction
from harness.guardrails.groundedness.order import Order
from harness.guardrails.groundedness.words import Sentence, sentences

OFFSET = 0.1
QUESTION = 0.3
FIRST_PERSON = 0.1
HEDGE = 0.1
MISSING = 0.02
CONTRADICTED = 0.3
"""The most that an answer with a contradiction can score."""
_FIRST = frozenset(("i", "my", "me", "we", "our"))
_HEDGES = frozenset(
    [
        "think",
        "guess",
        "maybe",
        "bet",
        "sure",
        "believe",
        "probably",
        "love",
        "like",
        "feel",
        "hope",
        "wonder",
        "wow",
        "heard",
        "perhaps",
        "suppose",
    ]
)
_OPINION = _FIRST | _HEDGES


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One sentence of an answer, judged."""

    start: int
    """Offset into the answer."""
    end: int
    score: float
    """In [0, 1], by the same formula."""
    contradicts: str
    """``number``, ``name``, ``negation`` or empty."""


@dataclass(frozen=True, kw_only=True)
class Groundedness:
    """How grounded an answer is."""

    score: float | None
    """In [0, 1]; None when there is nothing to judge: no source, or an answer without words."""
    claims: tuple[Claim, ...] = ()


def groundedness(answer: str, context: str | Sequence[str]) -> Groundedness:
    """Judge an answer against what was retrieved. Deterministic, linear in both texts."""
    passages = [context] if isinstance(context, str) else list(context)
    source = [sentence for passage in passages for sentence in sentences(passage)]
    said = sentences(answer)
    if not source or not said:
        return Groundedness(score=None)
    index = SourceIndex(source)
    stems = [stem for sentence in source for stem in sentence.stems]
    known = frozenset(stems)
    order = Order(stems)
    claims = []
    total = _Counts()
    for sentence in said:
        counts = _counted(sentence, known, index.words)
        total.add(counts)
        claims.append(
            Claim(
                start=sentence.start,
                end=sentence.end,
                score=_score(counts, order.neighbours(sentence.stems)),
                contradicts=contradiction(sentence, index),
            )
        )
    score = _score(total, order.shared([stem for sentence in said for stem in sentence.stems]))
    if any(claim.contradicts for claim in claims):
        score = min(score, CONTRADICTED)
    return Groundedness(score=score, claims=tuple(claims))


@dataclass(slots=True)
class _Counts:
    """What a score is made of; that of a text is the sum over its sentences."""

    stems: int = 0
    found: int = 0
    content: int = 0
    lacking: int = 0
    first_person: int = 0
    hedges: int = 0
    asks: bool = False

    def add(self, other: _Counts) -> None:
        self.stems += other.stems
        self.found += other.found
        self.content += other.content
        self.lacking += other.lacking
        self.first_person += other.first_person
        self.hedges += other.hedges
        self.asks |= other.asks


def _counted(sentence: Sentence, known: frozenset[str], words: frozenset[str]) -> _Counts:
    counts = _Counts(
        stems=len(sentence.stems),
        found=sum(map(known.__contains__, sentence.stems)),
        content=len(sentence.content),
        asks="?" in sentence.text,
    )
    if counts.found < counts.stems:
        counts.lacking = counts.content - sum(map(known.__contains__, sentence.content))
    # Words with an apostrophe are cut at it, so "I'm" speaks in the first person too.
    spoken = [word.split("'")[0] for word in sentence.words] if "'" in "".join(sentence.words) else sentence.words
    if not _OPINION.isdisjoint(spoken):
        strange = [word for word in spoken if word in _OPINION and word not in words]
        counts.first_person = sum(map(_FIRST.__contains__, strange))
        counts.hedges = len(strange) - counts.first_person
    return counts


def _score(counts: _Counts, in_order: float) -> float:
    found = counts.found / counts.stems
    held = 1 - counts.lacking / counts.content if counts.content else 0.0
    score = OFFSET + (found + held + in_order) / 3
    score -= QUESTION * counts.asks
    score -= FIRST_PERSON * counts.first_person
    score -= HEDGE * counts.hedges
    score -= MISSING * counts.lacking
    return min(1.0, max(0.0, score))

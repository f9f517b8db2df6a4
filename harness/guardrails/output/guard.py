"""The guard: every sentence of an output through every check, and one action for what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.output.advice import advice
from harness.guardrails.output.passages import Passage, passages
from harness.guardrails.output.topics import TOPICS, phrase_pattern, tone

Act = Literal["redact", "escalate", "block"]
_STRENGTH: Mapping[str, int] = {"redact": 0, "escalate": 1, "block": 2}
_DEFAULT: Mapping[str, Act] = {
    "financial_advice": "escalate",
    "medical_advice": "escalate",
    "competitor": "redact",
    "topic": "redact",
    "tone": "block",
}


class OutputGuard:
    """Flags outputs that advise on money or health, name a competitor, touch a topic, or insult.

    :param advice: which advice to look for: ``financial``, ``medical``.
    :param competitors: names that must not be said, in any capitals; a name that is also a common word ("Apple") goes
        into ``cased_competitors`` and is found only as written there.
    :param topics: names of :data:`TOPICS`, or a mapping of own topics to words and phrases.
    :param tone: whether to look for insults, profanity and shouting.
    :param actions: what to do per kind (``financial_advice``, ``medical_advice``, ``competitor``, ``topic``, ``tone``):
        ``redact`` puts ``notice`` in place of the sentence, ``escalate`` hands the output to a person, ``block`` stops
        it. The strongest action among the findings is taken.
    :param notice: what stands for a removed sentence; must itself pass.
    :raises UsageError: for an unknown kind, topic or action.
    """

    version = "1"

    def __init__(
        self,
        *,
        advice: Sequence[str] = ("financial", "medical"),
        competitors: Sequence[str] = (),
        cased_competitors: Sequence[str] = (),
        topics: Sequence[str] | Mapping[str, Sequence[str]] = (),
        tone: bool = True,
        actions: Mapping[str, Act] | None = None,
        notice: str = "[removed]",
        name: str = "output",
    ) -> None:
        self.name = name
        self.advice = frozenset(f"{kind}_advice" for kind in advice)
        if unknown := sorted(self.advice - set(_DEFAULT)):
            raise UsageError(f"unknown advice {unknown[0].removesuffix('_advice')!r}; known: financial, medical")
        self.actions = {**_DEFAULT, **(actions or {})}
        for kind, act in self.actions.items():
            if kind not in _DEFAULT or act not in get_args(Act):
                raise UsageError(
                    f"actions[{kind!r}]={act!r} is not possible; kinds: {', '.join(_DEFAULT)}; "
                    f"actions: {', '.join(_STRENGTH)}"
                )
        self.tone = tone
        self.notice = notice
        self._patterns = [("competitor", phrase_pattern(_names("competitors", competitors)))] if competitors else []
        if cased_competitors:
            names = _names("cased_competitors", cased_competitors)
            self._patterns.append(("competitor", phrase_pattern(names, cased=True)))
        for topic, words in _topics(topics).items():
            self._patterns.append((f"topic:{topic}", phrase_pattern(_names(f"topics[{topic!r}]", words))))
        if any(self._look(passage) for passage in passages(notice)):
            raise UsageError("notice would be flagged by this guard itself; choose other words")

    def __repr__(self) -> str:
        return f"OutputGuard(advice={sorted(self.advice)}, patterns={len(self._patterns)}, tone={self.tone})"

    def check(self, event: Event) -> Decision:
        """Judge one event; only outputs are looked at."""
        if event.kind != "output":
            return Decision(action="allow", guard=self.name)
        found = [(passage, kind) for passage in passages(event.text) for kind in self._look(passage)]
        if not found:
            return Decision(action="allow", guard=self.name)
        findings = tuple(Finding(category=kind, start=passage.start, end=passage.end) for passage, kind in found)
        action = max((self.actions[_family(kind)] for _, kind in found), key=_STRENGTH.__getitem__)
        reason = "found: " + ", ".join(sorted({kind for _, kind in found}))
        text = None
        if action == "redact":
            text = self._redacted(event.text, [passage for passage, _ in found])
        return Decision(action=action, guard=self.name, reason=reason, findings=findings, text=text)

    def _look(self, passage: Passage) -> list[str]:
        kinds = []
        if self.advice and (kind := advice(passage)) in self.advice:
            kinds.append(kind)
        for kind, pattern in self._patterns:
            if pattern.search(passage.text):
                kinds.append(kind)
        if self.tone and (kind := tone(passage)):
            kinds.append(f"tone:{kind}")
        return kinds

    def _redacted(self, text: str, bad: list[Passage]) -> str:
        pieces: list[str] = []
        at = 0
        for start, end in sorted({(passage.start, passage.end) for passage in bad}):
            pieces += (text[at:start], self.notice)
            at = end
        return "".join([*pieces, text[at:]])


def _family(kind: str) -> str:
    return kind.partition(":")[0]


def _names(where: str, names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not all(any(map(str.isalnum, name)) for name in names):
        raise UsageError(f"{where} must be a list of names with at least one letter each, got {names!r}")
    return tuple(names)


def _topics(topics: Sequence[str] | Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    if isinstance(topics, Mapping):
        return topics
    for topic in topics:
        if topic not in TOPICS:
            raise UsageError(
                f"unknown topic {topic!r}; known: {', '.join(TOPICS)}; or give a mapping with your own words"
            )
    return {topic: TOPICS[topic] for topic in topics}

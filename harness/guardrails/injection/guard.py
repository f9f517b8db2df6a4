"""The guard: every reading of a text through the rules and the linear model, the strongest suspicion decides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.canonical import Readings, readings
from harness.guardrails.injection.features import characters
from harness.guardrails.injection.linear_model import Head, LinearModel, load, raised
from harness.guardrails.injection.rules import rule_matches

RULE_SCORE = 0.95
"""Score of a text in which a rule matches."""
DISGUISE_MARGIN = 0.5
"""Added to the margin of a reading that somebody had to hide: hiding a request is itself evidence."""
NESTED_SCORE = 0.99
"""Score of a text with readable codes nested deeper than any honest one."""
_STRUCTURED = re.compile(r"\s*\"?[\[{].*[\]}]\"?\s*", re.DOTALL)


@dataclass(frozen=True)
class Suspicion:
    """How much a text looks like an attack, and where."""

    score: float
    """In [0, 1]."""
    category: str
    """``injection`` by the model, else the rule's category."""
    start: int
    end: int


class InjectionGuard:
    """Detects prompt injections and jailbreaks in anything that reaches a model.

    What a user says (``input``) and what an agent is about to do (``tool_call``) is judged by the head for prompts;
    what an agent reads (``tool_result``) and what others will read (``output``) by the head for data, where a request
    to the assistant is itself the anomaly. An input that is nothing but JSON is judged by both. Pure and thread-safe;
    numpy does the work.

    What it cannot do: find an attack without any marker ("What is the capital of Brazil?" inside a mail). Bound what
    the agent may do with the task scope guard; a static test set is an upper bound of what a guard catches.

    :param threshold: scores at or above it are detections. The default is the one global threshold of the data card.
    :param action: what a detection does.
    :param unseen: judge with weights that never saw this source of attacks, to measure on it.
    :param max_chars: longer texts are blocked as a fault: they cannot be judged in time.
    :param categories: whether findings name the kind of attack; they are for the log, never for the user.
    :raises UsageError: for a value out of range.
    """

    version = "1"

    def __init__(
        self,
        *,
        threshold: float = 0.5,
        action: Literal["block", "escalate"] = "block",
        unseen: str = "",
        max_chars: int = 4_000_000,
        model: LinearModel | None = None,
        name: str = "injection",
    ) -> None:
        if not 0 < threshold <= 1:
            raise UsageError(f"threshold must lie in (0, 1], got {threshold!r}")
        if action not in ("block", "escalate"):
            raise UsageError(f"action must be block or escalate, got {action!r}; an attack cannot be redacted safely")
        if max_chars < 1:
            raise UsageError(f"max_chars must be at least 1, got {max_chars!r}")
        self.name = name
        self.threshold = threshold
        self.action = action
        self.unseen = unseen
        self.max_chars = max_chars
        self._model = model or load(unseen)

    def __repr__(self) -> str:
        return f"InjectionGuard(threshold={self.threshold}, action={self.action!r}, unseen={self.unseen!r})"

    def check(self, event: Event) -> Decision:
        """Judge one event of any kind."""
        if len(event.text) > self.max_chars:
            fault = f"text longer than {self.max_chars} characters"
            return Decision(action="block", guard=self.name, reason="the guard could not decide", fault=fault)
        found = self.suspicion(event)
        reason = f"score {found.score:.3f}, detected from {self.threshold:.3f}"
        if found.score < self.threshold:
            return Decision(action="allow", guard=self.name, reason=reason)
        finding = Finding(category=found.category, confidence=found.score, start=found.start, end=found.end)
        return Decision(action=self.action, guard=self.name, reason=reason, findings=(finding,))

    def score(self, event: Event) -> float:
        """The suspicion in [0, 1], for curves."""
        return self.suspicion(event).score

    def suspicion(self, event: Event) -> Suspicion:
        """The strongest suspicion over all readings; what leads ends a text never lowers it."""
        if not event.text.strip():
            return Suspicion(0.0, "injection", 0, len(event.text))
        found = readings(event.text)
        best = Suspicion(0.0, "injection", 0, len(event.text))
        if found.too_deep:
            best = Suspicion(NESTED_SCORE, "nested_codes", 0, len(event.text))
        for head in _heads(event):
            best = max(best, self._by_model(found, head), key=lambda suspicion: suspicion.score)
        if best.score < RULE_SCORE:
            best = max(best, _by_rules(found), key=lambda suspicion: suspicion.score)
        return best

    def _by_model(self, found: Readings, head: Head) -> Suspicion:
        texts = [reading.tracked.text for reading in found.items]
        judged = self._model.stretches(texts, head)
        best = Suspicion(-1.0, "injection", 0, 0)
        for reading, (plain_score, stretch) in zip(found.items, judged, strict=True):
            score = raised(plain_score, DISGUISE_MARGIN) if reading.disguised else plain_score
            if score > best.score:
                start, end = characters(reading.tracked.text, stretch.first, stretch.end)
                span = reading.tracked.cover(start, end) if start < end else (0, 0)
                best = Suspicion(score, "injection", *span)
        return best


def _by_rules(found: Readings) -> Suspicion:
    for reading in found.items:
        for category, start, end in rule_matches(reading.tracked.text):
            return Suspicion(RULE_SCORE, category, *reading.tracked.cover(start, end))
    return Suspicion(0.0, "injection", 0, 0)


def _heads(event: Event) -> tuple[Head, ...]:
    if event.kind in ("tool_result", "output"):
        return ("data",)
    if event.kind == "input" and _STRUCTURED.fullmatch(event.text):
        return ("prompt", "data")
    return ("prompt",)

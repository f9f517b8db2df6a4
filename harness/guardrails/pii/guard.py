"""PiiGuard: finds personal data by its shape and takes it out; names and postal addresses need a model (Presidio).

The words:

- *found*: confidence is at least ``threshold``. A lower threshold finds what a higher one does, and more; one more
  pattern or category finds what fewer do, and more.
- *place*: of the text as it came, whatever was undone to find it (:mod:`harness.guardrails.spans.view`).
- *text*: ``event.text``; for a tool call without text its arguments as JSON, and places are those of this JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import get_args

from harness.core.decision import Action, Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.pii.custom import CustomPatterns, PatternTimeout
from harness.guardrails.pii.finding import CATEGORIES, find, whole_values
from harness.guardrails.pii.finding import judged_whole as _judged_whole
from harness.guardrails.pii.vault import Vault
from harness.guardrails.spans import Span, as_findings, counted, join, placeholder, redact, without
from harness.guardrails.spans.json_text import Piece, is_json, redact_json
from harness.guardrails.spans.stream import RedactionStream
from harness.guardrails.spans.view import HOLE, View


@dataclass(frozen=True, kw_only=True)
class PiiGuard:
    """Redacts (or blocks) personal data. Thread-safe; fails closed.

    >>> PiiGuard().redact("Write to jane@example.com")
    'Write to [redacted:email]'
    """

    categories: tuple[str, ...] = CATEGORIES
    """What to look for, of ``ssn``, ``credit_card``, ``email``, ``ipv4``, ``ipv6``, ``iban``, ``phone``."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """More categories, each with a regular expression of its own, matched line by line with confidence 1."""
    threshold: float = 0.5
    """In [0, 1]: what is less sure than this is let through."""
    action: Action = "redact"
    """What to answer when something is found: redact, block or escalate."""
    vault: Vault | None = None
    """Put tokens in the place of values, and keep the values here; None: placeholders, and no way back."""
    pattern_timeout_s: float = 0.5
    """Seconds the custom patterns may take for one text; longer blocks with a fault."""
    max_chars: int = 20_000_000
    """A longer text is not read and blocks with a fault."""
    name: str = "pii"
    version: str = "1"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises UsageError: for an unknown category or action, a threshold outside [0, 1], a pattern that is none.
        """
        unknown = [one for one in self.categories if one not in CATEGORIES]
        if unknown:
            raise UsageError(
                f"unknown category {unknown[0]!r}; there are {', '.join(CATEGORIES)}, and your own patterns="
            )
        if self.action not in get_args(Action) or self.action == "allow":
            raise UsageError(f"action is redact, block or escalate, got {self.action!r}")
        if not 0 <= self.threshold <= 1:
            raise UsageError(f"threshold is in [0, 1], got {self.threshold!r}")
        taken = [one for one in self.patterns if one in CATEGORIES]
        if taken:
            raise UsageError(f"{taken[0]!r} is a category of the guard's own; give your pattern another name")
        _ = self._custom

    @cached_property
    def _custom(self) -> CustomPatterns | None:
        return CustomPatterns(self.patterns, timeout_s=self.pattern_timeout_s) if self.patterns else None

    @property
    def line_by_line(self) -> bool:
        """Whether a stream may only be released in whole lines."""
        return self._custom is not None

    def check(self, event: Event) -> Decision:
        """Allow what holds nothing; else redact, block or escalate."""
        try:
            text = event.text
            if not text and event.data.get("arguments") is not None:
                text = json.dumps(event.data["arguments"], ensure_ascii=False, default=str)
            if len(text) > self.max_chars:
                return Decision(
                    action="block", guard=self.name, fault=f"too long: more than {self.max_chars:,} characters"
                )
            redacted, spans = self.redacted(text)
        except PatternTimeout:
            return Decision(action="block", guard=self.name, fault="timeout: a custom pattern")
        except Exception as error:  # noqa: BLE001 - fails closed; the message could hold what was looked for
            return Decision(action="block", guard=self.name, fault=f"crash: {type(error).__name__}")
        if not spans:
            return Decision(action="allow", guard=self.name)
        return Decision(
            action=self.action,
            guard=self.name,
            reason=counted(spans),
            findings=as_findings(spans),
            text=redacted if self.action == "redact" else None,
        )

    def detect(self, text: str) -> tuple[Finding, ...]:
        """What is found, in order; places are those of ``text``."""
        return as_findings(self.spans(text))

    def redact(self, text: str) -> str:
        """``text`` without what is found; JSON stays JSON."""
        return self.redacted(text)[0]

    def stream(self) -> RedactionStream:
        """Redacts what comes in pieces: ``feed(chunk)``, ``finish()``; the same as redacting the whole."""
        return RedactionStream(self)

    def spans(self, text: str) -> list[Span]:
        """What is found, joined."""
        return self._spans(text, is_json(text))

    def redacted(self, text: str) -> tuple[str, list[Span]]:
        """``text`` without what is found, and what that was."""
        as_json = is_json(text)
        spans = self._spans(text, as_json)
        if not spans:
            return text, spans
        if as_json:
            return redact_json(text, spans, lambda piece: self._replaced_json(piece, text)), spans
        return redact(text, spans, lambda span: self.replaced(span, text[span.start : span.end])), spans

    def replaced(self, span: Span, value: str) -> str:
        """What stands in the place of a value in plain text."""
        return placeholder(span.category) if self.vault is None else self.vault.token(span.category, value)

    def in_view(self, view: View) -> list[Span]:
        """All that is found, in places of the view, not joined."""
        found = [one for one in find(view.text, self.categories) if one.confidence >= self.threshold]
        if self._custom is not None:
            found += self._custom.find(view.text)
        if HOLE in view.text:
            holes = [(at, at + 1) for at, sign in enumerate(view.text) if sign == HOLE]
            return list(without(found, holes))
        return found

    def judged_whole(self, start: str) -> bool:
        """Whether a text that begins like this may have to be judged as a whole."""
        return _judged_whole(start, self.categories)

    def _spans(self, text: str, as_json: bool) -> list[Span]:
        view = View(text)
        found = []
        for span in self.in_view(view):
            start, end = view.origin(span.start, span.end)
            found.append(span._replace(start=start, end=end))
        if "email" in self.categories:
            plain = [one for one in found if one.category == "email"]
            found += [one for one in whole_values(text, as_json, plain) if one.confidence >= self.threshold]
        return join(found)

    def _replaced_json(self, piece: Piece, text: str) -> str:
        if self.vault is None:
            return placeholder(piece.span.category)
        kind = "number" if piece.number else "json"
        return self.vault.token(piece.span.category, text[piece.start : piece.end], kind=kind)

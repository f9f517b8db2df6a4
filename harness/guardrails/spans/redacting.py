"""RedactingGuard: what every guard that finds spans does with them: decide, redact text or JSON, redact a stream.

The words:

- *found*: confidence is at least ``threshold``. A lower threshold finds what a higher one does, and more.
- *place*: of the text as it came, whatever was undone to find it (:mod:`harness.guardrails.spans.view`).
- *text*: ``event.text``; for a tool call without text its arguments as JSON, and places are those of this JSON.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, get_args

from harness.core.decision import Action, Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.spans import Span, as_findings, counted, join, placeholder, redact, without
from harness.guardrails.spans.json_text import Piece, is_json, may_be_json, redact_json
from harness.guardrails.spans.stream import RedactionStream
from harness.guardrails.spans.view import HOLE, View


class Tokens(Protocol):
    """Gives a token for a value and can give the value back: :class:`harness.guardrails.pii.Vault`."""

    def token(self, category: str, value: str, *, kind: str = "text") -> str:
        """The token that stands for a value."""
        ...


class LookedTooLongError(Exception):
    """Looking took longer than it may; the guard blocks with a fault."""


@dataclass(frozen=True, kw_only=True)
class RedactingGuard(ABC):
    """Finds spans and redacts them, blocks or escalates. Thread-safe; fails closed."""

    threshold: float = 0.5
    """In [0, 1]: what is less sure than this is let through."""
    action: Action = "redact"
    """What to answer when something is found: redact, block or escalate."""
    vault: Tokens | None = None
    """Put tokens in the place of values, and keep the values here; None: placeholders, and no way back."""
    max_chars: int = 20_000_000
    """A longer text is not read and blocks with a fault."""

    reach = 640
    """How many signs behind a place may decide what stands there."""
    quiet = 24
    """How many signs without a digit or an escape end whatever could go on over a space; 0: no space is in it."""
    line_by_line = False
    """Whether a stream may only be released in whole lines."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises UsageError: for an unknown action, or a threshold outside [0, 1].
        """
        if self.action not in get_args(Action) or self.action == "allow":
            raise UsageError(f"action is redact, block or escalate, got {self.action!r}")
        if not 0 <= self.threshold <= 1:
            raise UsageError(f"threshold is in [0, 1], got {self.threshold!r}")

    @property
    @abstractmethod
    def name(self) -> str:
        """How it is called in reports."""

    @abstractmethod
    def found(self, text: str) -> list[Span]:
        """All that is found in the text of a view, however unsure; need not be joined."""

    def found_whole(self, text: str, as_json: bool, found: Sequence[Span]) -> list[Span]:
        """What only the original text as a whole shows, beside what was found."""
        return []

    def judged_whole(self, start: str) -> bool:
        """Whether a text that begins like this may have to be judged as a whole."""
        return may_be_json(start)

    def plain(self, text: str, before: str) -> bool:
        """Whether it is certain, at a glance, that nothing begins in this text, after that one."""
        return False

    def open_at(self, pending: str) -> bool:
        """Whether something may have begun in plain prose that a space does not end."""
        return False

    def check(self, event: Event) -> Decision:
        """Allow what holds nothing; else redact, block or escalate."""
        try:
            text = event.text
            if not text and event.data.get("arguments") is not None:
                text = json.dumps(event.data["arguments"], ensure_ascii=False, default=str)
            if len(text) > self.max_chars:
                return self._broken(f"too long: more than {self.max_chars:,} characters")
            redacted, spans = self.redacted(text)
        except LookedTooLongError:
            return self._broken("timeout")
        except Exception as error:  # noqa: BLE001 - fails closed; the message could hold what was looked for
            return self._broken(f"crash: {type(error).__name__}")
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
        """What is found, in order; places are those of ``text``.

        :raises LookedTooLongError: a custom pattern took too long.
        """
        return as_findings(self._spans(text, is_json(text)))

    def redact(self, text: str) -> str:
        """``text`` without what is found; JSON stays JSON.

        :raises LookedTooLongError: a custom pattern took too long.
        """
        return self.redacted(text)[0]

    def stream(self) -> RedactionStream:
        """Redacts what comes in pieces: ``feed(chunk)``, ``finish()``; the same as redacting the whole."""
        return RedactionStream(self)

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
        """All that is found and sure enough, in places of the view, not joined; never a placeholder."""
        found = [one for one in self.found(view.text) if one.confidence >= self.threshold]
        if HOLE in view.text:
            holes = [(at, at + 1) for at, sign in enumerate(view.text) if sign == HOLE]
            return list(without(found, holes))
        return found

    def _spans(self, text: str, as_json: bool) -> list[Span]:
        view = View(text)
        found = []
        for span in self.in_view(view):
            start, end = view.origin(span.start, span.end)
            found.append(span._replace(start=start, end=end))
        found += [one for one in self.found_whole(text, as_json, found) if one.confidence >= self.threshold]
        return join(found)

    def _replaced_json(self, piece: Piece, text: str) -> str:
        if self.vault is None:
            return placeholder(piece.span.category)
        kind = "number" if piece.number else "json"
        return self.vault.token(piece.span.category, text[piece.start : piece.end], kind=kind)

    def _broken(self, fault: str) -> Decision:
        return Decision(action="block", guard=self.name, fault=fault)

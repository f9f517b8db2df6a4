"""Decision: a guardrail's answer to one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["allow", "redact", "block", "escalate"]
EventKind = Literal["input", "tool_call", "tool_result", "output"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that passes a guard."""

    kind: EventKind
    text: str = ""
    """What is said; for a tool call its arguments as JSON."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Structured side: tool name and arguments, user, tenant, session."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing a guard found."""

    category: str
    confidence: float = 1.0
    """In [0, 1]."""
    start: int | None = None
    """Offset into the original text, inclusive; None when it is about the whole."""
    end: int | None = None
    """Offset into the original text, exclusive."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Allow, redact, block or escalate; with findings."""

    action: Action
    guard: str = ""
    reason: str = ""
    """For the team's log; never shown to the user of the agent."""
    findings: tuple[Finding, ...] = ()
    text: str | None = None
    """The redacted text, for ``redact``."""
    fault: str = ""
    """Not empty when the guard broke and blocked for that reason; counted apart from a detection."""

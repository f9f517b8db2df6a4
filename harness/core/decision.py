"""Decision: a guardrail's answer to one event.

The words:

- *event*: something that passes a guard: what the user says, a tool call about to be made, a tool's answer, what the
  agent says.
- *detection*: the guard looked and did not let the event pass as it was (redact, block, escalate).
- *fault*: the guard could not look (it crashed, timed out, is missing, answered nonsense), and blocked for that reason.
  Counted apart from detections: a broken guard must not look like a vigilant one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

Action = Literal["allow", "redact", "block", "escalate"]
EventKind = Literal["input", "tool_call", "tool_result", "output"]
ACTIONS: tuple[Action, ...] = get_args(Action)
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that passes a guard."""

    kind: EventKind
    text: str = ""
    """What is said; for a tool call its arguments as JSON."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The structured side. Who asks comes from the application and is trusted; the rest may be hostile.

    - ``user``, ``tenant``, ``session``: who asks, as texts;
    - ``roles``: what the user may be, texts;
    - ``request``: what the user has said in this session so far, a tuple of texts;
    - ``scope``: what this task may do (:class:`harness.guardrails.Scope`), where the application declares it;
    - ``tool``, ``arguments``: of a tool call and of its result; ``arguments`` is None when they were no JSON object;
    - ``schema``: the tool's schema, OpenAI function format, where it is known;
    - ``error``: of a tool result, whether the tool failed;
    - ``history``: true when the event was judged in an earlier request and is only sent along again;
    - ``partial``: true for an output that is still being written;
    - ``late``: true when the event had already happened when it was judged;
    - ``cost_usd``: the most the thing about to be done can cost (Decimal), ``spent_usd``: what this session has cost;
    - ``confidence``: the agent's own, in [0, 1].
    """


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
    retry_after_s: float | None = None
    """Seconds until the same event would be let through, where that is only a matter of time. The user may know it."""

    @property
    def stops(self) -> bool:
        """Whether the event must not happen: it was blocked, or waits for a person."""
        return self.action not in ("allow", "redact")

    @property
    def detected(self) -> bool:
        """Whether the guard found something, as opposed to letting pass and to breaking."""
        return self.action != "allow" and not self.fault

    @classmethod
    def broken(cls, guard: str, fault: str) -> Decision:
        """The block of a guard that could not look.

        :param fault: what went wrong, in a few words without anything the user or the agent wrote.
        """
        return cls(action="block", guard=guard, fault=fault or "unknown", reason="the guard could not decide")


class ToolGate(Protocol):
    """What stands between a model's tool call and the tool, while a guarded agent runs.

    Like the gateway for requests to providers: whoever runs tools on behalf of a model asks :func:`tool_gate` and,
    where there is one, lets every call pass it, also calls of tools that do not exist.
    """

    async def answer(
        self,
        name: str,
        arguments: str,
        run: Callable[[str], Awaitable[str]],
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> str:
        """The content of the tool message that answers a call.

        :param arguments: as the model wrote them.
        :param run: runs the tool with the argument text that passed the guards. Awaited once, or not at all.
        :param schema: the tool's schema, where there is one.
        """
        ...


TOOL_GATE: ContextVar[ToolGate | None] = ContextVar("harness_tool_gate", default=None)


def tool_gate() -> ToolGate | None:
    """The gate of the running trial; None when no guarded agent runs."""
    return TOOL_GATE.get()

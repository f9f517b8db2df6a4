"""TaskScope: the tools that the user's task may call, and with which arguments; everything else is blocked.

An injected instruction in a tool's answer need carry no marker, so no reader of texts can be sure to find it. What it
wants is an action; an action that the user's task does not need is not made, whatever the model was talked into.

The scope of a session is decided before anything untrusted is read, from (the first that is there):

1. ``event.data["scope"]``: declared by the application for this session;
2. ``scope``: declared for every session, or a function of the event;
3. ``tools``: the catalogue, from which :func:`scope_from_request` picks what the user's own words ask for.

With none of them, nothing is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.task_scope.from_request import scope_from_request
from harness.guardrails.task_scope.limits import ANY, AtMost, FromRequest, Matching, OneOf
from harness.guardrails.task_scope.scope import Scope
from harness.guardrails.task_scope.tool_words import tool_card

__all__ = ["ANY", "AtMost", "FromRequest", "Matching", "OneOf", "Scope", "TaskScope", "scope_from_request"]


class TaskScope:
    """Blocks tool calls outside the scope of the user's task; lets every other event pass. See the file's words.

    :param scope: one scope for all, or a function that gives one (or None) for an event.
    :param tools: every tool the agent has, as schemas in OpenAI's function format, or names; used where no scope is
        declared.
    """

    version = "1"

    def __init__(
        self,
        scope: Scope | Callable[[Event], Scope | None] | None = None,
        *,
        tools: Sequence[Mapping[str, Any] | str] = (),
        name: str = "task_scope",
    ) -> None:
        if scope is not None and not isinstance(scope, Scope) and not callable(scope):
            raise UsageError(f"scope must be a Scope or a function of the event, got {scope!r}; Scope(tools={{...}})")
        self.name = name
        self._scope = scope
        cards = tuple(tool_card(tool) for tool in tools)
        self._derived = lru_cache(maxsize=1024)(lambda request: scope_from_request(request, cards)) if cards else None

    def __repr__(self) -> str:
        return f"TaskScope(name={self.name!r})"

    def check(self, event: Event) -> Decision:
        """Allow a call inside the scope; block one outside; escalate one whose addressee the user never named."""
        if event.kind != "tool_call":
            return Decision(action="allow", guard=self.name)
        scope = self._of(event)
        if scope is None:
            return Decision.broken(self.name, "no scope is declared for this session")
        said = request_of(event)
        answer = scope.judge(event.data.get("tool"), event.data.get("arguments"), said)
        found = () if answer.action == "allow" else (Finding(category=answer.category),)
        return Decision(action=answer.action, guard=self.name, reason=answer.reason, findings=found)

    def _of(self, event: Event) -> Scope | None:
        given = event.data.get("scope")
        if isinstance(given, Mapping):
            given = Scope.from_json(given)
        if isinstance(given, Scope):
            return given
        own = self._scope if self._scope is None or isinstance(self._scope, Scope) else self._scope(event)
        if own is None and self._derived is not None:
            return self._derived(request_of(event))
        return own


def request_of(event: Event) -> tuple[str, ...]:
    """What the user said in this session, texts only."""
    said = event.data.get("request")
    if isinstance(said, str):
        return (said,)
    return tuple(one for one in said if isinstance(one, str)) if isinstance(said, (list, tuple)) else ()

"""Reading what an agent answered, in any of the shapes that agents answer in.

Accepted, for a function's return value, a JSON reply and a program's output alike:

- a text;
- a chat message ``{"role": "assistant", "content": ...}``, or a list of them;
- an OpenAI chat completion;
- a mapping with ``messages`` or with one of ``answer``, ``output``, ``response``, ``content``, ``message``, ``text``,
  and next to it, where known, ``usage``, ``cost_usd``, ``model``, ``state`` and ``metadata``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from harness.agents.completion import error_text, message_of, usage_of
from harness.core.case import canonical_json
from harness.core.errors import AgentBroken
from harness.core.trajectory import Message
from harness.core.usage import Usage

ANSWER_KEYS = ("answer", "output", "response", "content", "message", "text")
WOULD_WORK = (
    "a text, a chat message, a list of chat messages, a Trajectory, or a mapping with 'answer' or 'messages' "
    "(and, where known, 'usage', 'cost_usd', 'state')"
)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One turn of the agent, read."""

    messages: tuple[Message, ...]
    """The new messages, without the history the agent was given."""
    usage: Usage | None = None
    cost_usd: Decimal | None = None
    model: str = ""
    state: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read_answer(value: Any, *, who: str, history: Sequence[Message] = ()) -> Answered:
    """One turn of the agent from ``value``.

    :param who: the agent, for messages.
    :param history: what the agent was given; a returned list that begins with it is the whole conversation.
    :raises AgentBroken: for anything else, naming the type or the keys, and what would have worked.
    """
    if isinstance(value, str):
        return Answered(messages=({"role": "assistant", "content": value},))
    if isinstance(value, (list, tuple)):
        return Answered(messages=_messages(value, who=who, history=history))
    if not isinstance(value, Mapping) and callable(getattr(value, "model_dump", None)):
        value = value.model_dump()  # client libraries answer with pydantic models of these same shapes
    if not isinstance(value, Mapping):
        raise AgentBroken(f"{who} returned {_shown(value)}; it may return {WOULD_WORK}")
    if "role" in value:
        return Answered(messages=_messages([value], who=who, history=()))
    rest: dict[str, Any] = {
        "usage": read_usage(value),
        "cost_usd": read_cost(value.get("cost_usd")),
        "model": value["model"] if isinstance(value.get("model"), str) else "",
        "state": value.get("state"),
        "metadata": value["metadata"] if isinstance(value.get("metadata"), Mapping) else {},
    }
    if isinstance(value.get("messages"), (list, tuple)):
        return Answered(messages=_messages(value["messages"], who=who, history=history), **rest)
    if _has_choice(value):
        return Answered(messages=(message_of(value),), **rest)
    for key in ANSWER_KEYS:
        given = value.get(key)
        if isinstance(given, str):
            return Answered(messages=({"role": "assistant", "content": given},), **rest)
        if isinstance(given, Mapping) and "role" in given:
            return Answered(messages=_messages([given], who=who, history=()), **rest)
        if given is not None:
            try:
                text = canonical_json(given)
            except (ValueError, TypeError, RecursionError) as error:
                raise AgentBroken(f"{who} returned {key!r} with a value that is not JSON: {error}") from error
            return Answered(messages=({"role": "assistant", "content": text},), **rest)
    if value.get("error"):
        raise AgentBroken(f"{who} answered with an error: {error_text(value['error'])}")
    keys = ", ".join(repr(str(key)[:40]) for key in list(value)[:10]) or "no keys"
    raise AgentBroken(f"{who} returned a mapping with {keys}; name the answer one of {', '.join(ANSWER_KEYS)}")


def read_usage(value: Mapping[str, Any]) -> Usage | None:
    """Tokens from a mapping's ``usage``, in OpenAI's or in this package's words; None when there are none to read."""
    given = value.get("usage")
    if isinstance(given, Mapping) and ("input_tokens" in given or "output_tokens" in given):
        try:
            usage = Usage.from_json(given)
        except (TypeError, ValueError, OverflowError):
            return None
        return usage if min(usage.input_tokens, usage.output_tokens, usage.cached_tokens) >= 0 else None
    return usage_of(value)


def read_cost(given: Any) -> Decimal | None:
    """A cost in US dollars; None when absent, negative, not finite or not a number (unknown is never zero)."""
    if isinstance(given, bool) or not isinstance(given, (int, float, str, Decimal)):
        return None
    if isinstance(given, float) and not math.isfinite(given):
        return None
    try:
        cost = Decimal(str(given))
    except (InvalidOperation, ValueError):
        return None
    return cost if cost.is_finite() and cost >= 0 else None


def _has_choice(value: Mapping[str, Any]) -> bool:
    choices = value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, Mapping) and isinstance(first.get("message"), Mapping)


def _messages(given: Sequence[Any], *, who: str, history: Sequence[Message]) -> tuple[Message, ...]:
    read: list[Message] = []
    for position, item in enumerate(given):
        if not isinstance(item, Mapping) and callable(getattr(item, "model_dump", None)):
            item = item.model_dump(exclude_none=True)
        if not isinstance(item, Mapping) or not isinstance(item.get("role"), str):
            raise AgentBroken(
                f"{who} returned a list whose item {position} is {_shown(item)}, not a chat message; "
                "a message is a mapping with 'role' and 'content'"
            )
        read.append(dict(item))
    if history and len(read) >= len(history) and all(old == new for old, new in zip(history, read, strict=False)):
        read = read[len(history) :]
    if not any(message["role"] == "assistant" for message in read):
        raise AgentBroken(f"{who} returned {len(read)} new messages, none of them with the role 'assistant'")
    return tuple(read)


def _shown(value: Any) -> str:
    if value is None:
        return "None (is a return statement missing?)"
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")

"""Trajectory: what happened in one trial, as chat messages with tool calls, times, tokens and money.

The words:

- *message*: an OpenAI-style chat message (``role``, ``content``, ``tool_calls``, ``tool_call_id``), a plain mapping.
- *tool call*: one entry of an assistant message's ``tool_calls``. A repeated call counts again; a refused or failed one
  counts and carries its error; calls in one message keep their order.
- *model call*: one request to a model endpoint, retries not counted.
- *step*: one assistant message.
- *answer*: the content of the last assistant message that calls no tool; None when there is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from harness.core.errors import Failure
from harness.core.usage import Usage

Message = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """One tool call with its outcome, read from the messages."""

    name: str
    arguments: Mapping[str, Any] | None
    """Parsed arguments; None when the text was not a JSON object."""
    raw_arguments: str = ""
    """The argument text as the model wrote it."""
    id: str = ""
    step: int = 0
    """Index of the assistant message among assistant messages, from 0."""
    result: str | None = None
    """Content of the tool message that answers it; None when nothing did."""
    error: str | None = None
    """Why it failed, or None: a tool message with ``is_error``, or a JSON object with a top-level ``error``,
    or a text that begins with "Error"."""


@dataclass(frozen=True, kw_only=True)
class ModelCall:
    """One request to a model endpoint."""

    model: str
    provider: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    """None: not known (never zero for unknown)."""
    latency_s: float | None = None
    """From sending the request to the end of the reply, waiting for the limiter not counted."""
    ttft_s: float | None = None
    """To the first token of any channel, streaming only."""
    attempts: int = 1
    """1 plus the retries."""
    purpose: str = "agent"
    """``agent`` or ``judge``."""
    replayed: bool = False
    """Whether the reply came from a recording."""

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for the journal; absent fields are left out."""
        out: dict[str, Any] = {"model": self.model}
        if self.provider:
            out["provider"] = self.provider
        if usage := self.usage.to_json():
            out["usage"] = usage
        if self.cost_usd is not None:
            out["cost_usd"] = str(self.cost_usd)
        for name in ("latency_s", "ttft_s"):
            value = getattr(self, name)
            if value is not None:
                out[name] = round(value, 6)
        if self.attempts != 1:
            out["attempts"] = self.attempts
        if self.purpose != "agent":
            out["purpose"] = self.purpose
        if self.replayed:
            out["replayed"] = True
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelCall:
        """The inverse of :meth:`to_json`."""
        cost = data.get("cost_usd")
        return cls(
            model=data["model"],
            provider=data.get("provider", ""),
            usage=Usage.from_json(data.get("usage", {})),
            cost_usd=None if cost is None else Decimal(cost),
            latency_s=data.get("latency_s"),
            ttft_s=data.get("ttft_s"),
            attempts=data.get("attempts", 1),
            purpose=data.get("purpose", "agent"),
            replayed=data.get("replayed", False),
        )


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """What happened in one trial."""

    messages: tuple[Message, ...] = ()
    model_calls: tuple[ModelCall, ...] = ()
    latency_s: float | None = None
    """Wall time of the agent's run; None when not timed."""
    state: Any = None
    """End state of the agent's world, JSON; None when the agent has none to show."""
    error: Failure | None = None
    """Why the run broke off; None when it ended by itself."""
    reported_cost_usd: Decimal | None = None
    """Cost stated by the agent itself where its model calls are not seen."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Anything else, JSON."""

    @classmethod
    def from_answer(cls, answer: str, *, user: str | None = None, **more: Any) -> Trajectory:
        """A trajectory of one answer, for agents that return only a text."""
        messages: list[Message] = [] if user is None else [{"role": "user", "content": user}]
        messages.append({"role": "assistant", "content": answer})
        return cls(messages=tuple(messages), **more)

    @cached_property
    def answer(self) -> str | None:
        """Content of the last assistant message that calls no tool; None when there is none."""
        for message in reversed(self.messages):
            if message.get("role") == "assistant" and not message.get("tool_calls"):
                return message_text(message)
        return None

    @cached_property
    def said(self) -> tuple[str, ...]:
        """Every text the agent said, in order, tool-calling messages included."""
        texts = (message_text(m) for m in self.messages if m.get("role") == "assistant")
        return tuple(text for text in texts if text)

    @cached_property
    def steps(self) -> int:
        """Number of assistant messages."""
        return sum(1 for message in self.messages if message.get("role") == "assistant")

    @cached_property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Every tool call in order, with its result and error. See the words at the top of this file."""
        results: dict[str, Message] = {}
        unnamed: list[Message] = []
        for message in self.messages:
            if message.get("role") == "tool":
                key = message.get("tool_call_id")
                if isinstance(key, str) and key and key not in results:
                    results[key] = message
                elif not key:
                    unnamed.append(message)
        calls: list[ToolCall] = []
        step = -1
        for message in self.messages:
            if message.get("role") != "assistant":
                continue
            step += 1
            for raw in message.get("tool_calls") or ():
                if not isinstance(raw, Mapping):
                    continue
                function = raw.get("function")
                function = function if isinstance(function, Mapping) else raw
                text = function.get("arguments")
                arguments, written = _arguments(text)
                answer = results.get(str(raw.get("id") or ""))
                if answer is None and not raw.get("id") and unnamed:
                    answer = unnamed.pop(0)
                calls.append(
                    ToolCall(
                        name=str(function.get("name") or ""),
                        arguments=arguments,
                        raw_arguments=written,
                        id=str(raw.get("id") or ""),
                        step=step,
                        result=None if answer is None else message_text(answer),
                        error=None if answer is None else _tool_error(answer),
                    )
                )
        return tuple(calls)

    @property
    def usage(self) -> Usage:
        """Sum over the model calls."""
        total = Usage()
        for call in self.model_calls:
            total = total + call.usage
        return total

    @property
    def cost_usd(self) -> Decimal | None:
        """Sum over the model calls, or what the agent reported; None when any call's cost is unknown."""
        if not self.model_calls:
            return self.reported_cost_usd
        total = Decimal(0)
        for call in self.model_calls:
            if call.cost_usd is None:
                return self.reported_cost_usd
            total += call.cost_usd
        return total

    def with_(self, **changes: Any) -> Trajectory:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for the journal; absent fields are left out."""
        out: dict[str, Any] = {"messages": list(self.messages)}
        if self.model_calls:
            out["model_calls"] = [call.to_json() for call in self.model_calls]
        if self.latency_s is not None:
            out["latency_s"] = round(self.latency_s, 6)
        if self.state is not None:
            out["state"] = self.state
        if self.error is not None:
            out["error"] = self.error.to_json()
        if self.reported_cost_usd is not None:
            out["reported_cost_usd"] = str(self.reported_cost_usd)
        if self.metadata:
            out["metadata"] = dict(self.metadata)
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trajectory:
        """The inverse of :meth:`to_json`."""
        cost = data.get("reported_cost_usd")
        return cls(
            messages=tuple(data.get("messages", ())),
            model_calls=tuple(ModelCall.from_json(call) for call in data.get("model_calls", ())),
            latency_s=data.get("latency_s"),
            state=data.get("state"),
            error=Failure.from_json(data["error"]) if data.get("error") else None,
            reported_cost_usd=None if cost is None else Decimal(str(cost)),
            metadata=data.get("metadata", {}),
        )


def message_text(message: Message) -> str:
    """The text of a message: a string content, or the text parts of a list content joined; empty when there is none."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = (part.get("text") for part in content if isinstance(part, Mapping))
        return "".join(part for part in parts if isinstance(part, str))
    return ""


def _arguments(given: Any) -> tuple[Mapping[str, Any] | None, str]:
    if isinstance(given, Mapping):
        return given, json.dumps(given, ensure_ascii=False, default=str)
    if not isinstance(given, str):
        return ({}, "") if given is None else (None, str(given))
    if not given.strip():
        return {}, given
    try:
        parsed = json.loads(given)
    except (ValueError, RecursionError):
        return None, given
    return (parsed if isinstance(parsed, dict) else None), given


def _tool_error(message: Message) -> str | None:
    text = message_text(message)
    if message.get("is_error"):
        return text or "error"
    stripped = text.lstrip()
    if stripped[:5].lower() == "error":
        return text
    if stripped.startswith("{") and '"error"' in stripped:
        try:
            parsed = json.loads(stripped)
        except (ValueError, RecursionError):
            return None
        if isinstance(parsed, dict) and parsed.get("error"):
            return str(parsed["error"])
    return None

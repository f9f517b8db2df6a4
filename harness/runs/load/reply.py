"""What a chat or completions reply says: its token events, its usage, its end, or the error inside it.

Words: an event *carries text* when any of its choices has a piece that is not empty: content, reasoning, refusal, or a
tool call's name or arguments. Only such events are token events. A reply *ended well* when it has a finish reason or
``[DONE]`` and no error; the end of its bytes alone is no end of an answer.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from typing import Any

CONTENT = ("content", "text")
THOUGHT = ("reasoning_content", "reasoning", "refusal")


@dataclass(slots=True)
class Reply:
    """The facts of one reply; places are indices of reads."""

    tokens_at: array[int] = field(default_factory=lambda: array("l"))
    """Per token event, the read that completed it."""
    counts: array[int] = field(default_factory=lambda: array("l"))
    """Per token event, its number of tokens where the server tells it; else empty."""
    first_content: int = -1
    completion_tokens: int | None = None
    """What the server's usage says."""
    prompt_tokens: int | None = None
    finish_reason: str = ""
    done: bool = False
    error: str = ""
    unreadable: int = 0
    events: int = 0
    streamed: bool = True

    @property
    def ended_well(self) -> bool:
        """See the head of this file."""
        return (self.done or bool(self.finish_reason)) and not self.error


def read_stream(events: list[tuple[int, bytes]]) -> Reply:
    """The reply of a stream of events."""
    reply = Reply(events=len(events))
    told_before = 0
    every = True
    for place, payload in events:
        if payload.strip() == b"[DONE]":
            reply.done = True
            continue
        try:
            chunk = json.loads(payload)
        except (ValueError, RecursionError):
            reply.unreadable += 1
            continue
        if not isinstance(chunk, dict):
            reply.unreadable += 1
            continue
        carries, content, tokens = _look(chunk, reply)
        told = reply.completion_tokens or 0
        if carries:
            reply.tokens_at.append(place)
            if content and reply.first_content < 0:
                reply.first_content = place
            if isinstance(chunk.get("usage"), dict) and told > told_before:
                tokens = told - told_before
            if tokens:
                reply.counts.append(tokens)
            else:
                every = False
        told_before = max(told_before, told)
    if not every or len(reply.counts) != len(reply.tokens_at):
        reply.counts = array("l")
    return reply


def read_whole(body: bytes, last: int) -> Reply:
    """The reply of a body that is not a stream; its one event is the last read."""
    reply = Reply(streamed=False)
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        reply.error = f"the reply is neither a stream nor JSON: {body[:80]!r}"
        return reply
    _look(said, reply)
    reply.events, reply.done = 1, bool(said.get("choices")) and not reply.error
    reply.first_content = last if reply.done else -1
    if not reply.done and not reply.error:
        reply.error = "the reply has no choices"
    return reply


def _look(chunk: dict[str, Any], reply: Reply) -> tuple[bool, bool, int]:
    """Whether the chunk carries text, whether content, and how many tokens it says it has (0: it does not say)."""
    if given := chunk.get("error"):
        reply.error = str(given.get("message", given) if isinstance(given, dict) else given)[:500]
    usage = chunk.get("usage")
    if isinstance(usage, dict):
        for name in ("completion_tokens", "prompt_tokens"):
            value = usage.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                setattr(reply, name, value)
    carries = content = False
    tokens = 0
    choices = chunk.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if not isinstance(choice, dict):
            continue
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            reply.finish_reason = reason[:40]
        delta = choice.get("delta", choice)
        if not isinstance(delta, dict):
            continue
        if delta.get("content") or (delta is choice and choice.get("text")):
            carries = content = True
        elif any(delta.get(name) for name in THOUGHT) or _calls(delta.get("tool_calls")) or delta.get("function_call"):
            carries = True
        logprobs = choice.get("logprobs")
        ids = choice.get("token_ids")
        if isinstance(ids, list):
            tokens += len(ids)
        elif isinstance(logprobs, dict):
            told = logprobs.get("content") or logprobs.get("tokens")
            tokens += len(told) if isinstance(told, list) else 0
    return carries, content, tokens


def _calls(given: Any) -> bool:
    for call in given if isinstance(given, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and (function.get("name") or function.get("arguments")):
            return True
    return False

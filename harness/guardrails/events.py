"""What passes the guards, read from a case or a trajectory: one event per text said, tool call and tool answer.

System prompts are the team's own words and pass no guard.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.case import Case, canonical_json
from harness.core.decision import EVENT_KINDS, Event
from harness.core.errors import UsageError
from harness.core.trajectory import Message, Trajectory, message_text


def event_of(case: Case) -> Event:
    """The event that a row of a guard's dataset stands for.

    A text is what a user says. A mapping with ``kind`` is the event itself, with ``text`` and ``data``; the text of a
    tool call may be left out and is then its arguments. A mapping with ``tool`` and ``arguments`` is a tool call as a
    model wrote it. Where the case offers the called tool (``case.tools``), the event carries its ``schema``.

    :raises UsageError: for anything else.
    """
    given = case.input
    if isinstance(given, str):
        return Event(kind="input", text=given)
    if isinstance(given, Mapping) and "kind" not in given and "tool" in given:
        data = {"tool": given["tool"], "arguments": _object(given.get("arguments")), **_schema(case, given["tool"])}
        return Event(kind="tool_call", text=arguments_text(given.get("arguments")), data=data)
    if not isinstance(given, Mapping) or given.get("kind") not in EVENT_KINDS:
        raise UsageError(
            f"case {case.id!r} is no guard event: its input must be a text, an object with tool and arguments, or one "
            f"with kind ({', '.join(EVENT_KINDS)}), text and data"
        )
    data = dict(given.get("data") or {})
    if isinstance(data.get("request"), list):
        data["request"] = tuple(data["request"])
    text = given.get("text")
    if text is None:
        text = arguments_text(data.get("arguments")) if given["kind"] == "tool_call" else ""
    if given["kind"] == "tool_call":
        data = {**_schema(case, data.get("tool")), **data}
    return Event(kind=given["kind"], text=str(text), data=data)


def _schema(case: Case, tool: Any) -> dict[str, Any]:
    for offered in case.tools:
        function = offered.get("function")
        if isinstance(function, Mapping) and function.get("name") == tool:
            return {"schema": offered}
    return {}


def _object(arguments: Any) -> Mapping[str, Any] | None:
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return None
    return arguments if isinstance(arguments, Mapping) else None


def tool_call_event(name: str, arguments: Any, *, data: Mapping[str, Any] | None = None, **more: Any) -> Event:
    """A tool call about to be made."""
    own = {**(data or {}), "tool": name, "arguments": arguments if isinstance(arguments, Mapping) else None, **more}
    return Event(kind="tool_call", text=arguments_text(arguments), data=own)


def arguments_text(arguments: Any) -> str:
    """Arguments as JSON text, in the order given; a text is left as it is."""
    if isinstance(arguments, str):
        return arguments
    try:
        return json.dumps(arguments, ensure_ascii=False, default=str)
    except (ValueError, RecursionError, TypeError):
        return str(arguments)


def result_text(result: Any) -> str:
    """A tool's result as the model reads it: a text as it is, anything else as JSON."""
    return result if isinstance(result, str) else arguments_text(result)


def input_text(message: Any) -> str:
    """What the user says: a text, a chat message's text, or any JSON in canonical form."""
    if isinstance(message, str):
        return message
    if isinstance(message, Mapping) and "role" in message:
        return message_text(message)
    return canonical_json(message)


def events_of(trajectory: Trajectory, data: Mapping[str, Any] | None = None) -> Iterator[tuple[int, Event]]:
    """Every event of a run in order, with the index of its message.

    :param data: who asked: see :class:`harness.core.decision.Event`; ``request`` is filled in from the user's messages.
    """
    request: list[str] = []
    calls: dict[str, Mapping[str, Any]] = {}
    read = iter(trajectory.tool_calls)
    for index, message in enumerate(trajectory.messages):
        role = message.get("role")
        known = {**(data or {}), "request": tuple(request)}
        if role == "user":
            text = message_text(message)
            yield index, Event(kind="input", text=text, data=known)
            request.append(text)
        elif role == "assistant":
            if text := message_text(message):
                yield index, Event(kind="output", text=text, data=known)
            for raw in message.get("tool_calls") or ():
                if not isinstance(raw, Mapping):
                    continue
                call = next(read)
                calls[call.id] = {"tool": call.name, "arguments": call.arguments}
                given = call.raw_arguments if call.arguments is None else arguments_text(call.arguments)
                yield index, Event(kind="tool_call", text=given, data={**known, **calls[call.id]})
        elif role == "tool":
            about = calls.get(str(message.get("tool_call_id") or ""), {"tool": str(message.get("name") or "")})
            yield (
                index,
                Event(kind="tool_result", text=message_text(message), data={**known, **about, **_failed(message)}),
            )


def _failed(message: Message) -> dict[str, Any]:
    return {"error": True} if message.get("is_error") else {}

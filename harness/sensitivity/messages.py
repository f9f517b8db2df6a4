"""Messages as operators edit them: found by place, changed in copies, never trusted to have the shape they should."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from harness.core.trajectory import Message, Trajectory, message_text

MOST_CALLS = 2_000
"""Tool calls that are looked at; a runaway trajectory is mutated within its first ones."""


class Place(NamedTuple):
    """Where a tool call stands."""

    message: int
    """Index among the messages."""
    call: int
    """Index among the message's ``tool_calls``."""


def role(message: Any) -> str:
    """The role of a message; empty for what is none."""
    given = message.get("role") if isinstance(message, Mapping) else None
    return given if isinstance(given, str) else ""


def raw_calls(message: Any) -> list[Any]:
    """The ``tool_calls`` of an assistant message; empty for anything that is no list."""
    if role(message) != "assistant":
        return []
    given = message.get("tool_calls")
    return list(given) if isinstance(given, (list, tuple)) else []


def call_places(messages: Sequence[Any]) -> list[Place]:
    """Where every tool call stands that has a name, in order."""
    found = []
    for index, message in enumerate(messages):
        for number, call in enumerate(raw_calls(message)):
            if isinstance(call, Mapping) and call_name(call):
                found.append(Place(index, number))
                if len(found) >= MOST_CALLS:
                    return found
    return found


def call_at(messages: Sequence[Any], place: Place) -> Mapping[str, Any]:
    """The call at a place."""
    call: Mapping[str, Any] = raw_calls(messages[place.message])[place.call]
    return call


def call_name(call: Mapping[str, Any]) -> str:
    """The tool's name; empty where there is none."""
    name = _function(call).get("name")
    return name if isinstance(name, str) else ""


def call_arguments(call: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The parsed arguments; None when they are no JSON object."""
    given = _function(call).get("arguments")
    if isinstance(given, Mapping):
        return given
    if not isinstance(given, str):
        return {} if given is None else None
    try:
        parsed = json.loads(given) if given.strip() else {}
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def call_with(call: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy of a call with another ``name``, ``arguments`` (a mapping, written as it was) or ``id``."""
    copy = dict(call)
    if "id" in changes:
        copy["id"] = changes["id"]
    function = dict(_function(call))
    if "name" in changes:
        function["name"] = changes["name"]
    if "arguments" in changes:
        given = changes["arguments"]
        as_mapping = isinstance(function.get("arguments"), Mapping)
        function["arguments"] = given if as_mapping else json.dumps(given, ensure_ascii=False, default=str)
    if isinstance(call.get("function"), Mapping):
        copy["function"] = function
    else:
        copy.update(function)
    return copy


def _function(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call.get("function")
    return function if isinstance(function, Mapping) else call


def with_calls(messages: Sequence[Message], index: int, calls: Sequence[Any]) -> list[Message]:
    """The messages with other tool calls in one of them; without any, the message keeps its text or goes."""
    copy = list(messages)
    changed = {key: value for key, value in messages[index].items() if key != "tool_calls"}
    if calls:
        changed["tool_calls"] = list(calls)
    if calls or message_text(changed).strip():
        copy[index] = changed
    else:
        del copy[index]
    return copy


def without_calls(messages: Sequence[Message], gone: Collection[Place]) -> list[Message]:
    """The messages without some calls and without the results of these."""
    dropped_ids = {call_at(messages, place).get("id") for place in gone} - {None, ""}
    kept: list[Message] = []
    for index, message in enumerate(messages):
        if role(message) == "tool" and _hashable(message.get("tool_call_id")) in dropped_ids:
            continue
        calls = raw_calls(message)
        left = [call for number, call in enumerate(calls) if Place(index, number) not in gone]
        if len(left) == len(calls):
            kept.append(message)
            continue
        kept.extend(with_calls([message], 0, left))
    return kept


def result_index(messages: Sequence[Message], place: Place) -> int | None:
    """Index of the tool message that answers a call; None when nothing did."""
    wanted = call_at(messages, place).get("id")
    if not isinstance(wanted, str) or not wanted:
        return None
    for index in range(place.message + 1, len(messages)):
        if role(messages[index]) == "tool" and messages[index].get("tool_call_id") == wanted:
            return index
    return None


def answer_index(messages: Sequence[Message]) -> int | None:
    """Index of the last assistant message that calls no tool; None when there is none."""
    for index in range(len(messages) - 1, -1, -1):
        if role(messages[index]) == "assistant" and not messages[index].get("tool_calls"):
            return index
    return None


def answer_text(trajectory: Trajectory) -> str:
    """The final answer; empty when there is none."""
    index = answer_index(trajectory.messages)
    return "" if index is None else message_text(trajectory.messages[index])


def with_answer(trajectory: Trajectory, text: str) -> Trajectory:
    """The trajectory with another final answer; one is added where there was none."""
    messages: list[Message] = list(trajectory.messages)
    index = answer_index(messages)
    if index is None:
        messages.append({"role": "assistant", "content": text})
    else:
        messages[index] = {**messages[index], "content": text}
    return trajectory.with_(messages=tuple(messages))


def last_said_by_user(messages: Sequence[Message]) -> str:
    """The user's last text; empty when the user said nothing."""
    for message in reversed(messages):
        if role(message) == "user":
            return message_text(message)
    return ""


def is_guard(trajectory: Trajectory) -> bool:
    """Whether it is a guard's decision about one event, and no agent's work."""
    kept = trajectory.metadata.get("guard")
    return isinstance(kept, Mapping) and "action" in kept


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str) else None

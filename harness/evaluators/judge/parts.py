"""Parts: what a judge is shown of a case and a trajectory, by name; each is a text, or why it cannot be shown.

========== ==========================================================================================================
input      the case's first user message
answer     the agent's final answer
transcript all messages, with tool calls and their results
reference  ``expected.answer``, ``expected.answers`` or ``expected.custom["reference"]``
context    ``expected.custom["context"]`` or ``metadata["context"]``: a text or a list of texts
state      the end state of the agent's world, JSON
other      ``expected.custom["other"]``: the answer that a pairwise judge compares with
NAME       anything else: ``expected.custom["NAME"]``
========== ==========================================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory, message_text

MAX_PART = 60_000
"""Longest part, in characters, that is shown. A longer one is not cut: its end could say anything."""


class CannotShow(Exception):
    """A part that the rubric asks for is absent or too long. ``expected`` says whether its absence is the case's."""

    def __init__(self, message: str, *, expected: bool = False) -> None:
        super().__init__(message)
        self.expected = expected


def parts_of(names: Sequence[str], trajectory: Trajectory, case: Case, *, max_part: int = MAX_PART) -> dict[str, str]:
    """The parts a rubric shows, in its order.

    :raises CannotShow: one is absent or longer than ``max_part`` characters.
    """
    made = {}
    for name in names:
        text = part_of(name, trajectory, case)
        if len(text) > max_part:
            raise CannotShow(
                f"{name} has {len(text):,} characters, more than max_part={max_part:,}; nothing was judged"
            )
        made[name] = text
    return made


def part_of(name: str, trajectory: Trajectory, case: Case) -> str:
    """One part as text.

    :raises CannotShow: there is none.
    """
    if name == "input":
        return case.text
    if name == "answer":
        if trajectory.answer is None:
            raise CannotShow("the agent gave no final answer")
        return trajectory.answer
    if name == "transcript":
        return transcript(trajectory)
    if name == "state":
        if trajectory.state is None:
            raise CannotShow("the agent's world has no end state")
        return _text(trajectory.state)
    custom = case.expected.custom
    if name == "reference":
        if case.expected.answer is not None:
            return case.expected.answer
        if case.expected.answers:
            return "\nor: ".join(case.expected.answers)
    if name == "context" and name not in custom and case.metadata.get("context"):
        return _text(case.metadata["context"])
    if name not in custom:
        raise CannotShow(f"the case has no {name} (expected.custom[{name!r}])", expected=True)
    return _text(custom[name])


def transcript(trajectory: Trajectory) -> str:
    """The messages as lines ``role: text``, tool calls as ``role calls name(arguments)``."""
    lines = []
    for message in trajectory.messages:
        role = str(message.get("role") or "?")
        text = message_text(message)
        if text:
            lines.append(f"{role}: {text}")
        for call in message.get("tool_calls") or ():
            function = call.get("function") if isinstance(call, Mapping) else None
            if isinstance(function, Mapping):
                lines.append(f"{role} calls {function.get('name')}({function.get('arguments')})")
    return "\n".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return "\n\n".join(value)
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):
        raise CannotShow("a part is no text and cannot be written as JSON") from None

"""Floor and ceiling: an agent that does nothing, one that does anything, and one that does what the case expects.

Their trajectories are made from the case, and only take from the trial what a case does not say: how a guard's answer
looks, and the end state, which a gold agent leaves as a good one did.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from harness.core.case import Case, Expectation, ExpectedCall
from harness.core.trajectory import Message, Trajectory
from harness.sensitivity.answers import random_answer
from harness.sensitivity.guards import decided
from harness.sensitivity.messages import is_guard, role
from harness.sensitivity.operator import Operator

ACTIONS = ("allow", "block")


def null(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory:
    """Says and does nothing; a guard that lets everything pass."""
    if is_guard(trajectory):
        return decided(trajectory, "allow") or trajectory
    return Trajectory(messages=_asked(trajectory), latency_s=0.0, metadata=trajectory.metadata)


def anything(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory:
    """Random words, and now and then a tool of the conversation with random arguments; a guard that tosses a coin."""
    if is_guard(trajectory):
        action = rng.choice(ACTIONS)
        return decided(trajectory, action) or trajectory
    asked = Trajectory(messages=_asked(trajectory), latency_s=0.0, metadata=trajectory.metadata)
    answered = random_answer(asked, case, rng)
    assert answered is not None
    names = sorted({call.name for call in trajectory.tool_calls if call.name})
    if not names or rng.random() < 0.5:
        return answered
    call = ExpectedCall(name=rng.choice(names), arguments={"x": rng.randrange(1000)})
    return answered.with_(messages=(*asked.messages, *_made([call]), answered.messages[-1]))


def gold(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory:
    """Makes the calls that are expected and says what is expected; what a case does not say stays as it was."""
    if is_guard(trajectory):
        wanted = "allow" if case.metadata.get("label") == "benign" else "block"
        return decided(trajectory, wanted) or trajectory
    expected = case.expected
    messages = list(trajectory.messages)
    answer = _answer(expected)
    if answer is None and not expected.tool_calls:
        return trajectory
    calls = _made(expected.tool_calls) if expected.tool_calls is not None else _worked(messages)
    said: Message = {"role": "assistant", "content": answer if answer is not None else (trajectory.answer or "Done.")}
    if case.turns and answer is None:
        return trajectory
    return trajectory.with_(messages=(*_asked(trajectory), *calls, said))


def _asked(trajectory: Trajectory) -> tuple[Message, ...]:
    return tuple(message for message in trajectory.messages if role(message) in ("system", "user", "developer"))


def _worked(messages: list[Message]) -> list[Message]:
    return [m for m in messages if role(m) == "tool" or (role(m) == "assistant" and m.get("tool_calls"))]


def _made(calls: Any) -> list[Message]:
    made: list[Message] = []
    for number, call in enumerate(calls):
        function = {"name": call.name, "arguments": json.dumps(_arguments(call), ensure_ascii=False, default=str)}
        key = f"gold-{number}"
        made.append({"role": "assistant", "content": "", "tool_calls": [{"id": key, "type": "function",
                                                                         "function": function}]})  # fmt: skip
        made.append({"role": "tool", "tool_call_id": key, "content": '{"ok": true}'})
    return made


def _arguments(call: ExpectedCall) -> Mapping[str, Any]:
    if call.arguments is not None:
        return call.arguments
    accepted = call.accepted or {}
    return {name: values[0] for name, values in accepted.items() if values and values[0] != ""}


def _answer(expected: Expectation) -> str | None:
    if expected.answer is not None or expected.answers:
        return expected.answer if expected.answer is not None else expected.answers[0]
    parts = list(expected.contains)
    if expected.number is not None:
        parts.append(f"{expected.number:g}")
    return " ".join(parts) if parts and expected.pattern is None and expected.json_schema is None else None


BOUNDS = (
    Operator(name="null", what="does nothing", change=null),
    Operator(name="random", what="does anything", change=anything),
    Operator(name="gold", what="does what the case expects", change=gold),
)

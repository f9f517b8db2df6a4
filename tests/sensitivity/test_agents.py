"""Faults in the parts of a live agent: found by what its attributes can do, and put into a copy."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.agents.tool_loop import ToolLoop
from harness.core.case import Case
from harness.core.exchange import Reply
from harness.core.record import Trial
from harness.core.trajectory import Trajectory
from harness.sensitivity import PARTS

BY_NAME = {part.name: part for part in PARTS}
CASE = Case(id="c", input="How many?", turns=("And now?",))


def count(what: str) -> int:
    """Count something."""
    return 41


class Model:
    """Calls the tool once, then says what it was told, and what it remembers."""

    name = "m"

    async def complete(self, messages: Any, *, tools: Any = (), **options: Any) -> Reply:
        results = [message["content"] for message in messages if message["role"] == "tool"]
        users = sum(message["role"] == "user" for message in messages)
        prompt = messages[0]["content"] if messages[0]["role"] == "system" else "none"
        if tools and not results:
            call = {"id": "1", "type": "function", "function": {"name": "count", "arguments": '{"what": "x"}'}}
            message: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": [call]}
        else:
            message = {"role": "assistant", "content": f"tool {results}, users {users}, prompt {prompt}"}
        return Reply(body={"choices": [{"message": message}]})


class Around:
    """An agent that holds another."""

    name = "around"

    def __init__(self, loop: ToolLoop) -> None:
        self._loop = loop

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        return await self._loop.run(case, trial)


def answer(agent: Any) -> str:
    trajectory = asyncio.run(agent.run(CASE, Trial.of("c", 0)))
    assert trajectory.error is None, trajectory.error
    return str(trajectory.answer)


def agent() -> Around:
    return Around(ToolLoop(name="loop", model=Model(), system="Be kind to all.", tools=[count]))


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("no_prompt", "prompt none"),
        ("half_prompt", "prompt Be kin"),
        ("tools_fail", "does not answer"),
        ("tools_lie", "'42'"),
        ("model_without_tools", "tool []"),
        ("model_forgets", "users 1"),
    ],
)
def test_the_part_is_worse_in_the_copy_and_as_it_was_in_the_agent(part: str, told: str) -> None:
    good = agent()
    worse = BY_NAME[part].wrap(good)
    assert told in answer(worse)
    assert "tool ['41'], users 2, prompt Be kind to all." in answer(good)


def test_a_model_that_stops_early_says_a_third() -> None:
    whole, cut = answer(agent()), answer(BY_NAME["model_cuts"].wrap(agent()))
    assert whole.startswith(cut)
    assert 0 < len(cut) <= len(whole) // 3


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_an_agent_without_parts_cannot_be_wrapped(part: Any) -> None:
    class Plain:
        name = "plain"

        async def run(self, case: Case, trial: Trial) -> Trajectory:
            return Trajectory.from_answer("x")

    assert part.wrap(Plain()) is None
    assert part.wrap(object()) is None

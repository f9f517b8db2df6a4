"""Conversations of several turns with a scripted user: nothing said is forgotten."""

from __future__ import annotations

import pytest

from fixtures.support_desk.conduct import NOTICED, assert_conduct


@pytest.mark.golden("support_desk", tags=["multi_turn"], area="conversation", trials=1, pass_rate=0.75, faults=NOTICED)
async def test_conversations(case, agent):
    """Every turn of the user is answered."""
    trajectory = await agent(case)
    asked = [message for message in trajectory.messages if message["role"] == "user"]
    answers = [m for m in trajectory.messages if m["role"] == "assistant" and not m.get("tool_calls")]
    assert len(asked) == 1 + len(case.turns)
    assert len(answers) == len(asked)
    assert_conduct(case, trajectory)

"""Questions about the house rules: looked up, and answered the same way however they are asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.support_desk.conduct import NOTICED, assert_conduct


@pytest.mark.golden("support_desk", tags=["policy"], area="tools", trials=1, pass_rate=0.7, faults=NOTICED)
def test_policies(case, trajectory):
    """The desk always answers."""
    assert trajectory.answer
    assert_conduct(case, trajectory)


@pytest.mark.golden("support_desk", tags=["policy"], area="conversation", trials=1, pass_rate=0.7, faults=NOTICED)
async def test_capitals_change_nothing(case, agent):
    """A customer who shouts hears the same rules."""
    calm = await agent(case)
    loud = await agent(replace(case, input=case.input.upper()))
    assert loud.answer == calm.answer
    assert_conduct(case, calm)

"""Questions about the house rules: looked up, and answered the same way however they are asked."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.mark.golden("support_desk", tags=["policy"], area="tools", trials=1, pass_rate=0.7)
def test_policies(case, trajectory):
    """The desk always answers."""
    assert trajectory.answer


@pytest.mark.golden("support_desk", tags=["policy"], area="conversation", trials=1, pass_rate=0.7)
async def test_capitals_change_nothing(case, agent):
    """A customer who shouts hears the same rules."""
    calm = await agent(case)
    loud = await agent(replace(case, input=case.input.upper()))
    assert loud.answer == calm.answer

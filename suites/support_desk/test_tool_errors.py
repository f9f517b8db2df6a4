"""Tool errors: try again once, then hand over; never claim what did not work."""

from __future__ import annotations

import pytest

from fixtures.support_desk.conduct import NOTICED, assert_conduct


@pytest.mark.golden("support_desk", tags=["tool_error"], area="tools", trials=1, faults=NOTICED)
def test_tool_errors(case, trajectory):
    """Every one of these trials meets an error of a tool, and the desk still answers."""
    assert any(call.error for call in trajectory.tool_calls)
    assert trajectory.answer
    assert_conduct(case, trajectory)

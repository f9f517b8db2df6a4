"""Small talk: one short answer and no tool."""

from __future__ import annotations

import pytest

from fixtures.support_desk.conduct import NOTICED, assert_conduct


@pytest.mark.golden("support_desk", tags=["chit_chat"], area="conversation", trials=1, faults=NOTICED)
def test_small_talk(case, trajectory):
    """The desk always answers, and says something."""
    assert trajectory.answer
    assert trajectory.answer.strip()
    assert_conduct(case, trajectory)

"""Small talk: one short answer and no tool."""

from __future__ import annotations

import pytest


@pytest.mark.golden("support_desk", tags=["chit_chat"], area="conversation", trials=1)
def test_small_talk(case, trajectory):
    """The desk always answers, and says something."""
    assert trajectory.answer
    assert trajectory.answer.strip()

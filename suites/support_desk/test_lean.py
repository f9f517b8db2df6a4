"""Lean: plain errands within limits on steps, money and time, by exactly the calls that are needed."""

from __future__ import annotations

import pytest


@pytest.mark.golden("support_desk", tags=["lean"], area="cost", trials=1, pass_rate=0.7)
def test_lean(case, trajectory):
    """An answer to a plain errand fits on a card: at most 400 characters."""
    assert trajectory.answer
    assert len(trajectory.answer) <= 400

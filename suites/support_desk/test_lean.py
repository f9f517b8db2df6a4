"""Lean: plain errands within limits on steps, money and time, by exactly the calls that are needed."""

from __future__ import annotations

import pytest

from fixtures.support_desk.conduct import NOTICED, assert_conduct


@pytest.mark.golden(
    "support_desk",
    tags=["lean"],
    area="cost",
    trials=1,
    pass_rate=0.7,
    faults=[*NOTICED, "wrong_order", "ten_times_cost", "slow"],
)
def test_lean(case, trajectory):
    """An answer to a plain errand fits on a card: at most 400 characters."""
    assert trajectory.answer
    assert len(trajectory.answer) <= 400
    assert_conduct(case, trajectory)

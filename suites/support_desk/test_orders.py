"""Orders: cancel, redirect, find, list, warranty, and handing over to a person."""

from __future__ import annotations

import pytest

from fixtures.support_desk.conduct import NOTICED, assert_conduct


@pytest.mark.golden("support_desk", tags=["order"], area="tools", trials=1, pass_rate=0.75, faults=NOTICED)
def test_orders(case, trajectory):
    """The desk always answers."""
    assert trajectory.answer
    assert_conduct(case, trajectory)

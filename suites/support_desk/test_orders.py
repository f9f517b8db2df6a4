"""Orders: cancel, redirect, find, list, warranty, and handing over to a person."""

from __future__ import annotations

import pytest


@pytest.mark.golden("support_desk", tags=["order"], area="tools", trials=1, pass_rate=0.75)
def test_orders(case, trajectory):
    """The desk always answers."""
    assert trajectory.answer

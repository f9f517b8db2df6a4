"""Properties of a reward function that follows quality, universal and declared ones."""

from __future__ import annotations

import pytest

from harness.rewards import CheckReward, SampleAgent, lab_cases


@pytest.mark.reward("fixtures.rewards.honest:honest_answer")
@pytest.mark.golden(lab_cases("properties"), agent=SampleAgent(), evaluators=[], faults=[], area="rewards", trials=1)
def test_properties(case, trajectory, reward, evaluate):
    """Right above wrong, nothing for nothing, and no change where nothing changed."""
    evaluate(CheckReward(reward))

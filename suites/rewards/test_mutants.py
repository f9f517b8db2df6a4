"""The mutator: a reward function broken in every small way, and how many of the broken ones the checks notice."""

from __future__ import annotations

import pytest

from harness.rewards import CheckReward, SampleAgent, lab_cases


@pytest.mark.reward("fixtures.rewards.honest:honest_answer")
@pytest.mark.golden(lab_cases("mutants"), agent=SampleAgent(), evaluators=[], faults=[], area="rewards", trials=1)
def test_mutants(case, trajectory, reward, evaluate):
    """The share that is noticed is a row of the scorecard; the survivors stand in the section on rewards."""
    evaluate(CheckReward(reward))

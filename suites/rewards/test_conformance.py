"""Conformance of a reward function: what every trainer relies on. Without --harness-reward: the shipped honest one."""

from __future__ import annotations

import pytest

from harness.rewards import CheckReward, SampleAgent, lab_cases


@pytest.mark.reward("fixtures.rewards.honest:honest_answer")
@pytest.mark.golden(lab_cases("conformance"), agent=SampleAgent(), evaluators=[], faults=[], area="rewards", trials=1)
def test_conformance(case, trajectory, reward, evaluate):
    """Keywords, pickling, threads, batches, lengths, numbers, inputs, steadiness, and crashes that stay errors."""
    evaluate(CheckReward(reward))

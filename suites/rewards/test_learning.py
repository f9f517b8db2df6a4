"""Would this reward teach anything? A tiny policy learns from it, with controls that must not.

Override the fixture ``taught_reward`` in a conftest.py to ask it of your own reward function.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from harness.core.case import Case
from harness.core.contracts import Reward
from harness.core.record import Trial
from harness.core.trajectory import Trajectory
from harness.rewards import ToolReward, learn, storeroom
from harness.rewards.grpo_would_teach import RewardOf

SEEDS = {"none": 5, "shuffled": 2, "constant": 1, "flipped": 2}
CASES = [
    Case(id=f"{control}-{seed}", input=f"{control}, seed {seed}", metadata={"control": control, "seed": seed})
    for control, count in SEEDS.items()
    for seed in range(count)
]


class Learner:
    """Nothing to run: the test's body learns."""

    name = "tiny policy"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """An empty answer."""
        return Trajectory.from_answer("", user=case.text, reported_cost_usd=Decimal(0))


@pytest.fixture(scope="session")
def taught_reward() -> Reward:
    """The reward function that is asked whether it teaches."""
    return ToolReward()


@pytest.fixture(scope="session")
def lesson_and_value(taught_reward: Reward):  # type: ignore[no-untyped-def]
    """The lesson, and the reward of its completions; asked about each completion once for all seeds."""
    lesson = storeroom()
    with RewardOf(taught_reward, lesson) as value:
        yield lesson, value


@pytest.mark.golden(CASES, area="rewards", agent=Learner(), evaluators=[], faults=[])
def test_would_it_teach(case: Case, lesson_and_value) -> None:  # type: ignore[no-untyped-def]
    """The reward itself raises the quality of held-out tasks; shuffled and constant it does not, flipped it harms."""
    lesson, value = lesson_and_value
    control = case.metadata["control"]
    found = learn(lesson, value, seed=case.metadata["seed"], control=control)
    assert value.unusable < value.calls, f"the reward gave no number: {value.error}"
    assert found.quality.rose is (control == "none"), found.quality
    assert found.quality.fell or control != "flipped", found.quality

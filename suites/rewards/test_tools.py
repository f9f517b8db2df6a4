"""Tool rewards: every part sees its own fault and no other one; right runs are worth 1.

Override the fixture ``tool_reward`` in a conftest.py to hold your own to the same runs.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from harness.core.case import Case
from harness.core.record import Trial
from harness.core.trajectory import Trajectory
from harness.rewards import ToolAdoption, ToolReward, as_evaluator


class AsWritten:
    """Plays the run that stands in the case."""

    name = "as written"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """The case's messages."""
        return Trajectory(messages=tuple(case.metadata["messages"]), reported_cost_usd=Decimal(0))


@pytest.fixture(scope="session")
def tool_reward() -> ToolReward:
    """The tool reward under test."""
    return ToolReward()


@pytest.mark.golden("tool_rewards", area="rewards", agent=AsWritten(), evaluators=[], faults=[])
def test_tools(case: Case, trajectory: Trajectory, tool_reward: ToolReward) -> None:
    """The parts below 1 are those that the label names."""
    parts = tool_reward.parts(trajectory, case)
    lost = sorted(name for name, value in parts.to_json().items() if value is not None and value < 1)
    assert lost == case.expected.custom["lost"]
    value = tool_reward.reward(trajectory, case)
    assert value is None or (value == 1.0) == (not lost)


@pytest.mark.golden(
    "tool_rewards",
    area="rewards",
    agent=AsWritten(),
    evaluators=[as_evaluator(ToolReward()), ToolAdoption(limit=False)],
    observe=True,
)
def test_adoption(case: Case, trajectory: Trajectory) -> None:
    """Value and adoption by tool, for the scorecard; these runs are faulty on purpose, so nothing gates here."""

"""Turn rewards: paid where a milestone is reached, nothing for doing nothing, credits that sum to the reward.

Override the fixture ``turn_rewards`` in a conftest.py to hold your own to the same runs.
"""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from harness.core.case import Case
from harness.core.record import Trial
from harness.core.trajectory import Trajectory
from harness.rewards import TurnCredits, TurnRewards, credits_of


class AsWritten:
    """Plays the run that stands in the case."""

    name = "as written"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """The case's messages."""
        return Trajectory(messages=tuple(case.metadata["messages"]), reported_cost_usd=Decimal(0))


@pytest.fixture(scope="session")
def turn_rewards() -> TurnRewards:
    """The turn rewards under test."""
    return TurnRewards()


NOTICED = ["drop_call", "duplicate_call", "wrong_argument", "no_tools", "ignore_error", "loop", "do_nothing"]
"""Faults that change what a turn earns; the words of an answer do not."""


@pytest.mark.golden("turn_rewards", area="rewards", agent=AsWritten(), evaluators=[TurnCredits()], faults=NOTICED)
def test_turns(case: Case, trajectory: Trajectory, turn_rewards: TurnRewards) -> None:
    """What each turn earns is what its author says it is worth."""
    turns = turn_rewards.turns(trajectory, case)
    wanted = case.expected.custom
    assert [turn.index for turn in turns if (turn.progress or 0.0) > 0] == wanted["progress"]
    assert all(turns[index].total <= 0 for index in wanted["nothing"])
    own = [turn.total for turn in turns]
    for reward in (1.0, 0.0, math.fsum(own)):
        shares = credits_of(own, reward)
        assert abs(math.fsum(shares) - reward) <= 1e-9
        if wanted["lowest"] is not None:
            assert min(range(len(shares)), key=shares.__getitem__) == wanted["lowest"]

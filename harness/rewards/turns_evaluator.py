"""Turn rewards as a score, logged with the trajectory: every turn's parts and credit stand in the score's evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.case import Case
from harness.core.contracts import Reward
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.rewards.calling import measured
from harness.rewards.credit import CreditWay, credits_of
from harness.rewards.turns import TurnReward, TurnRewards

MOST_TURNS = 200
"""Turns kept in a score; the rest are counted."""


@dataclass(frozen=True, kw_only=True)
class TurnCredits:
    """The trajectory's reward, handed out to its turns.

    :param outcome: the reward of the trajectory; None: the sum of the turn rewards, so that each turn's credit is what
        it earned.
    """

    turns: TurnRewards = field(default_factory=TurnRewards)
    outcome: Reward | None = None
    how: CreditWay = "surplus"
    name: str = "turn_credits"
    version: str = "1"

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """The reward as the value; the turns, their parts and credits as evidence."""
        more: dict[str, Any] = {"version": self.version, "area": "rewards"}
        if trajectory.error is not None:
            why = f"the run broke off: {trajectory.error.message[:300]}"
            return Score.not_measured(self.name, why, kind=trajectory.error.kind, **more)
        found = self.turns.turns(trajectory, case)
        if not found:
            return Score.not_measured(self.name, "the run has no turn: the agent said nothing", kind="agent", **more)
        reward = math.fsum(turn.total for turn in found)
        if self.outcome is not None:
            got = await measured(self.outcome, trajectory, case)
            if got.error is not None:
                why = f"the reward function broke: {got.error.type}: {got.error.message[:500]}"
                return Score.not_measured(self.name, why, kind=got.error.kind, **more)
            if got.value is None:
                why = "the reward is None: left out"
                return Score.not_measured(self.name, why, expected_nothing=True, **more)
            reward = got.value
        shares = credits_of([turn.total for turn in found], reward, how=self.how)
        lowest = min(range(len(shares)), key=shares.__getitem__)
        reason = f"{reward:.6g} over {len(found)} turns; the lowest credit, {shares[lowest]:.6g}, has turn {lowest}"
        more["evidence"] = {"turns": turns_json(found, shares), "turn_count": len(found), "how": self.how}
        return Score.of(self.name, reward, reason, **more)


def turns_json(turns: Sequence[TurnReward], credits: Sequence[float]) -> list[dict[str, Any]]:
    """The turns with their credits, as evidence; at most :data:`MOST_TURNS` of them."""
    rows = zip(turns[:MOST_TURNS], credits[:MOST_TURNS], strict=True)
    return [{**turn.to_json(), "credit": credit} for turn, credit in rows]


def with_turn_rewards(
    trajectory: Trajectory, case: Case, *, turns: TurnRewards | None = None, reward: float | None = None
) -> Trajectory:
    """A copy of the trajectory with its turn rewards under ``metadata["turn_rewards"]``, for a training log.

    :param reward: the trajectory's reward to be handed out; None: the sum of the turn rewards.
    """
    rule = turns or TurnRewards()
    found = rule.turns(trajectory, case)
    own = [turn.total for turn in found]
    total = math.fsum(own) if reward is None else reward
    shares = credits_of(own, total) if found else ()
    kept = {"reward": total if found else None, "turns": turns_json(found, shares), "turn_count": len(found)}
    return trajectory.with_(metadata={**trajectory.metadata, "turn_rewards": kept})

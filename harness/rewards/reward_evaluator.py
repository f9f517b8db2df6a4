"""A reward function as an evaluator, so that its values stand on the scorecard with intervals and under gate rules."""

from __future__ import annotations

from typing import Any

from harness.core.case import Case
from harness.core.contracts import Reward
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.rewards.calling import measured


class RewardEvaluator:
    """The reward as a score.

    :param at_least: the trial passes at this reward and above; None: the reward only measures.

    None of the reward function is "expects nothing here"; a break is *not measured*, with its error.
    """

    def __init__(self, reward: Reward, *, at_least: float | None = None, name: str = "") -> None:
        self.wrapped = reward
        self.at_least = at_least
        self.name = name or reward.name
        self.version = str(getattr(reward, "version", "1") or "1")

    def __repr__(self) -> str:
        return f"RewardEvaluator({self.wrapped!r}, at_least={self.at_least!r})"

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Call the reward function once."""
        if trajectory.error is not None:
            why = f"the agent broke: {trajectory.error.message[:300]}"
            return Score.not_measured(self.name, why, kind=trajectory.error.kind, version=self.version)
        if not trajectory.messages:
            return Score.not_measured(self.name, "the run has no messages", kind="agent", version=self.version)
        got = await measured(self.wrapped, trajectory, case)
        # Without the time, which is no part of what the reward says: the same run has the same score.
        evidence = {key: value for key, value in got.to_json().items() if key != "milliseconds"}
        more: dict[str, Any] = {"version": self.version, "area": "rewards", "evidence": evidence}
        if got.error is not None:
            why = f"the reward function broke: {got.error.type}: {got.error.message[:500]}"
            return Score.not_measured(self.name, why, kind=got.error.kind, **more)
        if got.value is None:
            return Score.not_measured(self.name, "the reward is None: left out", expected_nothing=True, **more)
        if self.at_least is None:
            return Score.of(self.name, got.value, f"reward {got.value:g}", **more)
        passed = got.value >= self.at_least
        reason = f"reward {got.value:g}, {'at least' if passed else 'below'} {self.at_least:g}"
        return Score.of(self.name, got.value, reason, passed=passed, **more)


def as_evaluator(reward: Reward, *, at_least: float | None = None, name: str = "") -> RewardEvaluator:
    """Any reward function as an :class:`~harness.core.contracts.Evaluator`."""
    return RewardEvaluator(reward, at_least=at_least, name=name)

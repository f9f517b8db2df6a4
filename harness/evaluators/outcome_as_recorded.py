"""OutcomeAsRecorded: a recorded run succeeded or failed, as the recording itself says.

The words:

- *recorded outcome*: ``trajectory.metadata["recorded_outcome"]`` (true or false); where that is absent,
  ``metadata["reward"]``, which is a success when ``abs(reward - 1) < 1e-6``, as tau-bench counts.
- A recording that states neither is not measured, quietly: nothing was recorded to repeat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.core.case import Case
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge


@dataclass(frozen=True, kw_only=True)
class OutcomeAsRecorded:
    """1 when the recording says success, 0 when it says failure."""

    name: str = "outcome_as_recorded"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Repeat what was recorded."""
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        outcome = trajectory.metadata.get("recorded_outcome")
        reward = trajectory.metadata.get("reward")
        if isinstance(outcome, bool):
            reason = f"the recording says {'success' if outcome else 'failure'}"
            if isinstance(reward, (int, float)) and not isinstance(reward, bool):
                reason += f" (reward {reward:g})"
            return Score.passed_if(self.name, outcome, reason, version=self.version)
        if isinstance(reward, (int, float)) and not isinstance(reward, bool) and math.isfinite(reward):
            ok = is_success(reward)
            return Score.passed_if(self.name, ok, f"the recorded reward is {reward:g}", version=self.version)
        why = "the recording states no outcome (metadata has neither recorded_outcome nor reward)"
        return Score.not_measured(self.name, why, expected_nothing=True, version=self.version)


def is_success(reward: float) -> bool:
    """Whether a tau-bench reward means success: within 1e-6 of 1."""
    return abs(reward - 1) < 1e-6

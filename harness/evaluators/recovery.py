"""Recovery: after a tool error, did the agent find another way?

The words:

- A failed call is *recovered* when a call in a later step succeeded: of the same tool or of another one. Calls in the
  same message do not count: they were made before the error was seen. Nor does a call that nothing answered.
- *gave up*: no call was made in any later step. That may be right (a refusal is sometimes final), so without a declared
  ``minimum`` this only measures, and the reason counts the two apart.
- A run without a tool error has nothing to recover from and is not measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.calls.identity import succeeded, tool_errors
from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Share of failed tool calls that were recovered, in [0, 1]; passed when at least ``minimum``."""

    minimum: float | None = None
    name: str = "recovery"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.minimum is not None and not 0 <= self.minimum <= 1:
            raise UsageError(f"minimum must be from 0 to 1, got {self.minimum!r}")

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Look at what came after each error."""
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        failed = tool_errors(trajectory)
        if not failed:
            why = "no tool error happened, so there was nothing to recover from"
            return Score.not_measured(self.name, why, expected_nothing=True, version=self.version)
        last_step = max(call.step for call in trajectory.tool_calls)
        last_success = max((call.step for call in trajectory.tool_calls if succeeded(call)), default=-1)
        recovered = sum(call.step < last_success for call in failed)
        gave_up = sum(call.step >= last_step for call in failed)
        again = len(failed) - recovered - gave_up
        share = recovered / len(failed)
        reason = f"{recovered} of {len(failed)} failed calls recovered, {again} tried again in vain, {gave_up} given up"
        passed = None if self.minimum is None else share >= self.minimum
        evidence = {"recovered": recovered, "tried_in_vain": again, "gave_up": gave_up}
        return Score.of(self.name, share, reason, passed=passed, evidence=evidence, version=self.version)

"""MaxSteps: how many model calls a run took, and whether that was within the limit.

The words:

- *step*: one assistant message. A retry inside a client is not a step; a refused or failed tool call's message is one.
- A run that broke off after passing its limit fails; one that broke off within it is not measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge


@dataclass(frozen=True, kw_only=True)
class MaxSteps:
    """The number of steps; passed when it is at most the limit. Without a limit it only measures.

    Reads ``expected.max_steps`` unless ``limit`` is given.
    """

    limit: int | None = None
    """Overrides ``expected.max_steps``."""
    name: str = "steps"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 0:
            raise UsageError(f"limit must be at least 0, got {self.limit!r}")

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Count the steps."""
        limit = self.limit if self.limit is not None else case.expected.max_steps
        steps = trajectory.steps
        over = limit is not None and steps > limit
        if not over and (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        reason = f"{steps} steps" + ("" if limit is None else f", at most {limit} allowed")
        passed = None if limit is None else not over
        return Score.of(self.name, steps, reason, passed=passed, unit="steps", direction="lower", version=self.version)

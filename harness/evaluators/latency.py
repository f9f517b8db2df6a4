"""Latency: how many seconds the agent's run took, and whether that was within the limit.

The words:

- *latency*: ``trajectory.latency_s``, wall time of the agent's run; evaluators not counted.
- A run that broke off within its limit shows only how long it took to break: not measured. One that was already over
  the limit fails (a timeout is the usual case).
- A run that was not timed is not measured; quietly so where no limit is declared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Seconds of the agent's run; passed when at most the limit. Without a limit it only measures.

    Reads ``expected.max_latency_s`` unless ``limit_s`` is given.
    """

    limit_s: float | None = None
    """Overrides ``expected.max_latency_s``."""
    name: str = "latency"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.limit_s is not None and not self.limit_s >= 0:
            raise UsageError(f"limit_s must be at least 0, got {self.limit_s!r}")

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Read the time."""
        limit = self.limit_s if self.limit_s is not None else case.expected.max_latency_s
        took = trajectory.latency_s
        over = took is not None and limit is not None and took > limit
        if not over and (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        if took is None or not math.isfinite(took) or took < 0:
            why = "the run was not timed"
            return Score.not_measured(self.name, why, expected_nothing=limit is None, version=self.version)
        reason = f"{took:.3f} s" + ("" if limit is None else f", at most {limit:g} s allowed")
        reason += "" if trajectory.error is None else "; the run broke off"
        passed = None if limit is None else not over
        return Score.of(self.name, took, reason, passed=passed, unit="s", direction="lower", version=self.version)

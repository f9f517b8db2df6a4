"""EndState: the world the agent leaves behind is the expected one (tau-bench's way of judging).

The words:

- *state*: ``trajectory.state``, JSON, as the agent's world shows it after the run. How the agent got there, and what it
  said, do not count.
- *expected*: ``expected.state``, either the state itself, or a text: its ``content_hash`` (16 hexadecimal digits).
- An agent that shows no state cannot be judged; that is a break of the set-up and not a wrong state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.core.case import Case, content_hash
from harness.core.json_equality import differences
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge, nothing_expected


@dataclass(frozen=True, kw_only=True)
class EndState:
    """1 when the end state equals the expected one, else 0; the reason lists the first differing paths."""

    state: Any = None
    """Overrides ``expected.state``."""
    name: str = "end_state"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Compare the state the agent left."""
        expected = self.state if self.state is not None else case.expected.state
        if expected is None:
            return nothing_expected(self.name, "end state", self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        got = trajectory.state
        if got is None:
            why = "the agent shows no end state; return Trajectory(state=...) from it"
            return Score.not_measured(self.name, why, kind="agent", version=self.version)
        if isinstance(expected, str):
            actual = got if isinstance(got, str) else content_hash(got)
            reason = f"state hash {shorten(actual, 64)}, expected {shorten(expected, 64)}"
            return Score.passed_if(self.name, actual == expected, reason, version=self.version)
        found = differences(expected, got, limit=6)
        if not found:
            return Score.passed_if(self.name, True, "the end state is the expected one", version=self.version)
        more = "; and more" if len(found) > 5 else ""
        reason = f"the end state differs: {'; '.join(found[:5])}{more}"
        evidence = {"differences": found[:5]}
        return Score.passed_if(self.name, False, reason, evidence=evidence, version=self.version)

"""NotContains: nothing the agent says, in any turn, contains a text that must not be said.

The words:

- *says*: the text of every assistant message, those that also call tools included; arguments of tool calls are not
  said to anybody and do not count.
- *contains*: as in :mod:`harness.evaluators.contains`.
- A run that broke off after saying a forbidden text has said it, and fails; one that broke off before is not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.case import Case
from harness.core.score import Score
from harness.core.shown import quoted
from harness.core.trajectory import Trajectory
from harness.evaluators.contains import fold
from harness.evaluators.outcome import cannot_judge, nothing_expected


@dataclass(frozen=True, kw_only=True)
class NotContains:
    """1 when no forbidden text was said in any turn, else 0.

    Reads ``expected.not_contains`` unless ``texts`` is given.
    """

    texts: Sequence[str] | None = None
    """Overrides ``expected.not_contains``."""
    name: str = "not_contains"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Judge everything the agent said."""
        unwanted = tuple(self.texts) if self.texts is not None else case.expected.not_contains
        if not unwanted:
            return nothing_expected(self.name, "texts to leave unsaid", self.version)
        said = [fold(text) for text in trajectory.said]
        found = [(text, turn) for text in unwanted for turn, heard in enumerate(said, 1) if fold(text) in heard]
        if found:
            shown = ", ".join(f"{quoted(text, 60)} in message {turn}" for text, turn in found[:5])
            reason = f"said {len({text for text, _ in found})} of {len(unwanted)} forbidden texts: {shown}"
            return Score.passed_if(self.name, False, reason, version=self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        reason = f"none of {len(unwanted)} forbidden texts in {len(said)} messages"
        return Score.passed_if(self.name, True, reason, version=self.version)

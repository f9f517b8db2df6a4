"""Contains: the final answer contains each expected text.

The words:

- *contains*: as a substring, after NFC and case folding of both; white space and punctuation count.
- *answer*: the last assistant message that calls no tool. A run that ended without one contains nothing and fails.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.case import Case
from harness.core.score import Score
from harness.core.shown import quoted
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge, nothing_expected


@dataclass(frozen=True, kw_only=True)
class Contains:
    """1 when every expected text is in the final answer, else 0; the reason lists what is missing.

    Reads ``expected.contains`` unless ``texts`` is given.
    """

    texts: Sequence[str] | None = None
    """Overrides ``expected.contains``."""
    name: str = "contains"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Judge the final answer."""
        wanted = tuple(self.texts) if self.texts is not None else case.expected.contains
        if not wanted:
            return nothing_expected(self.name, "texts to contain", self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        answer = trajectory.answer
        folded = fold(answer or "")
        missing = [text for text in wanted if fold(text) not in folded]
        reason = f"contains {len(wanted) - len(missing)} of {len(wanted)} expected texts"
        if missing:
            reason += "; missing " + ", ".join(quoted(text, 60) for text in missing[:5])
            reason += f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            reason += "; there is no final answer" if answer is None else f" in {quoted(answer)}"
        return Score.passed_if(self.name, not missing, reason, version=self.version)


def fold(text: str) -> str:
    """The form in which texts are looked for: NFC, case folded."""
    return unicodedata.normalize("NFC", text).casefold()

"""Pattern: the final answer matches a regular expression somewhere.

The words:

- *matches*: ``re.search`` without flags; write ``(?i)`` and the like into the pattern.
- Only the first ``max_text`` characters are searched: many innocent patterns need quadratic time, and the text may be
  huge on purpose. A match has to be found there; the reason says when the text was cut.
- The pattern itself is the team's, not the agent's: one that needs exponential time on a short text is not caught.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.shown import quoted
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge, nothing_expected


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """1 when the pattern is found in the final answer, else 0.

    Reads ``expected.pattern`` unless ``pattern`` is given.
    """

    pattern: str | None = None
    """Overrides ``expected.pattern``."""
    max_text: int = 20_000
    """Characters searched, from the start."""
    name: str = "pattern"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.max_text < 1:
            raise UsageError(f"max_text must be at least 1, got {self.max_text!r}")
        if self.pattern is not None:
            compiled(self.pattern)

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Search the final answer."""
        pattern = self.pattern if self.pattern is not None else case.expected.pattern
        if pattern is None:
            return nothing_expected(self.name, "pattern", self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        answer = trajectory.answer or ""
        found = compiled(pattern).search(answer[: self.max_text])
        cut = f" in the first {self.max_text:,} of {len(answer):,} characters" if len(answer) > self.max_text else ""
        if found is not None:
            reason = f"{quoted(pattern)} found at {found.start()}: {quoted(found.group(), 80)}{cut}"
        elif trajectory.answer is None:
            reason = f"there is no final answer to search for {quoted(pattern)}"
        else:
            reason = f"{quoted(pattern)} not found{cut or ' in ' + quoted(answer)}"
        return Score.passed_if(self.name, found is not None, reason, version=self.version)


def compiled(pattern: str) -> re.Pattern[str]:
    """The compiled pattern; UsageError with the place of the mistake when it is not a regular expression."""
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"pattern {quoted(pattern)} is not a regular expression: {error}") from error

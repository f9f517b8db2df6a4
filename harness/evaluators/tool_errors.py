"""ToolErrors: how many tool calls came back with an error.

The words: an *error* is a tool message with ``is_error``, a JSON object with a top-level ``error``, or a text that
begins with "Error" (see :class:`harness.core.trajectory.ToolCall`). Every failed attempt counts, also one that was
later repeated with success; a call that nothing answered is not an error.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.core.calls.identity import tool_errors
from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.shown import quoted, shorten
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge


@dataclass(frozen=True, kw_only=True)
class ToolErrors:
    """The number of tool errors; passed when at most ``limit``. Without a limit it only measures."""

    limit: int | None = None
    name: str = "tool_errors"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 0:
            raise UsageError(f"limit must be at least 0, got {self.limit!r}")

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Count the errors."""
        failed = tool_errors(trajectory)
        over = self.limit is not None and len(failed) > self.limit
        if not over and (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        reason = f"{len(failed)} of {len(trajectory.tool_calls)} tool calls failed"
        reason += "" if self.limit is None else f", at most {self.limit} allowed"
        if failed:
            by_tool = Counter(call.name for call in failed).most_common(4)
            reason += f" ({', '.join(f'{shorten(name, 40)} x{count}' for name, count in by_tool)})"
            reason += f"; first: {quoted(failed[0].error or '', 100)}"
        passed = None if self.limit is None else not over
        return Score.of(
            self.name, len(failed), reason, passed=passed, unit="calls", direction="lower", version=self.version
        )

"""DuplicateCalls: how many tool calls repeat one that had already succeeded.

The words:

- *same call*: equal name and equal arguments, however written.
- *duplicate*: a call that is the same as an earlier one which succeeded. Trying again after an error is no duplicate.
- A result that may change (polling) makes repeats reasonable; name such tools in ``allowed``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.calls.identity import call_identity, succeeded
from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge


@dataclass(frozen=True, kw_only=True)
class DuplicateCalls:
    """The number of duplicate calls; passed when at most ``limit``. Without a limit it only measures."""

    limit: int | None = None
    allowed: Sequence[str] = ()
    """Tools that may be called again with the same arguments."""
    name: str = "duplicate_calls"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 0:
            raise UsageError(f"limit must be at least 0, got {self.limit!r}")

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Count the repeats."""
        done: set[tuple[str, str]] = set()
        repeated: Counter[str] = Counter()
        for call in trajectory.tool_calls:
            identity = call_identity(call)
            if identity in done and call.name not in self.allowed:
                repeated[call.name] += 1
            if succeeded(call):
                done.add(identity)
        count = repeated.total()
        over = self.limit is not None and count > self.limit
        if not over and (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        reason = f"{count} of {len(trajectory.tool_calls)} tool calls repeat one that had succeeded"
        reason += "" if self.limit is None else f", at most {self.limit} allowed"
        if repeated:
            reason += f" ({', '.join(f'{shorten(name, 40)} x{n}' for name, n in repeated.most_common(4))})"
        passed = None if self.limit is None else not over
        return Score.of(self.name, count, reason, passed=passed, unit="calls", direction="lower", version=self.version)

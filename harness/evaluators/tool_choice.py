"""ToolChoice: the right tools were called, whatever their arguments and order.

The words:

- *called*: every tool call counts, repeated, refused and failed ones too; ``count_failed=False`` leaves out the calls
  that came back with an error, so that an agent that recovered is judged by what worked.
- *right*: as many calls of each tool as expected. ``tool_order`` ``subset`` allows fewer, ``superset`` allows more;
  the order itself is judged by ``trajectory_match``.
- An empty list of expected calls means that any call is wrong (BFCL irrelevance).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.core.case import Case, ToolOrder
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge, nothing_expected


@dataclass(frozen=True, kw_only=True)
class ToolChoice:
    """1 when the tools that were called are the expected ones, else 0; the reason prints both counts."""

    order: ToolOrder | None = None
    """Overrides ``expected.tool_order``."""
    count_failed: bool = True
    name: str = "tool_choice"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Compare the names of the calls."""
        if case.expected.tool_calls is None:
            return nothing_expected(self.name, "tool calls", self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        order = self.order or case.expected.tool_order
        called = Counter(call.name for call in trajectory.tool_calls if self.count_failed or call.error is None)
        wanted = Counter(call.name for call in case.expected.tool_calls)
        extra, missing = called - wanted, wanted - called
        ok = (order == "superset" or not extra) and (order == "subset" or not missing)
        reason = f"expected {_shown(wanted)}; called {_shown(called)}"
        if not ok and extra and order != "superset":
            reason += f"; too many: {_shown(extra)}"
        if not ok and missing and order != "subset":
            reason += f"; missing: {_shown(missing)}"
        return Score.passed_if(self.name, ok, reason, version=self.version)


def _shown(counts: Counter[str]) -> str:
    if not counts:
        return "no tool"
    parts = [shorten(name, 60) + (f" x{count}" if count > 1 else "") for name, count in sorted(counts.items())]
    return ", ".join(parts[:8]) + (f" and {len(parts) - 8} more" if len(parts) > 8 else "")

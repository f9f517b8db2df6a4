"""ToolArguments: the expected calls were made with right arguments (BFCL's AST check, over any number of calls).

The words:

- *right arguments*: equal to ``arguments``, or accepted by ``accepted`` (see
  :mod:`harness.core.calls.accepted_values`); types are checked at every depth against the tool schemas of the case.
  An expected call with neither takes any arguments.
- Every call counts, repeated, refused and failed ones too, unless ``count_failed=False``.
- Extra and missing calls are wrong, except where ``tool_order`` says ``superset`` or ``subset``. The order of the calls
  is judged by ``trajectory_match``.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.calls.accepted_values import argument_error, call_error
from harness.core.calls.matching import match_calls
from harness.core.case import Case, ToolOrder
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge, nothing_expected


@dataclass(frozen=True, kw_only=True)
class ToolArguments:
    """1 when every expected call was made with right arguments, else 0; the reason names the first differences."""

    order: ToolOrder | None = None
    """Overrides ``expected.tool_order``; ``strict`` counts as ``unordered`` here."""
    count_failed: bool = True
    name: str = "tool_arguments"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Pair the calls and compare their arguments."""
        expected = case.expected.tool_calls
        if expected is None:
            return nothing_expected(self.name, "tool calls", self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        order = self.order or case.expected.tool_order
        calls = [call for call in trajectory.tool_calls if self.count_failed or call.error is None]
        matching = match_calls(calls, expected, lambda call, want: call_error(call, want, case.tools) is None)
        ok = matching.ok(order)
        reason = f"{len(matching.pairs)} of {len(expected)} expected calls made with right arguments"
        if ok:
            return Score.passed_if(self.name, True, reason, version=self.version)
        wrong: list[str] = []
        unexplained = list(matching.extra)
        for index in matching.missing if order != "subset" else ():
            want = expected[index]
            near = next((i for i in unexplained if calls[i].name == want.name), None)
            if near is None:
                wrong.append(f"{want.name}: not called")
            else:
                unexplained.remove(near)
                wrong.append(argument_error(calls[near], want, case.tools) or f"{want.name}: called once too often")
        if order != "superset":
            # A run may hold any number of calls; what is kept of them is bounded.
            wrong += [f"{shorten(calls[i].name, 60)}: not expected" for i in unexplained[:20]]
            wrong += [f"{len(unexplained) - 20} more calls: not expected"] if len(unexplained) > 20 else []
        more = f"; and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        reason += f", {len(calls)} calls made: {'; '.join(wrong[:4])}{more}"
        return Score.passed_if(self.name, False, reason, evidence={"wrong": wrong[:20]}, version=self.version)

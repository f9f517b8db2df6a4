"""TrajectoryMatch: the sequence of tool calls is the expected one: strict, unordered, subset or superset.

The words:

- The four orders are those of :mod:`harness.core.calls.matching`.
- A call *fits* when name and arguments do (:mod:`harness.core.calls.accepted_values`); ``arguments=False`` compares
  names only.
- Every call counts, repeated, refused and failed ones too, unless ``count_failed=False``.
- *precision*: paired calls of the calls made; *recall*: paired calls of the calls expected. They go into the evidence,
  and one of them is absent where its denominator is 0. In strict order, calls pair position by position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.calls.accepted_values import call_error
from harness.core.calls.matching import match_calls
from harness.core.case import Case, ExpectedCall, ToolOrder
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import ToolCall, Trajectory
from harness.evaluators.outcome import cannot_judge, nothing_expected


@dataclass(frozen=True, kw_only=True)
class TrajectoryMatch:
    """1 when the calls match in the given order, else 0; the reason prints precision and recall as fractions.

    Reads ``expected.tool_calls`` and ``expected.tool_order`` unless given here.
    """

    calls: Sequence[ExpectedCall] | None = None
    """Overrides ``expected.tool_calls``."""
    order: ToolOrder | None = None
    """Overrides ``expected.tool_order``."""
    arguments: bool = True
    count_failed: bool = True
    name: str = "trajectory_match"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Pair the calls in the given order."""
        expected = tuple(self.calls) if self.calls is not None else case.expected.tool_calls
        if expected is None:
            return nothing_expected(self.name, "tool calls", self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        order = self.order or case.expected.tool_order
        made = [call for call in trajectory.tool_calls if self.count_failed or call.error is None]

        def fits(call: ToolCall, want: ExpectedCall) -> bool:
            if not self.arguments:
                return call.name == want.name
            return call_error(call, want, case.tools) is None

        matching = match_calls(made, expected, fits, in_place=order == "strict")
        hits = len(matching.pairs)
        ok = matching.ok(order)
        reason = (
            f"{order}: precision {hits}/{len(made)}, recall {hits}/{len(expected)}; "
            f"expected {_names([call.name for call in expected])}, got {_names([call.name for call in made])}"
        )
        evidence: dict[str, object] = {"order": order}
        if made:
            evidence["precision"] = hits / len(made)
        if expected:
            evidence["recall"] = hits / len(expected)
        return Score.passed_if(self.name, ok, reason, evidence=evidence, version=self.version)


def _names(names: list[str]) -> str:
    shown = ", ".join(shorten(name, 40) for name in names[:10])
    return f"[{shown}{f', and {len(names) - 10} more' if len(names) > 10 else ''}]"

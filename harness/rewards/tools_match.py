"""How many of the expected calls have been made, after each call: a largest matching that grows call by call.

The words:

- A call is *right* when it answers an expected call (name and arguments, by BFCL's rules where answers are listed).
- A *duplicate* is a call with the name and arguments of an earlier one. It is never right a second time, except where
  the case expects the very same call more than once.
- Under ``strict`` order the right calls are the longest common subsequence of calls made and calls expected; under
  every other order their order does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.core.calls.accepted_values import call_error
from harness.core.calls.identity import call_identity
from harness.core.case import Case, ExpectedCall, canonical_json
from harness.core.trajectory import ToolCall


def right_calls(calls: Sequence[ToolCall], case: Case, *, names_only: bool = False) -> tuple[bool, ...]:
    """For each call, whether it brought one more of the expected calls; all False where nothing is expected.

    The number of True among the first n is the size of the largest matching of these n calls, so it never falls.
    """
    expected = case.expected.tool_calls or ()
    if not expected:
        return (False,) * len(calls)

    def fits(call: ToolCall, want: ExpectedCall) -> bool:
        # Names first: most pairs of a long run differ there, and an error in words costs a hundred times as much.
        return call.name == want.name and (names_only or call_error(call, want, case.tools) is None)

    grow = _Subsequence(expected) if case.expected.tool_order == "strict" else _Matching(expected)
    alike = Counter(_identity_of(want) for want in expected)
    made: Counter[tuple[str, str]] = Counter()
    out = []
    for call in calls:
        fitting = [index for index, want in enumerate(expected) if fits(call, want)]
        allowed = max((alike[_identity_of(expected[index])] for index in fitting), default=0)
        identity = call_identity(call)
        made[identity] += 1
        out.append(made[identity] <= allowed and grow.add(fitting))
    return tuple(out)


def duplicates(calls: Sequence[ToolCall]) -> tuple[bool, ...]:
    """For each call, whether the same call was made before it."""
    seen: set[tuple[str, str]] = set()
    out = []
    for call in calls:
        identity = call_identity(call)
        out.append(identity in seen)
        seen.add(identity)
    return tuple(out)


def _identity_of(want: ExpectedCall) -> str:
    return canonical_json([want.name, want.arguments, want.accepted])


class _Matching:
    """Kuhn's algorithm from the side of the calls: a call that found a partner keeps one for ever."""

    def __init__(self, expected: Sequence[ExpectedCall]) -> None:
        self._partner: list[list[int] | None] = [None] * len(expected)
        """Per expected call, the fitting list of the call that answers it."""

    def add(self, fitting: list[int]) -> bool:
        """Take in a call that fits these expected calls; whether the matching grew."""
        came_from: dict[int, int | None] = {}
        queue: list[int] = []
        for index in fitting:
            came_from[index] = None
            queue.append(index)
        for index in queue:
            holder = self._partner[index]
            if holder is None:
                self._turn(index, came_from, fitting)
                return True
            for other in holder:
                if other not in came_from:
                    came_from[other] = index
                    queue.append(other)
        return False

    def _turn(self, free: int, came_from: dict[int, int | None], fitting: list[int]) -> None:
        index = free
        while (before := came_from[index]) is not None:
            self._partner[index] = self._partner[before]
            index = before
        self._partner[index] = fitting


class _Subsequence:
    """The longest common subsequence, one row of its table per call."""

    def __init__(self, expected: Sequence[ExpectedCall]) -> None:
        self._row = [0] * (len(expected) + 1)

    def add(self, fitting: list[int]) -> bool:
        """Take in a call that fits these expected calls; whether the subsequence grew."""
        before, fits = self._row, set(fitting)
        row = [0]
        for index in range(len(before) - 1):
            row.append(before[index] + 1 if index in fits else max(before[index + 1], row[index]))
        self._row = row
        return row[-1] > before[-1]

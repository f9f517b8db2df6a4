"""Pairing actual tool calls with expected ones under the four orders.

The words:

- *strict*: the same calls in the same order, no more and no fewer.
- *unordered*: the same calls in any order, no more and no fewer.
- *subset*: every actual call is an expected one; expected calls may be absent.
- *superset*: every expected call was made; other calls may be made besides.
- Each actual call answers at most one expected call and the other way round. The pairing is a largest one
  (maximum bipartite matching), so that an early loose match never takes away a later exact one's partner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.core.case import ExpectedCall, ToolOrder
from harness.core.trajectory import ToolCall

Fits = Callable[[ToolCall, ExpectedCall], bool]


@dataclass(frozen=True, kw_only=True)
class CallMatching:
    """Which calls found a partner."""

    pairs: tuple[tuple[int, int], ...]
    """(index of the actual call, index of the expected call)."""
    extra: tuple[int, ...]
    """Actual calls without a partner."""
    missing: tuple[int, ...]
    """Expected calls without a partner."""

    def ok(self, order: ToolOrder) -> bool:
        """Whether the pairing satisfies ``order`` (for strict, it was made position by position)."""
        if order == "subset":
            return not self.extra
        if order == "superset":
            return not self.missing
        return not self.extra and not self.missing


def match_calls(
    actual: Sequence[ToolCall], expected: Sequence[ExpectedCall], fits: Fits, *, in_place: bool = False
) -> CallMatching:
    """Pair the calls; ``in_place`` pairs the n-th with the n-th only."""
    partner: dict[int, int] = {}
    if in_place:
        for index, (call, wanted) in enumerate(zip(actual, expected, strict=False)):
            if fits(call, wanted):
                partner[index] = index
    else:
        fitting = [[a for a, call in enumerate(actual) if fits(call, wanted)] for wanted in expected]
        for index in range(len(expected)):
            _augment(index, fitting, partner)
    pairs = tuple(sorted((a, e) for e, a in partner.items()))
    with_partner = {a for a, _ in pairs}
    return CallMatching(
        pairs=pairs,
        extra=tuple(a for a in range(len(actual)) if a not in with_partner),
        missing=tuple(e for e in range(len(expected)) if e not in partner),
    )


def _augment(start: int, fitting: list[list[int]], partner: dict[int, int]) -> None:
    # Kuhn's algorithm, breadth first so that long chains cannot exhaust the stack. ``partner``: expected -> actual.
    holder = {a: e for e, a in partner.items()}
    came_from: dict[int, int] = {}
    queue = [start]
    for wanted in queue:
        for a in fitting[wanted]:
            if a in came_from:
                continue
            came_from[a] = wanted
            if a in holder:
                queue.append(holder[a])
                continue
            step: int | None = a
            while step is not None:
                owner = came_from[step]
                before = partner.get(owner)
                partner[owner] = step
                step = before
            return

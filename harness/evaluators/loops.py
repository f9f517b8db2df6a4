"""Loops: how often the agent went in circles.

The words:

- *same call*: equal name and equal arguments, however written. Failed calls count: repeating them is the usual loop.
- *loop*: the same call ``repeats`` times in a row (default 3), or a cycle of 2 to 4 calls, not all the same, gone
  through ``cycle_repeats`` times in a row (default 2: A B A B). A loop is counted once however long it goes on; after
  its end the search goes on.
- Polling looks like a loop; name tools that may be polled in ``allowed``: their calls are left out of the sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.calls.identity import call_identity
from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge

LONGEST_CYCLE = 4


@dataclass(frozen=True, kw_only=True)
class Loops:
    """The number of loops; passed when at most ``limit``. Without a limit it only measures."""

    limit: int | None = None
    repeats: int = 3
    cycle_repeats: int = 2
    allowed: Sequence[str] = ()
    name: str = "loops"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 0:
            raise UsageError(f"limit must be at least 0, got {self.limit!r}")
        if self.repeats < 2 or self.cycle_repeats < 2:
            raise UsageError(
                f"repeats and cycle_repeats must be at least 2, got {self.repeats!r} and {self.cycle_repeats!r}"
            )

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Look for circles in the sequence of calls."""
        calls = [call for call in trajectory.tool_calls if call.name not in self.allowed]
        found = find_loops([call_identity(c) for c in calls], repeats=self.repeats, cycle_repeats=self.cycle_repeats)
        over = self.limit is not None and len(found) > self.limit
        if not over and (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        reason = f"{len(found)} loops in {len(calls)} tool calls"
        reason += "" if self.limit is None else f", at most {self.limit} allowed"
        shown = []
        for start, length, times in found[:3]:
            names = " > ".join(shorten(call.name, 40) for call in calls[start : start + length])
            shown.append(f"{names} x{times} from call {start + 1}")
        reason += f": {'; '.join(shown)}" if shown else ""
        passed = None if self.limit is None else not over
        return Score.of(
            self.name, len(found), reason, passed=passed, unit="loops", direction="lower", version=self.version
        )


def find_loops(sequence: Sequence[object], *, repeats: int = 3, cycle_repeats: int = 2) -> list[tuple[int, int, int]]:
    """Loops as (start, cycle length, times gone through), left to right, shortest cycle first, none overlapping."""
    found: list[tuple[int, int, int]] = []
    at = 0
    while at < len(sequence):
        for length in range(1, LONGEST_CYCLE + 1):
            cycle = sequence[at : at + length]
            if length > 1 and all(item == cycle[0] for item in cycle):
                continue
            times = 1
            while len(cycle) == length and sequence[at + times * length : at + (times + 1) * length] == cycle:
                times += 1
            if times >= (repeats if length == 1 else cycle_repeats):
                found.append((at, length, times))
                at += length * times
                break
        else:
            at += 1
    return found

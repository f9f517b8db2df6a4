"""ToolReward: were the right tools called, well-formed, to some use, and were failures dealt with?

The value is *correct calls × quality*, in [0, 1]. The parts, each visible by itself:

- *correct*: F1 of the calls made against the calls expected, names and arguments (BFCL's accepted answers where the
  case lists them); under ``superset`` the recall, under ``subset`` the precision. None where the case expects nothing
  of the tools; then the value is the quality alone.
- *choice*: the same by names only. *arguments*: right calls among those with the right name.
- *structure*: 1 / (1 + malformed calls); a right call is well-formed.
- *utility*: useful calls among those that did not fail (:mod:`harness.rewards.tools_use`).
- *errors*: 1 / (1 + failures not dealt with). A failure is dealt with when a later useful call of the same tool did not
  fail, or when the closing text says that something did not work.

The laws, held by tests: a duplicate call or a call of no use never raises the value; where calls are expected, doing
nothing is worth 0; where no call is right, doing nothing is worth 1 and any call 0. A part that cannot be said (no call
was made, none failed) is None in the parts and costs nothing in the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.trajectory import ToolCall, Trajectory
from harness.rewards.tools_form import form_error
from harness.rewards.tools_match import right_calls
from harness.rewards.tools_use import closing_text, useful_calls

_QUALITY: Mapping[str, float] = {"structure": 1.0, "utility": 1.0, "errors": 1.0}
_ADMITS = re.compile(
    r"\b(?:could ?n[o']t|cannot|can ?not|can't|unable|failed|failure|error|sorry|unfortunately|unavailable|"
    r"did ?n[o']t work|not (?:possible|available|found))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class ToolParts:
    """What the value is made of; None where it cannot be said. All in [0, 1]."""

    correct: float | None
    choice: float | None
    arguments: float | None
    structure: float | None
    utility: float | None
    errors: float | None
    malformed: tuple[str, ...] = ()
    """What is wrong with the form of calls, at most 20."""

    def to_json(self) -> dict[str, float | None]:
        """The numbers by name."""
        return {name: value for name, value in vars(self).items() if name != "malformed"}


@dataclass(frozen=True, kw_only=True)
class ToolReward:
    """The reward of a run's tool calls, in [0, 1]; None where the case expects nothing and nothing was called."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(_QUALITY))
    """Share of structure, utility and errors in the quality; at least 0, not all 0."""
    name: str = "tool_reward"
    version: str = "1"

    def __post_init__(self) -> None:
        unknown = [name for name in self.weights if name not in _QUALITY]
        if unknown:
            raise UsageError(f"ToolReward has no part {unknown[0]!r} to weigh; it has {', '.join(_QUALITY)}")
        if not all(0 <= weight < float("inf") for weight in self.weights.values()) or not sum(self.weights.values()):
            raise UsageError(f"weights must be finite, at least 0 and not all 0, got {dict(self.weights)!r}")

    def reward(self, trajectory: Trajectory, case: Case) -> float | None:
        """The value; None also for a run that broke off, whose calls are only a beginning."""
        if trajectory.error is not None:
            return None
        if case.expected.tool_calls is None and not trajectory.tool_calls:
            return None
        return self.value(self.parts(trajectory, case))

    def value(self, parts: ToolParts) -> float:
        """What the parts are worth together."""
        total = sum(self.weights.values())
        quality = 0.0
        for name, weight in self.weights.items():
            part = getattr(parts, name)
            quality += weight * (1.0 if part is None else part) / total
        return min(1.0, quality) * (1.0 if parts.correct is None else parts.correct)

    def parts(self, trajectory: Trajectory, case: Case) -> ToolParts:
        """Every part by itself."""
        calls = trajectory.tool_calls
        right = right_calls(calls, case)
        useful = useful_calls(trajectory, {index for index, is_right in enumerate(right) if is_right})
        malformed = [
            wrong
            for call, is_right in zip(calls, right, strict=True)
            if not is_right and (wrong := form_error(call, case.tools)) is not None
        ]
        working = [index for index, call in enumerate(calls) if call.error is None]
        failed = [index for index, call in enumerate(calls) if call.error is not None]
        open_failures = _not_dealt_with(calls, failed, useful, closing_text(trajectory))
        correct = choice = arguments = None
        if case.expected.tool_calls is not None:
            named = sum(right_calls(calls, case, names_only=True))
            correct, choice = _share(sum(right), len(calls), case), _share(named, len(calls), case)
            arguments = sum(right) / named if named else None
        return ToolParts(
            correct=correct,
            choice=choice,
            arguments=arguments,
            structure=1 / (1 + len(malformed)) if calls else None,
            utility=sum(useful[index] for index in working) / len(working) if working else None,
            errors=1 / (1 + open_failures) if failed else None,
            malformed=tuple(malformed[:20]),
        )


def _share(right: int, made: int, case: Case) -> float:
    expected = len(case.expected.tool_calls or ())
    order = case.expected.tool_order
    if order == "superset":
        return right / expected if expected else 1.0
    if order == "subset":
        return right / made if made else 1.0
    return 2 * right / (made + expected) if made + expected else 1.0


def _not_dealt_with(calls: Sequence[ToolCall], failed: Sequence[int], useful: Sequence[bool], closing: str) -> int:
    if not failed or _ADMITS.search(closing[:200_000]):
        return 0
    # From the end, so that each failure only asks what is known to come later of its tool.
    worked_later: set[str] = set()
    count, failures = 0, set(failed)
    for index in range(len(calls) - 1, -1, -1):
        if index in failures:
            count += calls[index].name not in worked_later
        elif useful[index]:
            worked_later.add(calls[index].name)
    return count

"""TurnRewards: what each turn of a run earned, and of what: information, form, progress, safety.

The words:

- *turn*: one assistant message with the results of its tool calls.
- *information*: how much more is known after the turn (:mod:`harness.rewards.turns_information`).
- *progress*: the share of the case's milestones that the turn reached: expected calls made (each once), texts of
  ``contains``, the expected answer. What is said counts with everything said before it, as one text.
- *format*: minus the number of malformed calls (:mod:`harness.rewards.tools_form`).
- *safety*: minus the number of calls of forbidden tools, of calls that ``unsafe`` names, and of texts of
  ``not_contains`` said for the first time.
- A turn's *total* is the weighted sum of these, less ``turn_cost``. The trajectory's reward is the sum of the totals.

The laws, held by tests: a turn that says and does nothing new earns at most 0; cutting a turn in two (its text, then
its calls, in the same order) never raises the sum; information and progress telescope, so their sums are the final
level whatever the number of turns. Turn-level rewards beside an outcome are the approach of Zeng et al. 2025
("Reinforcing Multi-Turn Reasoning in LLM Agents via Turn-Level Credit Assignment", arXiv:2505.11821).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.shown import shorten
from harness.core.trajectory import ToolCall, Trajectory, message_text
from harness.rewards.tools_form import form_error
from harness.rewards.tools_match import right_calls
from harness.rewards.turns_information import Belief, believed, levels_by_call

Unsafe = Callable[[ToolCall], bool]


@dataclass(frozen=True, kw_only=True)
class TurnReward:
    """What one turn earned. A part is None where the case does not let it be said; it then adds nothing."""

    index: int
    """Number of the assistant message, from 0."""
    total: float
    information: float | None = None
    progress: float | None = None
    format: float = 0.0
    safety: float = 0.0
    did: str = ""
    """The turn in a few words, at most 200 characters of the agent's."""

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for evidence and metadata."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class TurnRewards:
    """A reward per turn, and their sum as the reward of the trajectory."""

    information: float = 0.3
    progress: float = 1.0
    format: float = 0.1
    safety: float = 1.0
    turn_cost: float = 0.01
    belief: Belief | None = None
    unsafe: Unsafe | None = None
    name: str = "turn_rewards"
    version: str = "1"

    def __post_init__(self) -> None:
        for field in ("information", "progress", "format", "safety", "turn_cost"):
            value = getattr(self, field)
            if not (isinstance(value, (int, float)) and math.isfinite(value) and value >= 0):
                raise UsageError(f"TurnRewards({field}=...) is a weight of at least 0, got {value!r}")

    def reward(self, trajectory: Trajectory, case: Case) -> float | None:
        """Sum of the turns' totals; None for a run without a turn, or one that broke off."""
        if trajectory.error is not None:
            return None
        turns = self.turns(trajectory, case)
        return math.fsum(turn.total for turn in turns) if turns else None

    def turns(self, trajectory: Trajectory, case: Case) -> tuple[TurnReward, ...]:
        """Every turn with its parts, in order."""
        steps = _steps(trajectory)
        information = self._information(trajectory, case, steps)
        progress = _progress(trajectory, case, steps)
        safety = self._safety(case, steps)
        out = []
        for index, step in enumerate(steps):
            malformed = sum(form_error(call, case.tools) is not None for call in step.calls)
            known, done = information[index], progress[index]
            total = self.information * (known or 0.0) + self.progress * (done or 0.0) - self.turn_cost
            total += self.format * -malformed + self.safety * safety[index]
            out.append(
                TurnReward(
                    index=index,
                    total=total,
                    information=known,
                    progress=done,
                    format=float(-malformed),
                    safety=float(safety[index]),
                    did=step.shown(),
                )
            )
        return tuple(out)

    def _information(self, trajectory: Trajectory, case: Case, steps: Sequence[_Step]) -> list[float | None]:
        if self.belief is not None:
            return self._believed(self.belief, trajectory, case, steps)
        levels = levels_by_call(trajectory, case)
        if levels is None:
            return [None] * len(steps)
        ends = [0.0]
        position = 0
        for step in steps:
            position += len(step.calls)
            ends.append(levels[position - 1] if position else 0.0)
        return [after - before for before, after in itertools.pairwise(ends)]

    def _believed(
        self, belief: Belief, trajectory: Trajectory, case: Case, steps: Sequence[_Step]
    ) -> list[float | None]:
        first = steps[0].start if steps else 0
        level = believed(belief, trajectory.messages[:first], case)
        out: list[float | None] = []
        for step in steps:
            # A turn that says and does nothing cannot have changed what is known; a noisy belief is not asked.
            after = level if step.empty else believed(belief, trajectory.messages[: step.stop], case)
            out.append(after - level)
            level = after
        return out

    def _safety(self, case: Case, steps: Sequence[_Step]) -> list[int]:
        forbidden = set(case.expected.forbidden_tools)
        said = _Said(case.expected.not_contains)
        out = []
        for step in steps:
            calls = sum(
                call.name in forbidden or (self.unsafe is not None and self.unsafe(call)) for call in step.calls
            )
            out.append(-calls - said.take(step.text))
        return out


@dataclass(frozen=True, kw_only=True)
class _Step:
    text: str
    calls: tuple[ToolCall, ...]
    start: int
    """Position of the assistant message."""
    stop: int
    """Position of the next one, or the end."""

    @property
    def empty(self) -> bool:
        return not self.calls and not self.text.strip()

    def shown(self) -> str:
        called = ", ".join(shorten(call.name, 40) for call in self.calls[:4])
        more = f" and {len(self.calls) - 4} more calls" if len(self.calls) > 4 else ""
        text = shorten(" ".join(self.text[:400].split()), 100)
        return "; ".join(part for part in (f"calls {called}{more}" if called else "", text) if part) or "(nothing)"


class _Said:
    """Which texts have been said so far, looked for in everything said as one text; each is found once."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._wanted = {text.lower() for text in texts if text}
        self._longest = max(map(len, self._wanted), default=1)
        self._tail = ""

    def take(self, text: str) -> int:
        """How many of the texts were completed by ``text``."""
        if not self._wanted:
            return 0
        window = self._tail + text.lower()
        found = {wanted for wanted in self._wanted if wanted in window}
        self._wanted -= found
        self._tail = window[-(self._longest - 1) :] if self._longest > 1 else ""
        return len(found)


def _steps(trajectory: Trajectory) -> list[_Step]:
    by_step: dict[int, list[ToolCall]] = {}
    for call in trajectory.tool_calls:
        by_step.setdefault(call.step, []).append(call)
    at = [index for index, message in enumerate(trajectory.messages) if message.get("role") == "assistant"]
    ends = [*at[1:], len(trajectory.messages)]
    return [
        _Step(
            text=message_text(trajectory.messages[start]),
            calls=tuple(by_step.get(index, ())),
            start=start,
            stop=stop,
        )
        for index, (start, stop) in enumerate(zip(at, ends[: len(at)], strict=True))
    ]


def _progress(trajectory: Trajectory, case: Case, steps: Sequence[_Step]) -> list[float | None]:
    expected = case.expected
    right = right_calls(trajectory.tool_calls, case)
    answers = [text for text in (expected.answer, *expected.answers) if text]
    facts, answered = _Said(expected.contains), [_Said([text]) for text in answers]
    milestones = len(expected.tool_calls or ()) + len({t.lower() for t in expected.contains if t}) + bool(answers)
    if not milestones:
        return [None] * len(steps)
    out: list[float | None] = []
    position, open_answer = 0, bool(answers)
    for step in steps:
        reached = sum(right[position : position + len(step.calls)]) + facts.take(step.text)
        position += len(step.calls)
        # Every one of the answers is listened for, and the first that is complete is the milestone.
        if sum(said.take(step.text) for said in answered) and open_answer:
            reached, open_answer = reached + 1, False
        out.append(reached / milestones)
    return out

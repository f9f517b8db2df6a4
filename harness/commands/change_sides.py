"""Side by side: a case that flipped, one trial of each run, step by step, and where the two part.

A *step* is what somebody said, one tool call, or one result. Two steps are the same when all of what is shown is. Of a
case that got worse the old trial is one that passed and the new one that did not, of the same index (and so the same
seed) where there is one; for a better case the other way round. Everything is bounded: a step to 2,000 characters, a
trial to 60 steps, all together to 2,000,000 characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.core.comparison import Comparison, suite_key
from harness.reporting import numbers
from harness.reporting.flips import Flip, flips
from harness.reporting.trial_view import clip, trial_view

if TYPE_CHECKING:
    from harness.core.record import Record, Run

MOST_WORSE, MOST_BETTER = 20, 10
MOST_TRIALS = 20
"""Trials of a case looked at."""
STEP_LIMIT = 2_000
FIRST_STEPS, LAST_STEPS = 40, 20
PAGE_LIMIT = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a trial."""

    who: str
    """``system``, ``user``, ``assistant``, ``call``, ``result``, ``notice``, or another role."""
    text: str
    head: str = ""
    """The tool's name, for a call or result."""
    broken: bool = False
    """A result that is an error."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One trial of one run."""

    run_id: str
    trial: int
    outcome: str
    reason: str
    """Why it failed or broke; empty for a pass."""
    facts: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """One flipped case in both runs."""

    suite: str
    case_id: str
    worse: bool
    text: str
    """Passed trials before and after."""
    old: Side | None
    """None: the run keeps no such trial."""
    new: Side | None
    same: int = 0
    """Steps that both begin with."""

    def rows(self) -> list[tuple[Step | None, Step | None]]:
        """The steps after the common ones, in pairs."""
        old, new = (side.steps[self.same :] if side is not None else () for side in (self.old, self.new))
        length = max(len(old), len(new))
        return [(old[n] if n < len(old) else None, new[n] if n < len(new) else None) for n in range(length)]

    def common(self) -> tuple[Step, ...]:
        """The steps that both begin with."""
        side = self.old or self.new
        return side.steps[: self.same] if side is not None else ()


def side_by_side(comparison: Comparison, old: Run | None, new: Run) -> tuple[list[Sides], int]:
    """The flipped cases with both trajectories, worst first, and how many more there are.

    :param old: None when only a baseline is left of it.
    """
    worse, better = flips(comparison)
    chosen = [(flip, True) for flip in worse[:MOST_WORSE]] + [(flip, False) for flip in better[:MOST_BETTER]]
    wanted = {(flip.suite, flip.pair.case_id) for flip, _ in chosen}
    before = _sides(old, wanted) if old is not None else {}
    after = _sides(new, wanted)
    made: list[Sides] = []
    left = PAGE_LIMIT
    for flip, is_worse in chosen:
        sides = _chosen(flip, is_worse, before, after)
        left -= sum(_length(side) for side in (sides.old, sides.new) if side is not None)
        if left < 0:
            break
        if sides.old is not None or sides.new is not None:
            made.append(sides)
    return made, len(worse) + len(better) - len(made)


def sides_json(sides: Sequence[Sides]) -> list[dict[str, Any]]:
    """For machines, bounded as everywhere."""
    return [asdict(item) for item in sides]


def step_text(step: Step | None, limit: int) -> str:
    """A step in one line, cut from the end."""
    from harness.reporting.visible_text import one_line

    if step is None:
        return "(has ended)"
    head = f"{step.head}: " if step.head else f"{step.who}: "
    return one_line(head + step.text, limit)


def _sides(run: Run, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], dict[int, Side]]:
    found: dict[tuple[str, str], dict[int, Side]] = {}
    if not wanted:
        return found
    for record in run.records:
        key = (suite_key(record.suite, record.arm), record.case_id)
        if key in wanted and record.outcome != "not_run":
            trials = found.setdefault(key, {})
            if len(trials) < MOST_TRIALS or record.trial in trials:
                trials[record.trial] = _side(run.manifest.run_id, record)
    return found


def _side(run_id: str, record: Record) -> Side:
    view = trial_view(record)
    reason = record.failure
    if record.error is not None:
        reason = f"{record.error.kind}: {record.error.message}"
    elif not reason and record.outcome == "failed":
        reason = "; ".join(f"{score.name}: {score.reason}" for score in record.scores[:20] if score.passed is False)
    steps = [step for message in view.get("messages", ()) for step in _steps(message)]
    if notice := view.get("notice"):
        steps.append(Step(who="notice", text=str(notice)))
    if len(steps) > FIRST_STEPS + LAST_STEPS:
        cut = len(steps) - FIRST_STEPS - LAST_STEPS
        notice_step = Step(who="notice", text=f"{numbers.count(cut)} steps left out here; the journal has them.")
        steps = [*steps[:FIRST_STEPS], notice_step, *steps[-LAST_STEPS:]]
    return Side(
        run_id=run_id,
        trial=record.trial,
        outcome=record.outcome,
        reason=clip(reason, STEP_LIMIT),
        facts=", ".join(f"{label.lower()} {value}" for label, value in view["facts"]),
        steps=tuple(steps),
    )


def _steps(message: Mapping[str, Any]) -> list[Step]:
    steps = []
    text = str(message.get("text", ""))
    tools = message.get("tools", ())
    if text or not tools:
        steps.append(Step(who=str(message["role"]), text=clip(text, STEP_LIMIT), head=str(message.get("name", ""))))
    for call in tools:
        name = str(call["name"])
        steps.append(Step(who="call", head=name, text=clip(str(call.get("arguments", "")), STEP_LIMIT)))
        if "result" in call:
            broken = "error" in call
            steps.append(Step(who="result", head=name, text=clip(str(call["result"]), STEP_LIMIT), broken=broken))
    return steps


def _chosen(
    flip: Flip,
    worse: bool,
    before: Mapping[tuple[str, str], Mapping[int, Side]],
    after: Mapping[tuple[str, str], Mapping[int, Side]],
) -> Sides:
    key = (flip.suite, flip.pair.case_id)
    old, new = before.get(key, {}), after.get(key, {})
    good, bad = (old, new) if worse else (new, old)
    passed = {at: side for at, side in sorted(good.items()) if side.outcome == "passed"} or dict(sorted(good.items()))
    failed = {at: side for at, side in sorted(bad.items()) if side.outcome != "passed"} or dict(sorted(bad.items()))
    both = [at for at in passed if at in failed]
    one = passed[both[0]] if both else next(iter(passed.values()), None)
    other = failed[both[0]] if both else next(iter(failed.values()), None)
    left, right = (one, other) if worse else (other, one)
    same = 0
    if left is not None and right is not None:
        for a, b in zip(left.steps, right.steps, strict=False):
            if a != b:
                break
            same += 1
    return Sides(
        suite=flip.suite, case_id=flip.pair.case_id, worse=worse, text=flip.text, old=left, new=right, same=same
    )


def _length(side: Side) -> int:
    return len(side.reason) + sum(len(step.text) + len(step.head) for step in side.steps)

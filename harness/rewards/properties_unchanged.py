"""Unchanged quality: rewrites that change nothing, and text that says nothing, move no reward."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from harness.rewards.bench import TOLERANCE, Bench, Finding, broken, kept, shown
from harness.rewards.edits import EDITS
from harness.rewards.edits_turns import final_text
from harness.rewards.rewrites import REWRITES, rewritten
from harness.rewards.samples import completed


def _invariant(bench: Bench, name: str) -> Finding:
    check = f"{name.replace(' ', '_')}_changes_nothing"
    tried = 0
    for sample, number in zip(bench.samples.samples, bench.numbers, strict=True):
        other = rewritten(sample.trajectory, REWRITES[name])
        if other is None or number is None:
            continue
        tried += 1
        theirs = bench.number(other, sample.case)
        if theirs is None or abs(theirs - number) > TOLERANCE:
            reason = f"{sample.what!r} earns {number:g}, and {shown(theirs)} with {name} changed"
            return broken(check, reason, completion=final_text(other)[:2_000], task=sample.case.id)
    if not tried:
        return Finding(check=check, ok=None, applies=False, reason=f"no sample has {name} to change")
    return kept(check, f"{tried} samples earn the same with {name} changed")


def whitespace_changes_nothing(bench: Bench) -> Finding:
    """Blanks at line ends and empty lines around change nothing."""
    return _invariant(bench, "whitespace")


def key_order_changes_nothing(bench: Bench) -> Finding:
    """The order of keys in JSON answers and tool arguments changes nothing."""
    return _invariant(bench, "key order")


def comments_changes_nothing(bench: Bench) -> Finding:
    """Comments in code change nothing."""
    return _invariant(bench, "comments")


def renamed_locals_changes_nothing(bench: Bench) -> Finding:
    """Names of local variables in code change nothing."""
    return _invariant(bench, "renamed locals")


def _never_raises(bench: Bench, check: str, family: str) -> Finding:
    """One family of edits on a right and a wrong completion of some tasks; length alone must not pay."""
    rng = random.Random(0)
    tried = 0
    listed = [(s, n) for s, n in zip(bench.samples.samples, bench.numbers, strict=True) if n is not None][:6]
    for sample, number in listed:
        for edit in EDITS:
            if edit.family != family or (other := edit.apply(sample.trajectory, sample.case, rng)) is None:
                continue
            tried += 1
            theirs = bench.number(other, sample.case)
            if theirs is not None and theirs > number + TOLERANCE:
                reason = f"{sample.what!r} earns {number:g}, and {theirs:g} after {edit.name}{_length_told(bench)}"
                return broken(check, reason, edit=edit.name, task=sample.case.id, before=number, after=theirs)
    if not tried:
        return Finding(check=check, ok=None, applies=False, reason="no sample has a text to edit")
    return kept(check, f"{tried} times, and the reward never rose")


def padding_never_raises(bench: Bench) -> Finding:
    """Adding text that says nothing never raises the reward."""
    return _never_raises(bench, "padding_never_raises", "padding")


def repetition_never_raises(bench: Bench) -> Finding:
    """Saying the same again never raises the reward."""
    return _never_raises(bench, "repetition_never_raises", "repetition")


def follows_length(bench: Bench) -> bool:
    """Whether the reward is the answer's length, or moves exactly with it, over texts that say nothing."""
    case = bench.tasks[0]
    points: list[tuple[float, float]] = []
    for words in (1, 3, 8, 20, 45, 100, 210, 400):
        number = bench.number(completed(case.input, "lorem " * words), case)
        if number is not None:
            points.append((float(len("lorem " * words)), number))
    if len(points) < 5:
        return False
    return abs(_correlation(points)) > 0.999


def _correlation(points: Sequence[tuple[float, float]]) -> float:
    n = len(points)
    mx, my = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    sx = math.sqrt(sum((x - mx) ** 2 for x, _ in points))
    sy = math.sqrt(sum((y - my) ** 2 for _, y in points))
    return sum((x - mx) * (y - my) for x, y in points) / (sx * sy) if sx > 0 and sy > 0 else 0.0


def _length_told(bench: Bench) -> str:
    return ": the reward is the answer's length" if follows_length(bench) else ""


def length_is_not_the_reward(bench: Bench) -> Finding:
    """The reward does not move in step with the length of texts that say nothing."""
    check = "length_is_not_the_reward"
    if follows_length(bench):
        return broken(
            check, "the reward is the answer's length: over meaningless texts of 8 lengths the two move as one"
        )
    return kept(check, "over meaningless texts of 8 lengths the reward does not move with their length")

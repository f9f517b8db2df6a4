"""Properties: what a reward that follows quality keeps, and a reward that can be cheated does not.

Most hold for any reward and are always checked; ``bounded``, ``monotone_in`` and ``order_free`` are checked where they
are declared (:func:`~harness.rewards.declared.declare`). A reward that is meant not to keep one leaves it out:
``without=("refusal_at_floor",)``. Every name below is the name of a check.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from harness.core.case import Case
from harness.rewards.bench import TOLERANCE, Bench, Finding, broken, kept, shown
from harness.rewards.properties_floor import (
    SHELLS,
    doing_nothing_earns_nothing,
    echo_at_floor,
    empty_at_floor,
    empty_shell_at_floor,
    no_op_at_floor,
    refusal_at_floor,
)
from harness.rewards.properties_unchanged import (
    comments_changes_nothing,
    key_order_changes_nothing,
    length_is_not_the_reward,
    padding_never_raises,
    renamed_locals_changes_nothing,
    repetition_never_raises,
    whitespace_changes_nothing,
)
from harness.rewards.samples import completed


def bounded(bench: Bench) -> Finding:
    """Every reward lies within the declared bounds."""
    if bench.reward.declared.bounded is None:
        return Finding(check="bounded", ok=None, applies=False, reason="no bounds are declared: bounded=(0, 1)")
    low, high = bench.reward.declared.bounded
    numbers = list(bench.seen)
    case = bench.tasks[0]
    for text in ("", "x", "word " * 2_000, *SHELLS):
        number = bench.number(completed(case.input, text), case)
        if number is not None:
            numbers.append(number)
    outside = [n for n in numbers if not low - TOLERANCE <= n <= high + TOLERANCE]
    if outside:
        return broken("bounded", f"a reward of {outside[0]:g} lies outside the declared {low:g} to {high:g}")
    return kept("bounded", f"{len(numbers)} rewards between {low:g} and {high:g}")


def correct_above_wrong(bench: Bench) -> Finding:
    """In every task the better completion earns more than the worse one."""
    check = "correct_above_wrong"
    told, of = bench.separates
    if not of:
        reason = "no task has completions of different quality; give samples with labels: samples=..."
        return Finding(check=check, ok=None, reason=reason)
    if told == of:
        return kept(check, f"{told} of {of} tasks: the better completion earns more ({_form(bench)})")
    if not told and not bench.samples.own:
        reason = (
            f"in none of the {of} probe tasks, and in no form of answer, does a right answer earn more than a wrong "
            "one of the same length: the reward does not follow correctness, or needs samples of its own (samples=...)"
        )
        return broken(check, reason)
    example = _misordered(bench)
    return broken(
        check, f"{of - told} of {of} tasks: a worse completion earns at least as much{example} ({_form(bench)})"
    )


def _form(bench: Bench) -> str:
    return "your samples" if bench.samples.own else f"answers written as: {bench.samples.named}"


def _misordered(bench: Bench) -> str:
    for sample, number in zip(bench.samples.samples, bench.numbers, strict=True):
        for other, theirs in zip(bench.samples.samples, bench.numbers, strict=True):
            if sample.task != other.task or sample.label is None or other.label is None or sample.label <= other.label:
                continue
            if number is None or theirs is None or number <= theirs + TOLERANCE:
                return f", e.g. {sample.what!r} {shown(number)} against {other.what!r} {shown(theirs)}"
    return ""


def format_never_beats_content(bench: Bench) -> Finding:
    """No wrong answer, in whatever form, earns more than the right answer in the form the reward understands best."""
    check = "format_never_beats_content"
    if bench.samples.own:
        reason = "samples of your own have their own form; see correct_above_wrong"
        return Finding(check=check, ok=None, applies=False, reason=reason)
    best = [n for s, n in zip(bench.samples.samples, bench.numbers, strict=True) if s.label == 1.0 and n is not None]
    if not best:
        return Finding(check=check, ok=None, reason="no right answer has a reward")
    tried = 0
    for form, pairs in bench.forms.items():
        for index, (_, wrong) in enumerate(pairs):
            tried += int(wrong is not None)
            if wrong is not None and wrong > min(best) + TOLERANCE:
                reason = f"a wrong answer written as {form} earns {wrong:g} (probe-{index:02d})"
                return broken(check, f"{reason}, a right one written as {bench.samples.named} {min(best):g}")
    return kept(check, f"{tried} wrong answers in {len(bench.forms)} forms, none above {min(best):g}")


def monotone_in(bench: Bench) -> Finding:
    """The reward never falls when what was declared grows."""
    check = "monotone_in"
    given = bench.reward.declared.monotone_in
    if given is None:
        return Finding(check=check, ok=None, applies=False, reason='nothing is declared: monotone_in="tests_passed"')
    if isinstance(given, str):
        return _monotone_column(bench, given)
    points = []
    for sample, number in zip(bench.samples.samples, bench.numbers, strict=True):
        if number is not None:
            points.append((float(given(sample.trajectory, sample.case)), number, sample))
    points.sort(key=lambda point: point[0])
    for (x, number, one), (other_x, theirs, other) in pairwise(points):
        if other_x > x and theirs < number - TOLERANCE:
            reason = f"it falls from {number:g} to {theirs:g} where the feature grows from {x:g} to {other_x:g}"
            return broken(check, f"{reason} ({one.what!r}, {other.what!r})")
    if not points:
        return Finding(check=check, ok=None, reason="no sample has a reward")
    return kept(check, f"{len(points)} samples in the order of the feature, and the reward never falls")


def _monotone_column(bench: Bench, name: str) -> Finding:
    tried = 0
    for sample in bench.samples.samples[:4]:
        before: float | None = None
        for value in (0, 0.25, 0.5, 0.75, 1, 2, 5, 10, 100):
            number = bench.number(sample.trajectory, _with_column(sample.case, name, value))
            if number is None:
                continue
            tried += 1
            if before is not None and number < before - TOLERANCE:
                return broken("monotone_in", f"it falls from {before:g} to {number:g} where {name} grows to {value:g}")
            before = number
    if not tried:
        return Finding(check="monotone_in", ok=None, reason=f"no reward for any value of the column {name!r}")
    return kept("monotone_in", f"{tried} values of {name}, and the reward never falls")


def _with_column(case: Case, name: str, value: float) -> Case:
    return replace(case, expected=replace(case.expected, custom={**case.expected.custom, name: value}))


def order_free(bench: Bench) -> Finding:
    """The order of completions in a batch changes nothing but the order of the rewards."""
    check = "order_free"
    if not bench.reward.declared.order_free:
        return Finding(check=check, ok=None, applies=False, reason="not declared: order_free=True")
    pairs = [(s.trajectory, s.case) for s in bench.samples.samples[:8]]
    straight = bench.values(pairs)
    rng = random.Random(0)
    for _ in range(5):
        order = list(range(len(pairs)))
        rng.shuffle(order)
        shuffled = bench.values([pairs[i] for i in order])
        for place, index in enumerate(order):
            one, other = straight[index].value, shuffled[place].value
            if (one is None) != (other is None) or (one is not None and other is not None and abs(one - other) > 1e-9):
                return broken(check, f"completion {index + 1} earns {shown(one)}, and {shown(other)} in another order")
    return kept(check, f"{len(pairs)} completions in 5 orders")


def group_advantages_sum_to_zero(bench: Bench) -> Finding:
    """Over each task's completions the advantages are finite and sum to zero; completions without a reward are out."""
    check = "group_advantages_sum_to_zero"
    groups: dict[str, list[float | None]] = {}
    for sample, number in zip(bench.samples.samples, bench.numbers, strict=True):
        groups.setdefault(sample.task, []).append(number)
    for case in bench.tasks[:2]:
        groups.setdefault(case.id, []).append(bench.number(bench.nothing(case), case))
    counted = 0
    for task, rewards in groups.items():
        advantages = [a for a in advantages_of(rewards) if a is not None]
        counted += len(advantages)
        if not all(map(math.isfinite, advantages)) or abs(sum(advantages)) > 1e-6 * max(1, len(advantages)):
            return broken(check, f"task {task}: advantages {advantages[:6]} of rewards {rewards[:6]}")
    if not counted:
        return Finding(check=check, ok=None, reason="no completion has a reward")
    return kept(check, f"{len(groups)} groups, {counted} advantages")


def advantages_of(rewards: Sequence[float | None]) -> list[float | None]:
    """Rewards minus their mean, over their standard deviation (population); 0 where all are equal; None stays out.

    The advantages of GRPO (Shao et al., 2024, eq. 4). A reward of None counts in neither mean nor deviation.
    """
    known = [reward for reward in rewards if reward is not None]
    if not known:
        return [None] * len(rewards)
    scale = max(abs(reward) for reward in known) or 1.0  # large rewards must not overflow when squared
    scaled = [reward / scale for reward in known]
    mean = math.fsum(scaled) / len(scaled)
    deviation = math.sqrt(math.fsum((reward - mean) ** 2 for reward in scaled) / len(scaled))
    if deviation <= 1e-12:
        return [None if reward is None else 0.0 for reward in rewards]
    return [None if reward is None else (reward / scale - mean) / deviation for reward in rewards]


PROPERTIES: Mapping[str, Callable[[Bench], Finding]] = {
    check.__name__: check
    for check in (
        bounded,
        correct_above_wrong,
        format_never_beats_content,
        empty_shell_at_floor,
        empty_at_floor,
        echo_at_floor,
        refusal_at_floor,
        no_op_at_floor,
        doing_nothing_earns_nothing,
        whitespace_changes_nothing,
        key_order_changes_nothing,
        comments_changes_nothing,
        renamed_locals_changes_nothing,
        padding_never_raises,
        repetition_never_raises,
        length_is_not_the_reward,
        monotone_in,
        order_free,
        group_advantages_sum_to_zero,
    )
}
"""Every property by name."""

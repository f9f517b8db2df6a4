"""The GRPO reference: advantages and losses against a second implementation, and what a tiny policy learns."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.trajectory import Trajectory
from harness.rewards import ToolReward, group_advantages, learn, lesson_of, policy_loss, storeroom, would_it_teach
from harness.rewards.grpo_advantages import VARIANTS, Variant
from harness.rewards.grpo_learning import Control, LearningCurve
from harness.rewards.grpo_losses import CLIPS
from harness.rewards.grpo_policy import TinyPolicy
from harness.rewards.grpo_would_teach import RewardOf, Teaching
from harness.testing import make_case

NAN, INF = float("nan"), float("inf")
LESSON = storeroom()


class Pays:
    """A reward made of a function."""

    name = "pays"

    def __init__(self, function: Callable[[Trajectory, Case], Any]) -> None:
        self.function = function

    def reward(self, trajectory: Trajectory, case: Case) -> Any:
        return self.function(trajectory, case)


def facts(run: Trajectory, case: Case) -> float:
    return sum(fact in (run.answer or "").split() for fact in case.expected.contains) / 2


# Advantages


def test_published_formulas_on_a_group_by_hand() -> None:
    rewards = [1.0, 0.0, 0.0, 1.0, 0.5]
    mean, deviation = 0.5, 0.5  # n - 1 in the denominator: sqrt(1 / 4)
    expected = [(r - mean) / deviation for r in rewards]
    assert group_advantages(rewards).advantages == pytest.approx(expected, abs=1e-5)
    assert group_advantages(rewards, variant="dr_grpo").advantages == pytest.approx([r - mean for r in rewards])
    others = [r - (sum(rewards) - r) / 4 for r in rewards]
    assert group_advantages(rewards, variant="rloo").advantages == pytest.approx(others)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("rewards", "advantages"),
    [
        ([], ()),
        ([None, NAN, INF], (None, None, None)),
        ([0.7], (0.0,)),
        ([None, 0.7, NAN], (None, 0.0, None)),
        ([0.3, 0.3, 0.3], (0.0, 0.0, 0.0)),
        ([0.0, 0.0], (0.0, 0.0)),
        ([1e308, 1e308], (0.0, 0.0)),
    ],
)
def test_groups_with_nothing_to_compare(variant: Variant, rewards: list[Any], advantages: tuple[Any, ...]) -> None:
    found = group_advantages(rewards, variant=variant)
    assert found.advantages == advantages
    assert not found.informative


@pytest.mark.parametrize("variant", VARIANTS)
@given(rewards=st.lists(st.none() | st.floats() | st.floats(-2, 2), max_size=12))
def test_advantages_sum_to_zero_keep_order_and_leave_out_what_is_no_number(
    variant: Variant, rewards: list[float | None]
) -> None:
    found = group_advantages(rewards, variant=variant)
    pairs = [
        (r, a) for r, a in zip(rewards, found.advantages, strict=True) if r is not None and a is not None
    ]  # fmt: skip
    assert [a is None for a in found.advantages] == [r is None or not math.isfinite(r) for r in rewards]
    assert all(math.isfinite(a) for _, a in pairs)
    size = max((abs(a) for _, a in pairs), default=0.0)
    assert abs(math.fsum(a for _, a in pairs)) <= 1e-9 * max(1.0, size) * max(1, len(pairs))
    ordered = sorted(pairs)
    assert all(x[1] <= y[1] + 1e-9 * max(1.0, size) for x, y in itertools.pairwise(ordered))


def test_what_is_left_out_does_not_move_the_others() -> None:
    plain = group_advantages([1.0, 0.0, 2.0]).advantages
    mixed = group_advantages([1.0, None, 0.0, NAN, 2.0]).advantages
    assert [a for a in mixed if a is not None] == list(plain)


# Losses


def naive(new: Any, old: Any, advantages: Any, variant: str, reference: Any = None, beta: float = 0.0) -> float:
    """The formulas of the papers, token by token, written a second time."""
    low, high = CLIPS[variant]  # type: ignore[index]
    kept = [i for i, a in enumerate(advantages) if a is not None and len(new[i])]
    if not kept:
        return 0.0
    tokens, longest = sum(len(new[i]) for i in kept), max(len(new[i]) for i in kept)
    total = 0.0
    for i in kept:
        a, length = advantages[i], len(new[i])
        weight = {"dapo": 1 / tokens, "cispo": 1 / tokens, "dr_grpo": 1 / (len(kept) * longest), "rloo": 1 / len(kept)}
        share = weight.get(variant, 1 / (len(kept) * length))
        whole = math.exp(sum(x - y for x, y in zip(new[i], old[i], strict=True)) / length)
        for t in range(length):
            ratio = whole if variant == "gspo" else math.exp(new[i][t] - old[i][t])
            if variant == "rloo":
                loss = -a * new[i][t]
            elif variant == "cispo":
                loss = -a * min(ratio, 1 + high) * new[i][t]
            else:
                loss = -min(ratio * a, min(max(ratio, 1 - low), 1 + high) * a)
            if reference is not None:
                d = reference[i][t] - new[i][t]
                loss += beta * (math.exp(d) - d - 1)
            total += share * loss
    return total


LOGS = st.floats(-6, -0.01)


@st.composite
def groups(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    lengths = draw(st.lists(st.integers(0, 5), min_size=1, max_size=5))
    three = [[draw(st.lists(LOGS, min_size=n, max_size=n)) for n in lengths] for _ in range(3)]
    advantages = [draw(st.none() | st.floats(-3, 3)) for _ in lengths]
    return three[0], three[1], advantages, three[2]


@pytest.mark.parametrize("variant", VARIANTS)
@given(drawn=groups(), beta=st.sampled_from([0.0, 0.04]))
def test_losses_agree_with_the_papers_formulas(variant: Variant, drawn: Any, beta: float) -> None:
    new, old, advantages, reference = drawn
    got = policy_loss(new, old, advantages, variant=variant, reference=reference, beta=beta)
    assert got.value == pytest.approx(naive(new, old, advantages, variant, reference, beta), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v != "cispo"])
def test_gradients_are_the_slopes_of_the_loss(variant: Variant) -> None:
    chance = np.random.default_rng(3)
    old = [chance.uniform(-3, -0.5, n).tolist() for n in (3, 1, 4)]
    new = [(np.array(o) + chance.uniform(-0.4, 0.4, len(o))).tolist() for o in old]
    reference = [chance.uniform(-3, -0.5, len(o)).tolist() for o in old]
    more: dict[str, Any] = {"variant": variant, "reference": reference, "beta": 0.1}
    found = policy_loss(new, old, [1.0, -0.5, 2.0], **more).gradients
    for i, row in enumerate(new):
        for t in range(len(row)):
            slopes = []
            for step in (1e-6, -1e-6):
                moved = [list(r) for r in new]
                moved[i][t] += step
                slopes.append(policy_loss(moved, old, [1.0, -0.5, 2.0], **more).value)
            assert found[i][t] == pytest.approx((slopes[0] - slopes[1]) / 2e-6, abs=1e-6)


def test_the_weight_of_cispo_is_a_constant_so_that_no_token_is_cut_off() -> None:
    got = policy_loss([[-0.1]], [[-5.0]], [1.0], variant="cispo")
    assert got.gradients == ((-1.28,),)
    assert policy_loss([[-0.1]], [[-5.0]], [1.0], variant="grpo").gradients == ((0.0,),)


def test_dapo_clips_higher_above_than_below_and_counts_tokens_alike() -> None:
    up = [math.log(1.25)]
    assert policy_loss([[-1 + up[0]]], [[-1.0]], [1.0], variant="grpo").clipped == 1.0
    assert policy_loss([[-1 + up[0]]], [[-1.0]], [1.0], variant="dapo").clipped == 0.0
    same = [[-1.0], [-1.0] * 9]
    dapo, grpo = (policy_loss(same, same, [1.0, -1.0], variant=v).value for v in ("dapo", "grpo"))
    assert (dapo, grpo) == pytest.approx((0.8, 0.0))


@pytest.mark.parametrize("variant", VARIANTS)
@given(
    logs=st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=4),
    advantage=st.none() | st.floats(allow_nan=True),
)
def test_the_loss_is_always_finite(variant: Variant, logs: list[tuple[float, float]], advantage: float | None) -> None:
    new, old = [[a for a, _ in logs]], [[b for _, b in logs]]
    kept = None if advantage is None or not math.isfinite(advantage) else max(-1e100, min(1e100, advantage))
    got = policy_loss(new, old, [kept], variant=variant)
    assert math.isfinite(got.value)
    assert all(map(math.isfinite, got.gradients[0]))


def test_completions_without_an_advantage_or_tokens_are_left_out() -> None:
    got = policy_loss([[-1.0], [], [-1.0]], [[-1.0], [], [-1.0]], [None, 1.0, 0.5])
    assert (got.counted, got.value, got.gradients[0]) == (1, -0.5, (0.0,))
    assert policy_loss([[-1.0]], [[-1.0]], [None]).clipped is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: group_advantages([1.0], variant="ppo"),  # type: ignore[arg-type]
        lambda: group_advantages([1.0], epsilon=-1.0),
        lambda: policy_loss([[-1.0]], [[-1.0, -2.0]], [1.0]),
        lambda: policy_loss([[-1.0]], [[-1.0]], []),
        lambda: policy_loss([[-1.0]], [[-1.0]], [1.0], beta=0.1),
        lambda: learn(LESSON, lambda t, w: 1.0, group=1),
        lambda: learn(LESSON, lambda t, w: 1.0, control="upside down"),  # type: ignore[arg-type]
        lambda: would_it_teach(ToolReward(), seeds=0),
        lambda: lesson_of([], {}, {}),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Callable[[], Any]) -> None:
    with pytest.raises(UsageError):
        wrong()


# Learning


@cache
def curves(control: Control, variant: Variant = "grpo") -> tuple[LearningCurve, ...]:
    value = RewardOf(Pays(facts), LESSON)
    return tuple(learn(LESSON, value, seed=seed, control=control, variant=variant) for seed in range(5))


def test_the_lesson_examines_on_tasks_it_never_trained_on() -> None:
    trained, held = ({task.case.id for task in tasks} for tasks in (LESSON.train, LESSON.held_out))
    assert (len(trained), len(held), trained & held) == (24, 24, set())


@pytest.mark.parametrize("variant", VARIANTS)
def test_held_out_reward_rises_in_five_of_five_seeds(variant: Variant) -> None:
    found = [curve.reward for curve in curves("none", variant)]
    assert [rise is not None and rise.rose and rise.p < 0.01 for rise in found] == [True] * 5


def test_shuffled_and_constant_rewards_improve_nothing() -> None:
    for control in ("shuffled", "constant"):
        assert [curve.quality.rose for curve in curves(control)] == [False] * 5
    assert {curve.quality.after - curve.quality.before for curve in curves("constant")} == {0.0}


def test_a_flipped_sign_makes_it_worse_in_every_seed() -> None:
    assert [curve.quality.fell for curve in curves("flipped")] == [True] * 5


def test_the_same_seed_gives_the_same_curve_and_another_seed_another() -> None:
    value = RewardOf(Pays(facts), LESSON)
    again = learn(LESSON, value, seed=1)
    assert again == curves("none")[1]
    assert again.losses != curves("none")[2].losses


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_spike_of_a_million_is_cut_and_the_loss_stays_finite(variant: Variant) -> None:
    def spiked(run: Trajectory, case: Case) -> float:
        return 1e6 if run.answer == "north A1" else facts(run, case)

    found = learn(LESSON, RewardOf(Pays(spiked), LESSON), variant=variant, steps=20, max_norm=0.5)
    assert found.largest_step <= 0.5 + 1e-12
    assert all(map(math.isfinite, found.losses))
    if variant in ("dr_grpo", "rloo"):  # the others divide the spike away
        assert found.largest_gradient > 1e3


def test_a_gradient_that_is_no_number_is_skipped_and_a_huge_one_is_cut() -> None:
    policy = TinyPolicy(positions=1, features=1, words=2, max_norm=1.0)
    policy.step(np.full((1, 1, 2), NAN), 1.0)
    assert (policy.skipped, policy.weights.sum()) == (1, 0.0)
    policy.step(np.full((1, 1, 2), 1e200), 1.0)
    assert policy.largest_step == pytest.approx(1.0)
    assert np.isfinite(policy.weights).all()


# Would it teach?


def test_a_good_reward_teaches() -> None:
    found = would_it_teach(Pays(facts), seeds=2)
    assert found.teaches
    assert [curve.control for curve in found.controls] == ["shuffled", "constant", "flipped"]
    assert "rose with 2 of 2 seeds" in found.reason
    assert found.calls <= 3072


def test_our_own_tool_reward_teaches() -> None:
    assert would_it_teach(ToolReward(), seeds=2, controls=()).teaches


@pytest.mark.parametrize(
    ("function", "verdict"),
    [
        (lambda run, case: 1.0, "teaches nothing"),
        (lambda run, case: float(len(run.answer or "")), "teaches something else"),
        (lambda run, case: -facts(run, case), "teaches something else"),
        (lambda run, case: None, "not measured"),
        (lambda run, case: 1 / 0, "not measured"),
        (lambda run, case: NAN, "not measured"),
    ],
)
def test_other_rewards_are_told_apart(function: Callable[[Trajectory, Case], Any], verdict: str) -> None:
    found = would_it_teach(Pays(function), seeds=2, controls=())
    assert found.verdict == verdict
    assert (verdict == "not measured") == (found.unusable == found.calls)


def test_a_reward_that_sometimes_says_nothing_still_teaches() -> None:
    def shy(run: Trajectory, case: Case) -> float | None:
        return None if "hall" in (run.answer or "") else facts(run, case)

    found = would_it_teach(Pays(shy), seeds=2, controls=())
    assert found.unusable > 0
    assert found.curves[0].reward is not None


def test_a_reward_that_waits_is_awaited_also_while_a_loop_is_running() -> None:
    class Waits:
        name = "waits"

        async def reward(self, trajectory: Trajectory, case: Case) -> float:
            await asyncio.sleep(0)
            return facts(trajectory, case)

    async def inside() -> Teaching:
        return would_it_teach(Waits(), seeds=1, controls=(), steps=2)

    found = asyncio.run(inside())
    assert found.error is None
    assert found.unusable == 0


def test_own_cases_ask_whether_the_good_kinds_are_preferred() -> None:
    cases = [make_case(id=f"c{i}", input="2+2?", answer="4") for i in range(24)]
    kinds = {
        "right": lambda case: Trajectory.from_answer("4"),
        "wrong": lambda case: Trajectory.from_answer("5"),
        "padded": lambda case: Trajectory.from_answer("5 because, as we all know, it is so"),
    }
    lesson = lesson_of(cases, kinds, {"right": 1.0, "wrong": 0.0, "padded": 0.0})
    exact = Pays(lambda run, case: float(run.answer == case.expected.answer))
    longest = Pays(lambda run, case: float(len(run.answer or "")))
    assert would_it_teach(exact, lesson=lesson, seeds=2, controls=()).verdict == "teaches"
    assert would_it_teach(longest, lesson=lesson, seeds=2, controls=()).verdict == "teaches something else"

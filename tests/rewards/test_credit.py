"""Credit sums to the trajectory's reward, and shaping telescopes, for any numbers."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.rewards import credits_of, shaped, shaping_terms, shapley_credits
from harness.rewards.credit import CreditWay
from harness.rewards.shaping import discounted_sum

NUMBERS = st.floats(-1e4, 1e4)


@pytest.mark.parametrize("how", get_args(CreditWay))
@given(own=st.lists(NUMBERS, min_size=1, max_size=60), reward=NUMBERS)
def test_credits_sum_to_the_reward(how: Any, own: list[float], reward: float) -> None:
    found = credits_of(own, reward, how=how)
    assert len(found) == len(own)
    assert abs(math.fsum(found) - reward) <= 1e-9


def test_credits_sum_to_the_reward_where_rounding_would_show() -> None:
    own = [1e6 / 3 + turn * 0.1 for turn in range(1000)]
    assert abs(math.fsum(credits_of(own, 0.1)) - 0.1) <= 1e-9


@given(own=st.lists(NUMBERS, min_size=2, max_size=20), reward=NUMBERS)
def test_surplus_keeps_the_differences_between_turns(own: list[float], reward: float) -> None:
    found = credits_of(own, reward)
    assert found[1] - found[0] == pytest.approx(own[1] - own[0], abs=1e-6)


def test_the_other_ways_do_what_they_say() -> None:
    assert credits_of([1, 2, 3], 6.0, how="last") == (0.0, 0.0, 6.0)
    assert credits_of([1, 2, 3], 6.0, how="uniform") == (2.0, 2.0, 2.0)
    early, late = credits_of([0, 0], 1.0, how="discounted", discount=0.5)
    assert (early, late) == pytest.approx((1 / 3, 2 / 3))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: credits_of([], 1.0),
        lambda: credits_of([1.0], float("nan")),
        lambda: credits_of([float("inf")], 1.0),
        lambda: credits_of([1.0], 1.0, how="fair"),  # type: ignore[arg-type]
        lambda: credits_of([1.0], 1.0, discount=0.0),
        lambda: shapley_credits(lambda s: 0.0, 0),
        lambda: shapley_credits(lambda s: float("nan"), 2),
        lambda: shaping_terms([1.0]),
        lambda: shaping_terms([1.0, float("nan")], end=None),
        lambda: shaping_terms([1.0, 2.0], discount=1.5),
        lambda: shaped([1.0], [0.0]),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError):
        wrong()


def test_shapley_gives_the_pair_its_joint_value_in_halves_and_the_bystander_nothing() -> None:
    found = shapley_credits(lambda members: float({0, 1} <= members), 3)
    assert found == pytest.approx((0.5, 0.5, 0.0))


@given(st.integers(1, 12), st.integers(0, 5))
def test_shapley_sums_to_the_value_of_all_also_when_orders_are_drawn(turns: int, seed: int) -> None:
    def value(members: frozenset[int]) -> float:
        return sum(members) ** 1.5 + (0 in members) * len(members) - 3.0

    found = shapley_credits(value, turns, orders=7, seed=seed)
    whole = value(frozenset(range(turns))) - value(frozenset())
    assert abs(math.fsum(found) - whole) <= 1e-9


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40), st.floats(0.05, 1.0))
def test_shaping_telescopes_whatever_lies_between(potentials: list[float], discount: float) -> None:
    terms = shaping_terms(potentials, discount=discount, end=None)
    direct = discount ** len(terms) * potentials[-1] - potentials[0]
    assert discounted_sum(terms, discount) == pytest.approx(direct, abs=1e-9)
    paid = discounted_sum(shaping_terms(potentials, discount=discount), discount)
    assert paid == pytest.approx(-potentials[0], abs=1e-9)


@given(st.lists(st.tuples(NUMBERS, st.floats(-10, 10)), min_size=1, max_size=10), st.floats(0.05, 1.0))
def test_shaping_never_changes_which_of_two_runs_is_better(turns: list[tuple[float, float]], discount: float) -> None:
    # Both start in the same state and both end; all between may differ.
    rewards, potentials = [r for r, _ in turns], [0.5, *(p for _, p in turns)]
    other_rewards, other_potentials = [1.0, 2.0], [0.5, -7.0, 3.0]
    plain = discounted_sum(rewards, discount) - discounted_sum(other_rewards, discount)
    first = discounted_sum(shaped(rewards, potentials, discount=discount), discount)
    second = discounted_sum(shaped(other_rewards, other_potentials, discount=discount), discount)
    assert first - second == pytest.approx(plain, abs=1e-6)

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.means import clustered_mean
from harness.stats.sign_flip import sign_flip_bounds, sign_flip_difference, sign_flip_test

_FEW = st.lists(st.integers(-20, 20).map(lambda v: v / 4), min_size=1, max_size=8)


def _by_enumeration(values: list[float], at: float) -> float:
    shifted = [v - at for v in values]
    flips = itertools.product((1, -1), repeat=len(values))
    sums = [sum(s * v for s, v in zip(signs, shifted, strict=True)) for signs in flips]
    return sum(total >= sum(shifted) - 1e-9 for total in sums) / len(sums)


@settings(max_examples=60)
@given(values=_FEW, at=st.sampled_from([0.0, -0.5, 1.25]))
def test_the_exact_p_value_counts_every_flip(values: list[float], at: float) -> None:
    assert sign_flip_test(values, at=at, alternative="greater") == pytest.approx(_by_enumeration(values, at))


@settings(max_examples=60)
@given(
    values=st.lists(st.floats(-10, 10), min_size=6, max_size=40),
    at=st.floats(-5, 5),
    confidence=st.sampled_from([0.9, 0.95, 0.975]),
)
def test_the_interval_and_the_p_value_agree(values: list[float], at: float, confidence: float) -> None:
    low, high = sign_flip_bounds(values, confidence=confidence, resamples=999)
    if low is None or high is None or min(abs(at - low), abs(at - high)) < 1e-9:
        return
    greater = sign_flip_test(values, at=at, alternative="greater", resamples=999)
    less = sign_flip_test(values, at=at, alternative="less", resamples=999)
    assert greater is not None
    assert less is not None
    assert (greater <= 1 - confidence + 1e-12) == (at < low)
    assert (less <= 1 - confidence + 1e-12) == (at > high)


@settings(max_examples=40)
@given(values=st.lists(st.floats(-10, 10), min_size=2, max_size=40))
def test_the_order_of_cases_does_not_matter_and_swapping_the_arms_mirrors_the_result(values: list[float]) -> None:
    made = sign_flip_difference(values, resamples=499)
    shuffled = random.Random(1).sample(values, len(values))
    again = sign_flip_difference(shuffled, resamples=499)
    mirrored = sign_flip_difference([-v for v in values], resamples=499)
    assert (again.low, again.high) == (made.low, made.high)
    if sorted(values) != sorted(-v for v in values):
        assert (mirrored.low is None) == (made.high is None)
        if mirrored.low is not None and made.high is not None:
            assert mirrored.low == pytest.approx(-made.high, abs=1e-12)


def test_p_is_never_zero_and_the_global_random_state_is_untouched() -> None:
    states = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    assert sign_flip_test([1.0] * 200, resamples=99) == 2 / 100
    assert sign_flip_test([1.0] * 10, alternative="greater") == 2**-10
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # type: ignore[index, union-attr]


def test_groups_are_flipped_whole() -> None:
    values = [1.0, 1.2, 0.8, 1.1, 0.9, 1.3] * 5
    groups = [g for g in range(5) for _ in range(6)]
    assert sign_flip_test(values, groups, alternative="greater") == 2**-5
    assert sign_flip_bounds(values, groups, confidence=0.975) == (None, None)
    assert "5 groups are too few" in sign_flip_difference(values, groups).note


def test_groups_of_unequal_size_are_compared_by_their_mean_over_cases() -> None:
    # With group sums 6 of 3 cases and -1 of 1 case the subsets have means 2, -1 and 5/4.
    assert sign_flip_test([2.0, 2.0, 2.0, -1.0], [0, 0, 0, 1], at=1.3, alternative="greater") == pytest.approx(3 / 4)


def test_no_spread_has_no_interval_and_identical_runs_have_p_one() -> None:
    made = sign_flip_difference([0.0] * 30)
    assert (made.value, made.low, made.high) == (0.0, None, None)
    assert "equal" in made.note
    assert sign_flip_test([0.0] * 30) == 1.0
    assert sign_flip_test([]) is None
    assert sign_flip_difference([]).value is None


def test_many_cases_give_the_interval_of_the_t_test() -> None:
    values = np.random.default_rng(8).normal(0.2, 1, 3_000).tolist()
    made, t = sign_flip_difference(values), clustered_mean(values)
    assert (made.low, made.high) == pytest.approx((t.low, t.high), abs=0.003)


def test_values_that_are_not_numbers_and_too_few_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="finite, got nan"):
        sign_flip_test([1.0, float("nan")])
    with pytest.raises(ValueError, match="got 10"):
        sign_flip_test([1.0], resamples=10)

from __future__ import annotations

from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.pass_k import pass_at_k, pass_hat_k, pass_k


@given(trials=st.integers(1, 7), passes=st.integers(0, 7), k=st.integers(1, 7))
def test_both_agree_with_counting_every_choice_of_k_trials(trials: int, passes: int, k: int) -> None:
    passes, k = min(passes, trials), min(k, trials)
    outcomes = [True] * passes + [False] * (trials - passes)
    choices = list(combinations(outcomes, k))
    assert pass_hat_k(passes, trials, k) == pytest.approx(sum(map(all, choices)) / len(choices))
    assert pass_at_k(passes, trials, k) == pytest.approx(sum(map(any, choices)) / len(choices))


def test_pass_at_k_is_the_product_form_of_chen_and_others() -> None:
    # Chen et al. (2021), the numerically stable form in their figure 3.
    n, c, k = 200, 13, 10
    product = 1.0
    for i in range(n - c + 1, n + 1):
        product *= 1 - k / i
    assert pass_at_k(c, n, k) == pytest.approx(1 - product)


def test_a_k_above_the_trials_of_any_case_is_an_error_that_names_the_case() -> None:
    with pytest.raises(ValueError, match=r"k=4 is above the 3 trials of case number 1; use k <= 3"):
        pass_k([4, 3], [4, 3], 4)


def test_unequal_trials_are_averaged_case_by_case() -> None:
    made = pass_k([2, 3], [4, 3], 2)
    assert made.value == pytest.approx((comb(2, 2) / comb(4, 2) + 1) / 2)


@pytest.mark.parametrize("passes", [[4] * 10, [0] * 10, [4], [2]])
def test_alike_cases_still_have_an_interval_with_width_inside_the_range(passes: list[int]) -> None:
    made = pass_k(passes, [4] * len(passes), 4)
    assert made.low is not None
    assert made.high is not None
    assert 0 <= made.low < made.high <= 1


def test_the_interval_comes_from_resampling_cases_and_is_the_same_every_time() -> None:
    passes = [4, 4, 3, 2, 0, 4, 1, 4, 4, 2] * 5
    made = pass_k(passes, [4] * 50, 2)
    assert made == pass_k(passes, [4] * 50, 2)
    assert "bootstrap over cases" in made.method
    assert made.low is not None
    assert made.value is not None
    assert made.low < made.value

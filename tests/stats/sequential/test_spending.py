from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binom, multivariate_normal

from harness.stats.sequential.spending import even_looks, look_levels, obrien_fleming_spent
from harness.stats.sequential.spending_binomial import plan_looks


def test_five_even_looks_have_the_published_boundaries() -> None:
    # Reboussin, DeMets, Kim and Lan (2000), Controlled Clinical Trials 21:190-207: one-sided .025, five looks.
    bounds = [-float(ndtri(level)) for level in look_levels([1, 2, 3, 4, 5], alpha=0.025)]
    assert bounds == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=1e-3)


@pytest.mark.parametrize("looks", [[40, 100], [20, 50, 60], [30, 31, 100], [1, 60_000, 99_990, 100_000]])
def test_the_looks_together_spend_alpha_by_the_joint_normal_distribution(looks: list[int]) -> None:
    levels = [level for level in look_levels(looks, alpha=0.05) if level > 0]
    looks = looks[-len(levels) :]
    bounds = [-float(ndtri(level)) for level in levels]
    correlation = [[(min(a, b) / max(a, b)) ** 0.5 for b in looks] for a in looks]
    # No crossing at all has the chance that every look stays below its bound.
    stay = multivariate_normal(mean=[0] * len(looks), cov=correlation, allow_singular=True).cdf(np.array(bounds))
    assert 1 - stay == pytest.approx(0.05, abs=5e-4)


def test_one_look_is_the_plain_test_and_the_whole_error_is_spent_at_the_end() -> None:
    assert look_levels([80], alpha=0.025) == pytest.approx([0.025])
    assert obrien_fleming_spent(1.0, 0.05) == pytest.approx(0.05)
    assert obrien_fleming_spent(0.0, 0.05) == 0.0


@settings(max_examples=30, deadline=None)
@given(
    bar=st.sampled_from([0.2, 0.5, 0.8, 0.9, 0.95]),
    looks=st.lists(st.integers(1, 120), min_size=1, max_size=6, unique=True).map(sorted),
    alpha=st.sampled_from([0.01, 0.05]),
)
def test_at_the_bar_neither_side_errs_more_than_its_alpha(bar: float, looks: list[int], alpha: float) -> None:
    plan = plan_looks(bar, looks, alpha_pass=alpha, alpha_fail=alpha)
    made = plan.operating(bar)
    assert made.passes <= alpha + 1e-12
    assert made.fails <= alpha + 1e-12
    assert all(up > down for up, down in zip(plan.pass_at, plan.fail_at, strict=True))


def test_the_recursion_agrees_with_running_the_plan() -> None:
    plan = plan_looks(0.9, [30, 60, 90, 120])
    paths = np.cumsum(np.random.default_rng(2).random((20_000, 120)) < 0.95, axis=1)
    passed = failed = cases = 0
    for path in paths:
        for look, n in enumerate(plan.looks):
            answer = plan.answer(look, int(path[n - 1]))
            if answer != "inconclusive" or n == plan.looks[-1]:
                passed, failed, cases = passed + (answer == "pass"), failed + (answer == "fail"), cases + n
                break
    exact = plan.operating(0.95)
    assert passed / 20_000 == pytest.approx(exact.passes, abs=0.015)
    assert failed / 20_000 == pytest.approx(exact.fails, abs=0.005)
    assert cases / 20_000 == pytest.approx(exact.cases, rel=0.02)


def test_a_single_look_is_the_exact_binomial_test() -> None:
    plan = plan_looks(0.9, [100])
    assert binom.sf(plan.pass_at[0] - 1, 100, 0.9) <= 0.05 < binom.sf(plan.pass_at[0] - 2, 100, 0.9)
    assert binom.cdf(plan.fail_at[0], 100, 0.9) <= 0.05 < binom.cdf(plan.fail_at[0] + 1, 100, 0.9)


def test_a_look_that_is_too_early_to_pass_says_so_and_a_plan_may_have_no_failing_side() -> None:
    plan = plan_looks(0.9, [10, 100], alpha_fail=None)
    assert plan.pass_at[0] == 11
    assert plan.answer(0, 10) == "inconclusive"
    assert plan.fail_at == (-1, -1)
    assert plan.answer(1, 0) == "inconclusive"


def test_looks_are_spread_evenly_and_never_repeat() -> None:
    assert even_looks(100, 5, first=0.2) == [20, 40, 60, 80, 100]
    assert even_looks(100) == [30, 38, 46, 54, 62, 69, 77, 85, 93, 100]
    assert even_looks(3, 5) == [1, 2, 3]
    assert even_looks(50, 1) == [50]
    with pytest.raises(ValueError, match="got 0"):
        even_looks(0)


@pytest.mark.parametrize("looks", [[], [0, 5], [5, 5], [9, 4]])
def test_looks_that_do_not_rise_are_refused(looks: list[int]) -> None:
    with pytest.raises(ValueError, match="rising"):
        look_levels(looks)
    with pytest.raises(ValueError, match="rising"):
        plan_looks(0.9, looks)

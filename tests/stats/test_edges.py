"""Where figures end: nothing measured, ranges that are left, one case, and gates planned by simulation-free numbers."""

from __future__ import annotations

import pytest

from harness.stats.cuped import cuped_arms
from harness.stats.gate_plan import Goal, Noise, cases_needed, chances, moments, smallest_drop
from harness.stats.means import bootstrap_mean, clustered_mean
from harness.stats.pass_k import pass_at_k, pass_hat_k, pass_k
from harness.stats.quantiles import quantile, quantile_bounds
from harness.stats.suite_plan import Spread


@pytest.mark.parametrize(
    ("passes", "trials", "k", "said"),
    [(1, 2, 0, "k lies"), (1, 2, 3, "k lies"), (3, 2, 1, "passes lie"), (-1, 2, 1, "passes lie")],
)
def test_chances_of_k_trials_refuse_what_cannot_be(passes: int, trials: int, k: int, said: str) -> None:
    for figure in (pass_at_k, pass_hat_k):
        with pytest.raises(ValueError, match=said):
            figure(passes, trials, k)


def test_pass_k_over_no_cases_is_not_a_number_and_unpaired_lists_are_refused() -> None:
    assert pass_k([], [], 2).value is None
    with pytest.raises(ValueError, match="pair up, got 1 and 2"):
        pass_k([1], [2, 2], 1)
    with pytest.raises(ValueError, match="case number 1; use k <= 2"):
        pass_k([3, 2], [3, 2], 3)


def test_a_quantile_of_nothing_is_not_a_number_and_its_share_lies_between_0_and_1() -> None:
    assert quantile([], 0.5).value is None
    assert quantile_bounds([], 0.5) == (None, None)
    for wrong in (0.0, 1.0, 1.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            quantile([1.0], wrong)


def spread(rate: float, within: float) -> Spread:
    return Spread(rate=rate, within=within, cases=100, separable=True)


def test_more_broken_cases_are_seen_more_often_and_passed_less_often() -> None:
    noise, goal = Noise(spread=spread(0.9, 0.05)), Goal(margin=0.1)
    some = [chances(100, 2, noise, goal, broken=share) for share in (0.0, 0.1, 0.3)]
    assert some[0].passes > some[1].passes > some[2].passes
    assert some[0].fails < some[1].fails < some[2].fails


def test_a_deterministic_suite_needs_fewer_cases_than_a_noisy_one_and_the_next_sizes_hold_too() -> None:
    goal = Goal(margin=0.1)
    quiet = cases_needed(1, Noise(spread=spread(0.95, 0.005)), goal)
    noisy = cases_needed(1, Noise(spread=spread(0.8, 0.12)), goal)
    assert quiet is not None
    assert noisy is not None
    assert quiet < noisy
    assert chances(noisy + 3, 1, Noise(spread=spread(0.8, 0.12)), goal, fail_below=-0.1).passes >= goal.power


def test_the_smallest_drop_shrinks_with_the_cases_and_is_none_where_nothing_can_drop() -> None:
    noise, goal = Noise(spread=spread(0.9, 0.05)), Goal(margin=0.05)
    few, many = smallest_drop(40, 2, noise, goal), smallest_drop(400, 2, noise, goal)
    assert few is not None
    assert many is not None
    assert 0 < many < few < 0.9
    assert smallest_drop(40, 2, Noise(spread=spread(0.0, 0.0)), goal) is None
    assert smallest_drop(1, 1, noise, goal) is None


def test_shared_chance_and_more_trials_move_equal_agents_less_and_a_true_change_moves_them_more() -> None:
    base = Noise(spread=spread(0.9, 0.09))
    assert moments(Noise(spread=base.spread, shared=0.5), 2)[1] < moments(base, 2)[1]
    assert moments(base, 8)[1] < moments(base, 2)[1]
    assert moments(Noise(spread=base.spread, change=0.1), 2)[1] == pytest.approx(moments(base, 2)[1] + 0.1)


def test_adjusting_arms_refuses_covariates_that_are_missing_or_not_finite() -> None:
    with pytest.raises(ValueError, match="one covariate per value is needed, got 2 and 1"):
        cuped_arms([1.0, 2.0], [1.0], [1.0], [1.0])
    with pytest.raises(ValueError, match="must be finite"):
        cuped_arms([1.0, 2.0], [1.0, float("nan")], [1.0], [1.0])


def test_a_bootstrap_of_too_few_resamples_is_refused_and_a_mean_of_nothing_is_not_a_number() -> None:
    with pytest.raises(ValueError, match="at least 100 resamples, got 99"):
        bootstrap_mean([1.0, 2.0], resamples=99)
    assert bootstrap_mean([]).value is None
    assert clustered_mean([]).value is None

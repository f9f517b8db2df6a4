from __future__ import annotations

import random
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.stats.means import bootstrap_mean, case_means, clustered_mean, mean_bounds
from harness.stats.quantiles import quantile, quantile_bounds


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=50).filter(lambda v: statistics.pstdev(v) > 1e-3))
def test_a_mean_without_clusters_is_the_ordinary_t_interval(values: list[float]) -> None:
    made = clustered_mean(values)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (made.low, made.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6, abs=1e-6)


def test_a_clustered_mean_follows_the_cr1_formula_by_hand() -> None:
    # Residuals from the mean 3: clusters {1,2} -> -3, {3,4} -> 1, {5} -> 2; variance 3/2 * 14 / 25.
    made = clustered_mean([1, 2, 3, 4, 5], [0, 0, 1, 1, 2])
    error = (1.5 * 14 / 25) ** 0.5
    assert made.value == 3
    assert made.high == pytest.approx(3 + stats.t.ppf(0.975, 2) * error)
    assert made.note == "only 3 clusters"


def test_copies_of_a_case_in_one_cluster_do_not_narrow_the_interval() -> None:
    single = clustered_mean([1.0, 2.0, 4.0, 8.0])
    copied = clustered_mean([1.0, 2.0, 4.0, 8.0] * 10, [0, 1, 2, 3] * 10)
    assert (copied.low, copied.high) == pytest.approx((single.low, single.high))


@pytest.mark.parametrize("values", [[0.7], [0.7] * 30])
def test_no_spread_has_no_bounds_instead_of_an_interval_without_width(values: list[float]) -> None:
    made = clustered_mean(values)
    assert (made.value, made.low, made.high) == (0.7, None, None)
    assert made.note
    assert mean_bounds(values) == (None, None)


def test_a_mean_stays_inside_its_possible_range() -> None:
    made = clustered_mean([0.0, 0.0, 5.0], minimum=0.0)
    assert made.low == 0.0


def test_a_value_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="nan"):
        clustered_mean([1.0, float("nan")])


def test_the_bootstrap_is_seeded_leaves_the_global_state_alone_and_agrees_with_t_on_many_cases() -> None:
    values = np.random.default_rng(3).normal(10, 2, 400).tolist()
    states = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    first, again, other = bootstrap_mean(values), bootstrap_mean(values), bootstrap_mean(values, seed=1)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # type: ignore[index, union-attr]
    assert first == again
    assert first.low != other.low
    t = clustered_mean(values)
    assert (first.low, first.high) == pytest.approx((t.low, t.high), abs=0.04)


def test_case_means_group_trials_by_case() -> None:
    assert case_means([7, 2, 7], [1.0, 5.0, 0.0]) == ([2, 7], [5.0, 0.5], [1, 2])
    assert case_means([], []) == ([], [], [])


def test_a_quantile_bound_that_the_data_cannot_give_is_none_and_not_the_maximum() -> None:
    values = [float(v) for v in range(1, 59)]
    assert quantile_bounds(values, 0.95)[1] is None
    # 1 - 0.95 ** 59 = 0.9515: from 59 values on the maximum is a bound.
    assert quantile_bounds([*values, 59.0], 0.95)[1] == 59.0


def test_the_published_ranks_of_the_median_bound_it() -> None:
    # Conover (1999), Practical Nonparametric Statistics, table A3: n = 20 gives x(6) and x(15) at 95 %.
    made = quantile([float(v) for v in range(1, 21)], 0.5)
    assert (made.value, made.low, made.high) == (10.5, 6.0, 15.0)


def test_missing_values_count_as_slowest_above_and_as_fastest_below() -> None:
    values = [float(v) for v in range(1, 101)]
    low, high = quantile_bounds(values, 0.5)
    worse_low, worse_high = quantile_bounds(values[:90], 0.5, missing=10)
    assert low is not None
    assert worse_low is not None
    assert worse_low < low
    assert worse_high == high
    assert quantile_bounds(values[:90], 0.95, missing=10)[1] is None


def test_trials_of_the_same_case_widen_a_quantile_interval() -> None:
    values = [float(v) for v in range(20) for _ in range(10)]
    cases = [v for v in range(20) for _ in range(10)]
    alone, shared = quantile_bounds(values, 0.5), quantile_bounds(values, 0.5, cases=cases)
    assert shared[0] is not None
    assert alone[0] is not None
    assert shared[0] < alone[0]


@given(values=st.lists(st.floats(0, 100), min_size=1, max_size=80), q=st.sampled_from([0.5, 0.9, 0.95]))
def test_a_quantile_lies_inside_its_interval(values: list[float], q: float) -> None:
    made = quantile(values, q)
    assert made.value is not None
    assert made.low is None or made.low <= made.value + 1e-9
    assert made.high is None or made.high >= made.value - 1e-9


def test_quantile_bounds_cover_the_true_quantile() -> None:
    generator = np.random.default_rng(5)
    missed = sum(
        bound is not None and bound < 0.9
        for bound in (quantile_bounds(generator.random(60).tolist(), 0.9)[1] for _ in range(400))
    )
    assert missed <= 20 + 13

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.change_points import change_points
from harness.stats.cusum import alarm_chance, design_cusum, follow, run_length
from harness.stats.drift import category_drift, value_drift


@pytest.mark.parametrize(("n", "rate", "drop"), [(200, 0.9, 0.05), (65, 0.95, 0.1), (20, 0.9, 0.2)])
def test_the_chart_keeps_its_false_alarm_rate_with_the_lowest_threshold(n: int, rate: float, drop: float) -> None:
    chart = design_cusum(n, rate, drop=drop, runs_between_false_alarms=200)
    assert chart.runs_between_false_alarms >= 200
    assert run_length(n, 1 - rate, chart.reference, chart.threshold - 1 / 8) < 200
    assert chart.runs_to_alarm < 5


def test_the_run_length_is_that_of_charts_that_were_run() -> None:
    chart = design_cusum(50, 0.9, drop=0.1, runs_between_false_alarms=50)
    random = np.random.default_rng(2)
    lengths = []
    for _ in range(1500):
        total, runs = 0.0, 0
        while total < chart.threshold:
            total, runs = max(0.0, total + random.binomial(50, 0.1) - chart.reference), runs + 1
        lengths.append(runs)
    assert np.mean(lengths) == pytest.approx(chart.runs_between_false_alarms, rel=0.1)
    assert np.mean(np.array(lengths) <= 30) == pytest.approx(alarm_chance(chart, 30), abs=0.05)


def test_a_regression_is_alarmed_and_dated() -> None:
    chart = design_cusum(100, 0.95, drop=0.1)
    path = follow(chart, [5, 4, 6, 5, 3, 14, 16, 15])
    assert path.alarms
    assert path.alarms[0] in (5, 6)
    assert follow(chart, [5, 4, 6, 5, 3]).alarms == ()
    assert follow(chart, [5, 4, 6, 5, 3, 14]).sums[-1] == pytest.approx(max(0, 14 - chart.reference))
    assert follow(chart, []).sums == ()


def test_impossible_charts_are_refused() -> None:
    for call in (
        lambda: design_cusum(100, 1.0, drop=0.1),
        lambda: design_cusum(100, 0.9, drop=0.95),
        lambda: design_cusum(100, 0.9, drop=0.1, runs_between_false_alarms=1),
        lambda: follow(design_cusum(100, 0.9, drop=0.1), [101]),
    ):
        with pytest.raises(ValueError, match="got"):
            call()


def test_a_shift_is_found_where_it_is_with_its_size() -> None:
    random = np.random.default_rng(5)
    values = [*random.normal(0.9, 0.02, 15), *random.normal(0.8, 0.02, 12), *random.normal(0.9, 0.02, 12)]
    found = change_points(values)
    assert [point.at for point in found] == [15, 27]
    assert found[0].before == pytest.approx(0.9, abs=0.02)
    assert found[0].after == pytest.approx(0.8, abs=0.02)
    assert all(0 < point.p <= 0.05 for point in found)


def test_a_series_without_a_shift_is_split_no_more_often_than_stated() -> None:
    random = np.random.default_rng(6)
    split = sum(bool(change_points(random.normal(0, 1, 20), resamples=199, seed=i)) for i in range(300))
    assert split <= 0.05 * 300 + 3 * (0.05 * 0.95 * 300) ** 0.5


@given(st.lists(st.sampled_from([0.5, 0.9, 1.0]), max_size=5))
def test_few_or_equal_runs_show_no_shift(values: list[float]) -> None:
    assert change_points(values) == []
    assert change_points([0.9] * 30) == []


def test_drift_of_values_agrees_with_scipy_and_knows_its_n() -> None:
    random = np.random.default_rng(7)
    base, new = random.normal(0, 1, 60), random.normal(0.9, 1, 40)
    made = value_drift(base.tolist(), new.tolist())
    assert made is not None
    assert made.p == pytest.approx(stats.ks_2samp(base, new).pvalue)
    assert made.moved
    # The same distance between ten values each is nothing unusual.
    few = value_drift(base[:10].tolist(), new[:10].tolist())
    assert few is not None
    assert few.threshold > 2 * made.threshold
    assert value_drift([], [1.0]) is None


def test_drift_of_categories_alarms_at_its_rate_where_the_usual_limit_alarms_most_of_the_time() -> None:
    random = np.random.default_rng(8)
    names = "abcdef"
    moved = usual = 0
    for _ in range(200):
        base, new = (dict(zip(names, map(int, random.multinomial(30, [1 / 6] * 6)), strict=True)) for _ in range(2))
        made = category_drift(base, new, alpha=0.05, resamples=499)
        assert made is not None
        moved += made.moved
        usual += made.distance > 0.1
    assert moved <= 0.05 * 200 + 3 * (0.05 * 0.95 * 200) ** 0.5
    assert usual > 100


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), st.integers(1, 30), min_size=1))
def test_the_same_counts_have_not_moved(counts: dict[str, int]) -> None:
    made = category_drift(counts, counts, resamples=199)
    assert made is not None
    assert made.distance == pytest.approx(0)
    assert not made.moved
    assert category_drift(counts, {}) is None

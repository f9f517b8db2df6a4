"""Intervals of dependent series: they hold the truth where intervals for independent values do not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.stats.batches import repeats_mean, series_mean, series_quantile, series_share
from harness.stats.warm_up import mser5, steadiness


def queue(random: np.random.Generator, load: float, n: int) -> np.ndarray:
    """Times in an M/M/1 queue with service of mean 1, by Lindley's recursion."""
    service, between = random.exponential(1, n), random.exponential(1 / load, n)
    waits, wait = np.empty(n), 0.0
    for index in range(n):
        wait = max(0.0, wait - between[index])
        wait += service[index]
        waits[index] = wait
    return waits


def test_intervals_of_simulated_queues_hold_the_truth_and_naive_ones_do_not() -> None:
    random = np.random.default_rng(5)
    held = {"mean": 0, "p95": 0, "naive": 0}
    runs = 120
    for _ in range(runs):
        load = random.uniform(0.5, 0.8)
        times = queue(random, load, 2000)
        mean, p95 = 1 / (1 - load), math.log(20) / (1 - load)
        for name, found, truth in (
            ("mean", series_mean(times, positive=True), mean), ("p95", series_quantile(times, 0.95), p95),
        ):  # fmt: skip
            assert found.low is not None
            assert found.high is not None
            held[name] += found.low <= truth <= found.high
        half = 1.96 * times.std() / math.sqrt(times.size)
        held["naive"] += abs(times.mean() - mean) <= half
    assert held["mean"] / runs >= 0.85
    assert held["p95"] / runs >= 0.85
    assert held["naive"] / runs < 0.5


def test_independent_values_are_worth_about_as_many() -> None:
    found = series_mean(np.random.default_rng(1).normal(5, 1, 4000))
    assert found.effective > 1300
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(4 / math.sqrt(4000), rel=0.6)


def test_a_thousand_values_of_a_busy_queue_are_worth_far_fewer() -> None:
    assert series_mean(queue(np.random.default_rng(2), 0.9, 1000)).effective < 100


@pytest.mark.parametrize("count", [0, 1, 24])
def test_too_few_values_have_no_interval_and_say_so(count: int) -> None:
    found = series_quantile([1.0] * count, 0.95)
    assert (found.low, found.enough) == (None, False)
    assert found.note


def test_a_percentile_with_hardly_a_value_beyond_it_may_not_gate() -> None:
    assert not series_quantile(np.random.default_rng(1).exponential(1, 100), 0.99).enough
    assert series_quantile(np.random.default_rng(1).exponential(1, 1000), 0.95).enough


def test_equal_values_have_an_interval_without_width() -> None:
    found = series_quantile([2.0] * 100, 0.95)
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)


def test_a_share_of_nothing_found_still_has_an_upper_bound() -> None:
    found = series_share([False] * 300)
    assert found.value == 0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 300), rel=1e-3)


def test_repeats_need_two_runs_for_an_interval() -> None:
    assert repeats_mean([3.0]).low is None
    found = repeats_mean([1.0, 2.0, 4.0])
    assert found.value == pytest.approx(2.0)
    assert found.low is not None
    assert found.low > 0


def test_a_warm_up_is_cut_off_where_it_ends() -> None:
    random = np.random.default_rng(3)
    series = np.concatenate([random.normal(5, 0.3, 60), random.normal(1, 0.3, 600)])
    assert mser5(series) == pytest.approx(60, abs=5)


def test_a_busy_stretch_at_the_beginning_of_an_even_queue_is_no_warm_up() -> None:
    random = np.random.default_rng(4)
    assert sum(mser5(queue(random, 0.7, 1500)) > 0 for _ in range(40)) <= 12


def test_a_series_that_grows_is_not_steady_and_a_level_one_is() -> None:
    random = np.random.default_rng(6)
    level = random.normal(1, 0.1, 400)
    assert steadiness(level).steady
    grown = steadiness(level + np.linspace(0, 1, 400))
    assert grown.grows
    assert grown.change == pytest.approx(0.5, abs=0.2)
    assert not steadiness(level[::-1] + np.linspace(1, 0, 400)).grows

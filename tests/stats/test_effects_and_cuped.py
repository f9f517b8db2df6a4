from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.cuped import cuped, cuped_arms
from harness.stats.effects import cliffs_delta, cohen_h, hedges_g, paired_effect
from harness.stats.means import clustered_mean
from harness.stats.unpaired import welch_difference


def test_a_paired_effect_says_points_and_cases_first() -> None:
    made = paired_effect([1.0, 1.0, -1.0, 0.0, 0.2])
    assert made.points == pytest.approx(24)
    assert (made.won, made.lost, made.same) == (3, 1, 1)
    assert made.odds_ratio == 3
    assert made.d_z == pytest.approx(0.24 / np.std([1.0, 1.0, -1.0, 0.0, 0.2], ddof=1))


def test_effects_without_spread_or_losses_are_not_numbers() -> None:
    made = paired_effect([0.0, 0.0])
    assert (made.d_z, made.odds_ratio) == (None, None)
    assert hedges_g([1.0, 1.0], [1.0, 1.0]) is None
    assert hedges_g([1.0], [2.0, 3.0]) is None
    assert cliffs_delta([], [1.0]) is None
    with pytest.raises(ValueError, match="not measured"):
        paired_effect([])


def test_cohens_h_of_the_textbook() -> None:
    # Cohen (1988), table 6.2.2: shares .50 and .25 have h = 1.571 - 1.047.
    assert cohen_h(0.25, 0.5) == pytest.approx(0.524, abs=1e-3)
    assert cohen_h(0.0, 1.0) == pytest.approx(math.pi)


@given(
    a=st.lists(st.integers(0, 5).map(float), min_size=1, max_size=15),
    b=st.lists(st.integers(0, 5).map(float), min_size=1, max_size=15),
)
def test_cliffs_delta_counts_the_pairs(a: list[float], b: list[float]) -> None:
    expected = sum((y > x) - (y < x) for x in a for y in b) / (len(a) * len(b))
    assert cliffs_delta(a, b) == pytest.approx(expected)


def test_an_earlier_run_narrows_the_interval_by_what_it_foretells_and_keeps_the_mean() -> None:
    random = np.random.default_rng(1)
    earlier = random.normal(0, 1, 400)
    values = 0.3 + 0.8 * earlier + 0.6 * random.normal(0, 1, 400)
    made = cuped(values.tolist(), earlier.tolist())
    assert np.mean(made.values) == pytest.approx(np.mean(values))
    assert made.theta == pytest.approx(0.8, abs=0.1)
    assert made.variance_left == pytest.approx(0.36, abs=0.06)
    raw, adjusted = clustered_mean(values.tolist()), clustered_mean(made.values)
    assert raw.high is not None
    assert raw.low is not None
    assert adjusted.high is not None
    assert adjusted.low is not None
    assert adjusted.high - adjusted.low < 0.7 * (raw.high - raw.low)


def test_adjusted_intervals_still_cover_with_few_cases() -> None:
    random = np.random.default_rng(2)
    missed = 0
    for _ in range(600):
        earlier = random.normal(0, 1, 20)
        values = 0.7 * earlier + random.normal(0, 1, 20)
        made = clustered_mean(cuped(values.tolist(), earlier.tolist()).values)
        assert made.low is not None
        assert made.high is not None
        # Conditional on the cases drawn the mean is that of the raw sample's expectation, .7 * mean(earlier).
        missed += not made.low <= 0.7 * float(earlier.mean()) <= made.high
    assert missed / 600 <= 0.05 + 3 * (0.05 * 0.95 / 600) ** 0.5


def test_too_few_cases_and_a_covariate_without_spread_change_nothing() -> None:
    assert cuped([1.0, 2.0], [3.0, 5.0]).values == (1.0, 2.0)
    values = np.random.default_rng(3).normal(0, 1, 30).tolist()
    assert cuped(values, [1.0] * 30).values == tuple(values)
    with pytest.raises(ValueError, match="got 1 and 2"):
        cuped([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        cuped([math.nan], [1.0])


def test_the_adjusted_interval_covers_the_mean_over_these_cases_as_often_as_it_says() -> None:
    random = np.random.default_rng(8)
    cases = random.gamma(2.0, 1.0, 40)
    truth = 0.1 * float(cases.mean())
    covered = 0
    for _ in range(2000):
        earlier = cases + random.normal(0, 0.2, 40)
        d = 0.1 * cases + random.normal(0, 0.1, 40)
        made = clustered_mean(cuped(d.tolist(), earlier.tolist()).values)
        covered += (made.low or 0) <= truth <= (made.high or 0)
    assert covered / 2000 >= 0.94


def test_two_arms_of_different_cases_are_moved_to_the_same_covariate() -> None:
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(1000):
        x = random.normal(0, 1, 80)
        y = 2 * x + random.normal(0, 0.5, 80) + np.repeat([0.0, 0.3], 40)
        base, new = cuped_arms(y[:40].tolist(), x[:40].tolist(), y[40:].tolist(), x[40:].tolist())
        made = welch_difference(base.values, new.values)
        hits += (made.low or 0) <= 0.3 <= (made.high or 0)
    assert hits / 1000 >= 0.93
    assert base.variance_left is not None
    assert base.variance_left < 0.15
    assert base.theta == new.theta == pytest.approx(2, abs=0.2)

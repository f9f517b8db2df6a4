from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.stats.planning import passes_needed, size_to_decide
from harness.stats.rates import (
    clopper_pearson,
    clopper_pearson_bounds,
    effective_size,
    rate,
    rate_bounds,
    rate_p,
    wilson,
)


@pytest.mark.parametrize(
    ("passes", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3 (score) at 95 %.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_published_intervals(passes: int, n: int, low: float, high: float) -> None:
    assert wilson(passes, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("passes", "n", "low", "high"),
    # The same table, method 5 (exact).
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_clopper_pearson_gives_newcombes_published_intervals(passes: int, n: int, low: float, high: float) -> None:
    assert clopper_pearson(passes, n) == pytest.approx((low, high), abs=5e-5)


@given(n=st.integers(1, 400), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_both_intervals_agree_with_scipy(n: int, share: float, level: float) -> None:
    passes = round(share * n)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        theirs = stats.binomtest(passes, n).proportion_ci(level, method=method)
        assert ours(passes, n, level=level) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_sixty_five_passes_in_a_row_show_ninety_five_percent() -> None:
    low, high = clopper_pearson_bounds(65, 65)
    assert low == pytest.approx(0.05 ** (1 / 65))
    assert low > 0.95
    assert high == 1.0


def test_the_published_numbers_of_passes_in_a_row_are_needed() -> None:
    assert [passes_needed(limit) for limit in (0.9, 0.95, 0.99)] == [29, 59, 299]


@given(limit=st.floats(0.05, 0.995), confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_one_pass_less_than_needed_does_not_show_the_limit(limit: float, confidence: float) -> None:
    n = passes_needed(limit, confidence=confidence)
    assert clopper_pearson_bounds(n, n, confidence=confidence)[0] >= limit - 1e-9
    assert n == 1 or clopper_pearson_bounds(n - 1, n - 1, confidence=confidence)[0] < limit + 1e-9


def test_the_size_that_decides_is_none_at_the_limit_itself_and_the_smallest_one_beside_it() -> None:
    assert size_to_decide(0.9, 0.9) is None
    assert size_to_decide(1.0, 0.9) == 29
    n = size_to_decide(0.8, 0.9)
    assert n is not None
    assert clopper_pearson_bounds(0.8 * n, n)[1] < 0.9


@given(values=st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]), min_size=1, max_size=60))
def test_a_rate_is_never_without_width_and_never_outside_its_range(values: list[float]) -> None:
    made = rate(values, trials=5 * len(values))
    assert made.value is not None
    assert made.low is not None
    assert made.high is not None
    assert 0 <= made.low <= made.value <= made.high <= 1
    assert made.low < made.high


@given(
    values=st.lists(st.sampled_from([0.0, 0.4, 1.0]), min_size=1, max_size=60), limit=st.sampled_from([0.3, 0.5, 0.9])
)
def test_the_p_values_of_a_limit_agree_with_the_gate_bounds(values: list[float], limit: float) -> None:
    low, high = rate_bounds(values, trials=5 * len(values))
    made = rate_p(values, limit, trials=5 * len(values))
    assert low is not None
    assert high is not None
    assert made is not None
    if min(abs(low - limit), abs(high - limit)) > 1e-9:
        assert (made[0] < 0.05) == (low > limit)
        assert (made[1] < 0.05) == (high < limit)
    assert rate_p([], 0.5) is None


def test_nothing_measured_has_no_rate_and_no_bounds() -> None:
    made = rate([])
    assert (made.value, made.low, made.high) == (None, None, None)
    assert rate_bounds([]) == (None, None)


def test_one_trial_per_case_gates_by_plain_clopper_pearson() -> None:
    values = [1.0] * 27 + [0.0] * 3
    assert rate_bounds(values, trials=30) == pytest.approx(clopper_pearson_bounds(27, 30))


def test_five_passing_trials_of_a_case_count_as_one_passing_case() -> None:
    # Treated as independent they would claim 100 passes in a row where 20 cases were seen.
    assert effective_size([1.0] * 20, trials=100).n == pytest.approx(20)


def test_trials_that_disagree_within_cases_are_worth_more_than_one_each() -> None:
    values = ([0.4, 0.6] * 50)[:100]
    assert 250 < effective_size(values, trials=500).n <= 500


def test_cases_of_one_family_that_fail_together_are_worth_less_than_as_many_cases() -> None:
    values, groups = [1.0] * 40 + [0.0] * 10, [*range(40), *[99] * 10]
    assert effective_size(values, groups, trials=50).n < 12


@given(values=st.lists(st.integers(0, 5), min_size=2, max_size=40), which=st.integers(0, 10_000))
def test_one_more_pass_never_lowers_the_lower_bound(values: list[int], which: int) -> None:
    # Korn and Graubard's own effective size jumps when the first trial fails, and then breaks this.
    better = list(values)
    spot = which % len(values)
    better[spot] = min(5, better[spot] + 1)
    trials = 5 * len(values)
    before = rate_bounds([v / 5 for v in values], trials=trials)
    after = rate_bounds([v / 5 for v in better], trials=trials)
    assert before[0] is not None
    assert after[0] is not None
    assert after[0] >= before[0] - 1e-9


@pytest.mark.parametrize("icc", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("p", [0.9, 0.98])
def test_gate_bounds_cover_the_true_rate_of_clustered_trials(p: float, icc: float) -> None:
    random = np.random.default_rng(7)
    missed = 0
    for _ in range(400):
        shares = np.full(30, p) if icc == 0 else random.beta(p * (1 / icc - 1), (1 - p) * (1 / icc - 1), 30)
        low, _ = rate_bounds((random.binomial(5, shares) / 5).tolist(), trials=150)
        missed += low is not None and low > p
    # 5 % of 400 plus three standard errors.
    assert missed <= 20 + 13


def test_values_out_of_range_are_refused_with_the_value() -> None:
    with pytest.raises(ValueError, match=r"1\.5"):
        rate_bounds([0.5, 1.5])
    with pytest.raises(ValueError, match="got n=0"):
        wilson(0, 0)
    with pytest.raises(ValueError, match="got 11"):
        clopper_pearson(11, 10)
    with pytest.raises(ValueError, match=r"got 1\.0"):
        wilson(1, 2, level=1.0)
    with pytest.raises(ValueError, match="2 values and 1 groups"):
        effective_size([0.1, 0.2], [1])

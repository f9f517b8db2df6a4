from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from harness.stats.paired import (
    mcnemar,
    non_inferiority_p,
    paired_bounds,
    paired_counts,
    paired_difference,
    pairs_to_decide,
    tango_bounds,
)


@given(won=st.integers(0, 60), lost=st.integers(0, 60))
def test_mcnemar_is_the_two_sided_binomial_test_of_the_discordant_pairs(won: int, lost: int) -> None:
    expected = stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert mcnemar(won, lost) == pytest.approx(expected)


def _score_statistic(won: int, lost: int, n: int, delta: float) -> float:
    """The score statistic with the restricted likelihood maximised numerically instead of by Tango's formula."""

    def minus_log_likelihood(share_lost: float) -> float:
        shares = (share_lost + delta, share_lost, 1 - 2 * share_lost - delta)
        counts = (won, lost, n - won - lost)
        return -sum(c * math.log(max(s, 1e-300)) for c, s in zip(counts, shares, strict=True) if c)

    lowest, highest = max(0.0, -delta), (1 - delta) / 2
    found = optimize.minimize_scalar(
        minus_log_likelihood, bounds=(lowest, highest), method="bounded", options={"xatol": 1e-12}
    )
    variance = n * (2 * found.x + delta * (1 - delta))
    return float((won - lost - n * delta) / math.sqrt(variance))


@pytest.mark.parametrize(("won", "lost", "n"), [(12, 2, 32), (1, 5, 44), (9, 9, 30), (3, 0, 20), (0, 4, 25)])
def test_tango_without_correction_solves_the_score_equation(won: int, lost: int, n: int) -> None:
    low, high = tango_bounds(won, lost, n, confidence=0.975, correction=0.0)
    assert _score_statistic(won, lost, n, low) == pytest.approx(1.959964, abs=2e-3)
    assert _score_statistic(won, lost, n, high) == pytest.approx(-1.959964, abs=2e-3)


@given(won=st.integers(0, 30), lost=st.integers(0, 30), same=st.integers(0, 60))
def test_swapping_the_arms_mirrors_the_interval(won: int, lost: int, same: int) -> None:
    n = max(1, won + lost + same)
    low, high = tango_bounds(won, lost, n)
    assert tango_bounds(lost, won, n) == pytest.approx((-high, -low))
    assert -1 <= low <= (won - lost) / n <= high <= 1
    assert low < high


@given(differences=st.lists(st.integers(-5, 5), min_size=1, max_size=60), margin=st.sampled_from([0.05, 0.2]))
def test_the_p_value_of_non_inferiority_agrees_with_the_bound(differences: list[int], margin: float) -> None:
    shares = [d / 5 for d in differences]
    low, p = paired_bounds(shares, confidence=0.975)[0], non_inferiority_p(shares, margin)
    assert low is not None
    assert p is not None
    assert 0 < p <= 1
    if abs(low + margin) > 1e-9:
        assert (p < 0.025) == (low > -margin)


def test_identical_runs_have_an_interval_around_zero_and_never_one_of_no_width() -> None:
    made = paired_difference([0.0] * 65)
    assert made.value == 0
    assert made.low is not None
    assert made.high is not None
    assert made.low == pytest.approx(-made.high)
    assert -0.07 < made.low < 0


def test_one_case_and_three_cases_say_almost_nothing() -> None:
    for differences in ([1.0], [0.0], [1.0, 1.0, 1.0]):
        low, _ = paired_bounds(differences, confidence=0.975)
        assert low is not None
        assert low < -0.1 or len(differences) == 3
    assert paired_bounds([]) == (None, None)


def test_single_trials_keep_their_counts_and_several_trials_are_worth_more_pairs() -> None:
    single = paired_counts([1.0, -1.0, 0.0, 0.0])
    assert (single.won, single.lost, single.n) == (1, 1, 4)
    several = paired_counts([0.2, -0.2] * 50)
    assert several.n > 200
    assert several.difference == 0


def test_the_won_lost_form_has_the_variance_of_the_differences() -> None:
    differences = np.random.default_rng(1).choice([-0.4, -0.2, 0.0, 0.2, 0.4], 2000).tolist()
    made = paired_difference(differences)
    t = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (made.low, made.high) == pytest.approx((t.low, t.high), abs=2e-3)


@pytest.mark.parametrize(("n", "discordance"), [(20, 0.3), (30, 0.1), (60, 0.3)])
def test_the_gate_at_a_true_drop_of_the_margin_passes_falsely_at_most_at_its_level(n: int, discordance: float) -> None:
    # Exact, over every possible table: plain Tango reaches 2.9 % at n = 20, and a percentile bootstrap 58 % at n = 10.
    lost, won = (discordance + 0.05) / 2, (discordance - 0.05) / 2
    total = 0.0
    for w in range(n + 1):
        for x in range(n + 1 - w):
            chance = stats.multinomial.pmf([w, x, n - w - x], n, [won, lost, 1 - discordance])
            if chance > 1e-9 and tango_bounds(w, x, n, confidence=0.975)[0] > -0.05:
                total += chance
    assert total <= 0.027


@settings(max_examples=50)
@given(differences=st.lists(st.integers(-5, 5), min_size=1, max_size=30), which=st.integers(0, 1000))
def test_one_more_candidate_pass_never_lowers_the_lower_bound(differences: list[int], which: int) -> None:
    better = list(differences)
    spot = which % len(better)
    better[spot] = min(5, better[spot] + 1)
    before = paired_bounds([d / 5 for d in differences])[0]
    after = paired_bounds([d / 5 for d in better])[0]
    assert before is not None
    assert after is not None
    assert after >= before - 1e-9


def test_the_pairs_that_decide_are_the_smallest_number_that_does() -> None:
    needed = pairs_to_decide([0.0] * 10, 0.05, confidence=0.975)
    assert needed is not None
    assert tango_bounds(0, 0, needed, confidence=0.975)[0] > -0.05
    assert tango_bounds(0, 0, needed - 1, confidence=0.975)[0] <= -0.05
    assert pairs_to_decide([-1.0, 0.0], 0.05) is None


def test_impossible_counts_and_differences_are_refused_with_the_value() -> None:
    with pytest.raises(ValueError, match="won=3"):
        tango_bounds(3, 3, 5)
    with pytest.raises(ValueError, match=r"got 1\.2"):
        paired_bounds([1.2])
    with pytest.raises(ValueError, match="got -1"):
        mcnemar(-1, 2)

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.stats.multiplicity import benjamini_hochberg, e_bh, holm, holm_levels

_P = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_holm_by_hand() -> None:
    # .01 * 4, .02 * 3, then .03 * 2 and .5 * 1, each not below the one before.
    assert holm([0.02, 0.5, 0.01, 0.03]) == pytest.approx([0.06, 0.5, 0.04, 0.06])


@given(_P)
def test_benjamini_hochberg_agrees_with_scipy(p_values: list[float]) -> None:
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values).tolist())


@given(_P, st.sampled_from([0.01, 0.05, 0.2]))
def test_stepping_down_by_the_levels_rejects_what_the_adjusted_values_do(p_values: list[float], alpha: float) -> None:
    rejected = 0
    for p, level in zip(sorted(p_values), holm_levels(len(p_values), alpha), strict=True):
        if p > level:
            break
        rejected += 1
    adjusted = [p for p in holm(p_values) if p is not None]
    assert abs(sum(p <= alpha for p in adjusted) - rejected) == 0 or any(
        math.isclose(p, alpha, rel_tol=1e-12) for p in adjusted
    )


@given(_P)
def test_the_order_of_the_tests_does_not_matter(p_values: list[float]) -> None:
    for method in (holm, benjamini_hochberg):
        assert method(p_values[::-1]) == method(p_values)[::-1]


def test_a_test_that_could_not_be_made_counts_among_the_tests_and_is_never_rejected() -> None:
    assert holm([0.01, None, None]) == [pytest.approx(0.03), None, None]
    assert benjamini_hochberg([None, 0.01]) == [None, pytest.approx(0.02)]
    assert e_bh([math.log(100), None]) == [True, False]
    assert holm([]) == benjamini_hochberg([]) == e_bh([]) == []


def test_e_bh_rejects_the_largest_set_whose_evidence_is_enough() -> None:
    # m = 4 at 5 %: one needs 80, two need 40 each, three need 27 each.
    assert e_bh([math.log(v) for v in (79, 30, 28, 1)]) == [True, True, True, False]
    assert e_bh([math.log(v) for v in (79, 26, 1, 1)]) == [False] * 4
    assert e_bh([math.inf, -math.inf]) == [True, False]


@given(st.lists(st.floats(-5, 10), min_size=1, max_size=12), st.integers(0, 11))
def test_more_evidence_never_rejects_fewer(log_e: list[float], which: int) -> None:
    more = list(log_e)
    more[which % len(more)] += 2
    assert sum(e_bh(more)) >= sum(e_bh(log_e))


def test_values_that_are_no_p_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got 1\.2"):
        holm([0.5, 1.2])
    with pytest.raises(ValueError, match="got nan"):
        benjamini_hochberg([float("nan")])
    with pytest.raises(ValueError, match="number"):
        e_bh([float("nan")])

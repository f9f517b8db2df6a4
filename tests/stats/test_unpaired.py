from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.unpaired import boschloo, newcombe_bounds, newcombe_difference, welch_difference


@pytest.mark.parametrize(
    ("new", "base", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10 at 95 %.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_gives_the_published_intervals(
    new: tuple[int, int], base: tuple[int, int], low: float, high: float
) -> None:
    assert newcombe_bounds(*base, *new, confidence=0.975) == pytest.approx((low, high), abs=5e-5)


@given(a=st.integers(0, 20), b=st.integers(0, 20))
def test_swapping_the_arms_mirrors_the_interval_which_is_never_without_width(a: int, b: int) -> None:
    low, high = newcombe_bounds(a, 20, b, 20)
    assert newcombe_bounds(b, 20, a, 20) == pytest.approx((-high, -low))
    assert -1 <= low < high <= 1


@pytest.mark.parametrize("table", [(7, 12, 3, 13), (10, 50, 20, 50), (0, 10, 4, 10), (74, 148, 86, 132)])
@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
def test_boschloo_agrees_with_scipy(table: tuple[int, int, int, int], alternative: str) -> None:
    base, base_n, new, new_n = table
    theirs = stats.boschloo_exact([[new, base], [new_n - new, base_n - base]], alternative=alternative, n=64)
    assert boschloo(*table, alternative=alternative) == pytest.approx(theirs.pvalue, rel=1e-5)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(a=st.integers(0, 15), b=st.integers(0, 12))
def test_boschloo_is_never_above_fisher(a: int, b: int) -> None:
    fisher = stats.fisher_exact([[b, a], [12 - b, 15 - a]], alternative="greater").pvalue
    assert boschloo(a, 15, b, 12, alternative="greater") <= fisher + 1e-9


def test_welch_gives_scipys_interval() -> None:
    random = np.random.default_rng(1)
    base, new = random.normal(1, 1, 12).tolist(), random.normal(2, 4, 30).tolist()
    theirs = stats.ttest_ind(new, base, equal_var=False).confidence_interval(0.95)
    made = welch_difference(base, new)
    assert (made.low, made.high) == pytest.approx((theirs.low, theirs.high))


def test_nothing_measured_one_value_and_no_spread_have_no_interval() -> None:
    assert newcombe_difference(0, 0, 3, 4).note == "baseline not measured"
    assert welch_difference([], [1.0]).value is None
    assert welch_difference([1.0], [2.0, 3.0]).low is None
    assert welch_difference([1.0, 1.0], [2.0, 2.0]).low is None


def test_impossible_counts_are_refused_with_the_value() -> None:
    with pytest.raises(ValueError, match="got 5 of 4"):
        boschloo(5, 4, 1, 4)
    with pytest.raises(ValueError, match="got n=0"):
        newcombe_bounds(0, 0, 1, 4)
    with pytest.raises(ValueError, match=r"got 0\.4"):
        newcombe_bounds(1, 4, 1, 4, confidence=0.4)

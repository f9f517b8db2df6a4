"""The incomplete beta function of single numbers against published values and against scipy's."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc as scipy_betainc
from scipy.special import betaincinv as scipy_betaincinv
from scipy.special import stdtrit

from harness.stats.beta import betainc, betaincinv, student_t_quantile

parameters = st.floats(0.1, 9_000.0)
shares = st.floats(1e-9, 1.0 - 1e-9)


@given(parameters, parameters, shares)
def test_the_function_agrees_with_scipy(a: float, b: float, x: float) -> None:
    assert betainc(a, b, x) == pytest.approx(float(scipy_betainc(a, b, x)), rel=2e-9, abs=1e-290)


# Nearer to 1 the tail 1 - p has lost so many digits that no two ways of computing agree to the last ones.
@given(parameters, parameters, st.floats(1e-9, 1.0 - 1e-6))
def test_the_quantile_agrees_with_scipy(a: float, b: float, p: float) -> None:
    assert betaincinv(a, b, p) == pytest.approx(float(scipy_betaincinv(a, b, p)), rel=2e-9, abs=1e-250)


@given(parameters, parameters, st.floats(1e-6, 1 - 1e-6))
def test_the_quantile_undoes_the_function(a: float, b: float, p: float) -> None:
    x = betaincinv(a, b, p)
    if 1e-200 < x < 1 - 1e-10:
        assert betainc(a, b, x) == pytest.approx(p, rel=1e-6)


@given(parameters, parameters, shares)
def test_the_two_tails_sum_to_one(a: float, b: float, x: float) -> None:
    assert betainc(a, b, x) + betainc(b, a, 1.0 - x) == pytest.approx(1.0, abs=1e-6 * max(1.0, (a + b) / 1e3))


@given(st.floats(1e-6, 1 - 1e-6), st.floats(1.0, 9_000.0))
def test_the_t_quantile_agrees_with_scipy(p: float, df: float) -> None:
    assert student_t_quantile(p, df) == pytest.approx(float(stdtrit(df, p)), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(
    ("p", "df", "t"),
    # Fisher and Yates, Statistical Tables (1963), table III.
    [(0.975, 1, 12.706), (0.95, 5, 2.015), (0.975, 10, 2.228), (0.995, 30, 2.750), (0.025, 10, -2.228)],
)
def test_the_t_quantile_is_the_published_one(p: float, df: float, t: float) -> None:
    assert student_t_quantile(p, df) == pytest.approx(t, abs=5e-4)


def test_large_counts_still_have_an_answer() -> None:
    assert betaincinv(99_001, 1_000, 0.05) == pytest.approx(float(scipy_betaincinv(99_001, 1_000, 0.05)), rel=1e-9)
    assert student_t_quantile(0.975, 1e6) == pytest.approx(1.959966, abs=1e-6)


@pytest.mark.parametrize(
    ("a", "b", "x"), [(0, 1, 0.5), (1, -1, 0.5), (1, float("nan"), 0.5), (1, 1, 1.5), (1, 1, -0.1)]
)
def test_what_is_out_of_range_is_refused(a: float, b: float, x: float) -> None:
    with pytest.raises(ValueError, match=r"lies in|above 0"):
        betainc(a, b, x)


def test_limits_are_exact() -> None:
    assert (betainc(2, 3, 0.0), betainc(2, 3, 1.0)) == (0.0, 1.0)
    assert (betaincinv(2, 3, 0.0), betaincinv(2, 3, 1.0)) == (0.0, 1.0)
    assert student_t_quantile(0.5, 7) == 0.0


def test_an_exact_interval_needs_no_scipy() -> None:
    script = (
        "import sys\n"
        "from harness.stats.rates import clopper_pearson_bounds\n"
        "low, _ = clopper_pearson_bounds(299, 299)\n"
        "assert abs(low - 0.05 ** (1 / 299)) < 1e-12, low\n"
        "assert 'scipy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

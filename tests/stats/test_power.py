from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.paired import mcnemar, paired_bounds, tango_bounds
from harness.stats.power import cases_for_mcnemar, cases_for_pass, gate_power, mcnemar_power, normal_power
from harness.stats.suite_plan import difference_variance, plan_suite, smallest_drop, spread_of_run
from harness.stats.tango import tango_rejects


@settings(max_examples=40)
@given(
    won=st.integers(0, 20),
    lost=st.integers(0, 20),
    same=st.integers(0, 40),
    delta=st.sampled_from([0.0, 0.05, 0.3]),
)
def test_the_test_for_arrays_rejects_what_lies_above_the_upper_bound(
    won: int, lost: int, same: int, delta: float
) -> None:
    n = max(1, won + lost + same)
    upper = tango_bounds(won, lost, n, confidence=0.975)[1]
    if abs(upper - delta) > 1e-9:
        assert bool(tango_rejects(won, lost, n, delta, confidence=0.975)) == (upper < delta)


def test_the_power_of_mcnemar_is_that_of_drawn_tables() -> None:
    tables = np.random.default_rng(1).multinomial(60, [0.2, 0.05, 0.75], 4000)
    drawn = np.mean([mcnemar(int(w), int(x)) <= 0.05 for w, x, _ in tables])
    assert mcnemar_power(60, 0.2, 0.05) == pytest.approx(float(drawn), abs=0.03)
    assert mcnemar_power(60, 0.0, 0.0) == 0.0


def test_the_published_number_of_pairs_is_found() -> None:
    # Between Connor's (1987, Biometrics 43:207-211) 155 and the exact test's conservative need at 80 % power.
    needed = cases_for_mcnemar(0.15, 0.05)
    assert needed is not None
    assert 150 <= needed <= 180
    assert cases_for_mcnemar(0.1, 0.1) is None


def test_the_gates_power_is_that_of_drawn_runs() -> None:
    made = gate_power(120, 0.03, 0.05, 0.1)
    tables = np.random.default_rng(4).multinomial(120, [0.03, 0.05, 0.92], 2000)
    bounds = [tango_bounds(int(w), int(x), 120, confidence=0.975) for w, x, _ in tables]
    fails = [high < 0 for _, high in bounds]
    passes = [low > -0.1 and high >= 0 for low, high in bounds]
    assert made.passes == pytest.approx(float(np.mean(passes)), abs=0.035)
    assert made.fails == pytest.approx(float(np.mean(fails)), abs=0.02)
    assert made.passes + made.fails + made.inconclusive == pytest.approx(1)
    near = normal_power(120, -0.02, 0.08 - 0.0004, 0.1)
    assert near.passes == pytest.approx(made.passes, abs=0.04)
    assert near.method == "normal approximation"


@pytest.mark.parametrize(
    ("n", "won", "lost"), [(100, 0.02, 0.02), (200, 0.05, 0.05), (200, 0.02, 0.06), (400, 0.1, 0.1)]
)
def test_the_normal_approximation_is_within_a_few_points_of_the_exact_power(n: int, won: float, lost: float) -> None:
    exact = gate_power(n, won, lost, 0.05)
    near = normal_power(n, won - lost, won + lost - (won - lost) ** 2, 0.05)
    assert (near.passes, near.fails) == pytest.approx((exact.passes, exact.fails), abs=0.06)


def test_the_plan_for_five_trials_has_about_the_power_it_says() -> None:
    random = np.random.default_rng(12)
    # Unreliable cases: a third pass half of the time, the others always.
    rates = np.where(random.random(80) < 1 / 3, 0.5, 1.0)
    plan = plan_suite(spread_of_run(random.binomial(5, rates).tolist(), [5] * 80), 0.05, trials=5)
    assert plan is not None
    passed = 0
    for _ in range(200):
        rates = np.where(random.random(plan.cases) < 1 / 3, 0.5, 1.0)
        d = (random.binomial(5, rates) - random.binomial(5, rates)) / 5
        low = paired_bounds(d.tolist(), confidence=0.975)[0]
        passed += low is not None and low > -0.05
    assert 0.7 <= passed / 200 <= 0.97


def test_without_any_discordance_the_cases_for_a_pass_are_those_of_the_bounds() -> None:
    needed = cases_for_pass(0.05, won=0.0, lost=0.0)
    assert needed is not None
    low, just = (
        paired_bounds([0.0] * needed, confidence=0.975)[0],
        paired_bounds([0.0] * (needed - 1), confidence=0.975)[0],
    )
    assert low is not None
    assert just is not None
    assert low > -0.05 >= just
    assert cases_for_pass(0.05, won=0.0, lost=0.06) is None


def test_more_discordance_needs_more_cases() -> None:
    sizes = [cases_for_pass(0.05, won=share, lost=share) for share in (0.0, 0.02, 0.05, 0.1)]
    assert None not in sizes
    assert sizes == sorted(sizes)  # type: ignore[type-var]


def test_chance_within_a_case_is_estimated_without_bias() -> None:
    random = np.random.default_rng(9)
    rates = random.beta(8, 2, 4000)
    made = spread_of_run(random.binomial(3, rates).tolist(), [3] * 4000)
    assert made.separable
    assert made.within == pytest.approx(float(np.mean(rates * (1 - rates))), abs=0.01)


def test_one_trial_per_case_cannot_tell_chance_from_cases_and_assumes_the_most() -> None:
    made = spread_of_run([1] * 9 + [0], [1] * 10)
    assert not made.separable
    assert made.within == pytest.approx(0.09)


def test_a_run_in_which_everything_passed_still_plans_with_chance() -> None:
    made = plan_suite(spread_of_run([5] * 40, [5] * 40), 0.05)
    assert made is not None
    assert made.cases >= 20
    assert made.power.passes < 1


def test_trials_and_shared_randomness_shrink_the_plan_and_cost_is_cases_times_trials() -> None:
    spread = spread_of_run([4] * 50, [5] * 50)
    one, five, shared = (
        plan_suite(spread, 0.05, trials=trials, shared=share, cost_per_trial_usd=Decimal("0.01"))
        for trials, share in ((1, 0.0), (5, 0.0), (1, 0.9))
    )
    assert one is not None
    assert five is not None
    assert shared is not None
    assert five.cases < one.cases / 4
    assert shared.cases < one.cases / 5
    assert five.cost_usd == Decimal("0.05") * five.cases
    assert plan_suite(spread, 0.05, change=0.5, trials=50).cases > five.cases  # type: ignore[union-attr]
    assert difference_variance(spread, trials=4) == pytest.approx(difference_variance(spread) / 4)


def test_the_smallest_drop_is_seen_about_as_often_as_planned() -> None:
    cases = 200
    drop = smallest_drop(cases, 0.02)
    assert drop is not None
    # Discordance .02 both ways plus the drop on top.
    power = gate_power(cases, 0.01, 0.01 + drop, 0.01)
    assert power.fails == pytest.approx(0.8, abs=0.08)
    assert smallest_drop(2, 0.25) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: gate_power(10, 0.6, 0.6, 0.05),
        lambda: gate_power(10, 0.1, 0.1, 0.0),
        lambda: gate_power(0, 0.1, 0.1, 0.05),
        lambda: spread_of_run([], []),
        lambda: spread_of_run([3], [2]),
        lambda: difference_variance(spread_of_run([1], [2]), shared=1.0),
        lambda: smallest_drop(0, 0.1),
    ],
)
def test_impossible_plans_are_refused(call: object) -> None:
    with pytest.raises(ValueError, match="got"):
        call()  # type: ignore[operator]

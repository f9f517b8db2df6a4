from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from harness.stats.sequential.pass_rate import (
    PassRateWatch,
    log_evidence_above,
    log_evidence_below,
    passes_in_a_row,
)


def _by_integration(passes: float, failures: float, bar: float) -> float:
    """Log evidence above the bar, with the prior and the likelihood ratio integrated numerically."""

    def prior(p: float) -> float:
        a, b = (0.5, 0.5) if bar >= 0.5 else (1.0, 0.5 / bar)
        return p ** (a - 1) * (1 - p) ** (b - 1)

    def weighted(p: float) -> float:
        ratio = passes * math.log(p / bar) + failures * math.log((1 - p) / (1 - bar))
        return prior(p) * math.exp(ratio)

    edge = 1 - 1e-13
    top = integrate.quad(weighted, bar, edge, limit=500)[0] / integrate.quad(prior, bar, edge, limit=500)[0]
    return math.log(top)


@pytest.mark.parametrize(("passes", "failures"), [(10, 0), (40, 1), (20, 9), (17.4, 2.6), (300, 10)])
@pytest.mark.parametrize("bar", [0.3, 0.5, 0.9])
def test_the_evidence_is_the_mixture_of_likelihood_ratios_above_the_bar(
    passes: float, failures: float, bar: float
) -> None:
    assert float(log_evidence_above(passes, failures, bar)) == pytest.approx(
        _by_integration(passes, failures, bar), abs=1e-5
    )


@given(passes=st.integers(0, 500), failures=st.integers(0, 500), bar=st.sampled_from([0.2, 0.5, 0.9, 0.99]))
def test_failing_below_a_bar_is_passing_above_the_mirrored_one(passes: int, failures: int, bar: float) -> None:
    assert float(log_evidence_below(passes, failures, bar)) == pytest.approx(
        float(log_evidence_above(failures, passes, 1 - bar)), abs=1e-9
    )


def test_evidence_is_a_number_also_where_the_beta_function_is_below_the_smallest_double() -> None:
    made = log_evidence_above([0, 100, 500_000], [5_000, 100_000, 500_000], 0.9)
    assert np.isfinite(made).all()
    # Rates close to the bar never lose all of their weight: the evidence falls like one over the number of cases.
    assert (made > -20).all()


@settings(max_examples=40)
@given(bar=st.sampled_from([0.3, 0.5, 0.8, 0.95]), start=st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_at_the_bar_the_evidence_does_not_grow_on_average(bar: float, start: tuple[int, int]) -> None:
    passes, failures = start
    for evidence in (log_evidence_above, log_evidence_below):
        now = float(evidence(passes, failures, bar))
        after = [float(evidence(passes + 1, failures, bar)), float(evidence(passes, failures + 1, bar))]
        mean = bar * math.exp(after[0] - now) + (1 - bar) * math.exp(after[1] - now)
        assert mean == pytest.approx(1.0, abs=1e-9)


@given(value=st.floats(0, 1), bar=st.sampled_from([0.5, 0.9]))
def test_a_share_of_trials_counts_for_at_most_the_mixture_of_its_passes_and_failures(value: float, bar: float) -> None:
    part = float(log_evidence_above(20 + value, 5 - value, bar))
    ends = [math.exp(float(log_evidence_above(20 + end, 5 - end, bar))) for end in (0, 1)]
    assert math.exp(part) <= value * ends[1] + (1 - value) * ends[0] + 1e-9


def test_thirty_six_passes_in_a_row_decide_a_bar_of_nine_tenths() -> None:
    assert passes_in_a_row(0.9) == 36
    watch = PassRateWatch(0.9)
    states = [watch.update(1.0) for _ in range(40)]
    assert [state.answer for state in states[34:37]] == ["inconclusive", "pass", "pass"]
    assert states[-1].decided_at == 36


def test_a_decision_stays_whatever_comes_after_it() -> None:
    watch = PassRateWatch(0.9)
    for value in [1.0] * 36 + [0.0] * 50:
        state = watch.update(value)
    assert (state.answer, state.decided_at, state.n) == ("pass", 36, 86)
    assert state.log_e_fail > math.log(20)


def test_failures_in_a_row_fail_and_broken_cases_decide_nothing() -> None:
    watch = PassRateWatch(0.9)
    while watch.state.answer == "inconclusive":
        watch.update(0.0)
    assert watch.state.answer == "fail"
    assert watch.state.n < 10
    broken = PassRateWatch(0.9)
    for _ in range(500):
        state = broken.update(0.0, best=1.0)
    assert state.log_e_pass < 0
    assert state.log_e_fail < 0
    assert state.answer == "inconclusive"


@settings(max_examples=40)
@given(
    values=st.lists(st.sampled_from([0.0, 0.4, 1.0]), min_size=5, max_size=80),
    which=st.integers(0, 1000),
    bar=st.sampled_from([0.3, 0.7]),
)
def test_one_more_pass_never_turns_pass_into_fail(values: list[float], which: int, bar: float) -> None:
    better = list(values)
    better[which % len(better)] = 1.0
    rank = {"fail": 0, "inconclusive": 1, "pass": 2}
    answers = []
    for series in (values, better):
        watch = PassRateWatch(bar)
        for value in series:
            watch.update(value)
        answers.append(rank[watch.state.answer])
    assert not (answers[0] == 2 and answers[1] == 0)


def test_the_cases_still_needed_are_about_those_that_then_decide() -> None:
    watch = PassRateWatch(0.9)
    assert watch.more() is None
    for _ in range(20):
        watch.update(1.0)
    more = watch.more()
    assert more is not None
    # The estimate leaves out what learning the rate costs, so it is early by a handful.
    assert 5 <= more <= 16
    for _ in range(16):
        watch.update(1.0)
    assert watch.more() == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: PassRateWatch(1.0),
        lambda: PassRateWatch(0.9, alpha_pass=0.0),
        lambda: PassRateWatch(0.9).update(1.2),
        lambda: PassRateWatch(0.9).update(float("nan")),
        lambda: PassRateWatch(0.9).update(0.5, best=0.2),
    ],
)
def test_impossible_bars_levels_and_values_are_refused(call: object) -> None:
    with pytest.raises(ValueError, match="got"):
        call()  # type: ignore[operator]

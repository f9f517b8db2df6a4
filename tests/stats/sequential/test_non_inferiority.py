from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.sequential.non_inferiority import (
    NonInferiorityWatch,
    log_evidence_not_worse,
    log_evidence_worse,
    ties_in_a_row,
)

_DIFFERENCES = st.lists(st.sampled_from([-1.0, -0.4, 0.0, 0.2, 1.0]), min_size=1, max_size=60)


@given(differences=_DIFFERENCES, margin=st.sampled_from([0.0, 0.05, 0.2]))
def test_the_watch_and_the_vectorised_form_agree_after_every_item(differences: list[float], margin: float) -> None:
    watch = NonInferiorityWatch(margin)
    states = [watch.update(d) for d in differences]
    assert [s.log_e_pass for s in states] == pytest.approx(log_evidence_not_worse(differences, margin).tolist())
    assert [s.log_e_fail for s in states] == pytest.approx(log_evidence_worse(differences).tolist())


@given(
    won=st.floats(0, 0.5),
    lost=st.floats(0, 0.5),
    margin=st.sampled_from([0.0, 0.05, 0.2]),
    before=_DIFFERENCES,
)
def test_at_a_drop_of_the_margin_or_more_the_evidence_does_not_grow_on_average(
    won: float, lost: float, margin: float, before: list[float]
) -> None:
    # The mean of a three-point difference, moved to -margin or below by taking wins away.
    won = max(0.0, min(won, lost - margin))
    if won - lost > -margin:
        return
    now = float(log_evidence_not_worse(before, margin)[-1])
    after = [float(log_evidence_not_worse([*before, d], margin)[-1]) for d in (1.0, -1.0, 0.0)]
    chances = (won, lost, 1 - won - lost)
    assert sum(p * math.exp(e - now) for p, e in zip(chances, after, strict=True)) <= 1 + 1e-9


@given(differences=_DIFFERENCES)
def test_swapping_the_arms_at_margin_zero_swaps_pass_and_fail(differences: list[float]) -> None:
    here, there = NonInferiorityWatch(0.0), NonInferiorityWatch(0.0)
    for d in differences:
        here.update(d)
        there.update(-d)
    swap = {"pass": "fail", "fail": "pass", "inconclusive": "inconclusive"}
    assert there.state.answer == swap[here.state.answer]
    assert there.state.log_e_pass == pytest.approx(here.state.log_e_fail)


def test_identical_runs_pass_and_never_fail() -> None:
    watch = NonInferiorityWatch(0.05)
    answers = [watch.update(0.0).answer for _ in range(150)]
    assert "fail" not in answers
    assert watch.state.answer == "pass"
    assert watch.state.decided_at == ties_in_a_row(0.05) == 103


def test_a_stake_that_is_lost_stays_lost_and_the_others_go_on() -> None:
    watch = NonInferiorityWatch(0.05)
    watch.update(-1.0)
    for _ in range(400):
        watch.update(0.0)
    assert watch.state.answer == "pass"


@settings(max_examples=50)
@given(differences=st.lists(st.integers(-5, 5), min_size=3, max_size=80), which=st.integers(0, 1000))
def test_one_more_candidate_pass_never_lowers_the_evidence_for_pass(differences: list[int], which: int) -> None:
    better = list(differences)
    better[which % len(better)] = min(5, better[which % len(better)] + 1)
    before, after = ([d / 5 for d in series] for series in (differences, better))
    assert log_evidence_not_worse(after, 0.05)[-1] >= log_evidence_not_worse(before, 0.05)[-1] - 1e-12
    assert log_evidence_worse(after)[-1] <= log_evidence_worse(before)[-1] + 1e-12


def test_the_policy_decides_whether_a_small_sure_drop_fails() -> None:
    drop = [-0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] * 400
    at_zero, at_margin = NonInferiorityWatch(0.2), NonInferiorityWatch(0.2, fail_below=-0.2)
    strict = NonInferiorityWatch(0.0, alpha_pass=0.0001)
    for d in drop:
        at_zero.update(d)
        at_margin.update(d)
        strict.update(d)
    assert at_margin.state.answer == at_zero.state.answer == "pass"
    assert strict.state.answer == "fail"


def test_what_could_not_be_measured_counts_against_pass_and_against_fail() -> None:
    watch = NonInferiorityWatch(0.05)
    for _ in range(300):
        watch.update(-1.0, best=1.0)
    assert watch.state.answer == "inconclusive"
    assert watch.state.log_e_pass < 0
    assert watch.state.log_e_fail < 0


def test_the_order_of_the_cases_does_not_matter_for_the_evidence_at_the_end() -> None:
    d = np.random.default_rng(4).choice([-1.0, 0.0, 0.5, 1.0], 60)
    assert log_evidence_not_worse(d, 0.05)[-1] == pytest.approx(float(log_evidence_not_worse(d[::-1], 0.05)[-1]))


def test_the_cases_still_needed_shrink_to_nothing() -> None:
    watch = NonInferiorityWatch(0.05)
    assert watch.more() is None
    for _ in range(50):
        watch.update(0.0)
    more = watch.more()
    assert more is not None
    assert 30 <= more <= 70
    for _ in range(53):
        watch.update(0.0)
    assert watch.more() == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: NonInferiorityWatch(1.0),
        lambda: NonInferiorityWatch(0.05, fail_below=-1.0),
        lambda: NonInferiorityWatch(0.05, alpha_fail=1.0),
        lambda: NonInferiorityWatch(0.05).update(1.5),
        lambda: NonInferiorityWatch(0.05).update(float("nan")),
    ],
)
def test_impossible_margins_and_differences_are_refused(call: object) -> None:
    with pytest.raises(ValueError, match="got"):
        call()  # type: ignore[operator]

"""Pass-rate rules on runs that may have stopped early."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from harness.core.comparison import compare, make_baseline
from harness.core.in_order import in_order
from harness.core.record import Manifest, Outcome, PlannedSuite, Record
from harness.core.scorecard import Scorecard, build_scorecard
from harness.core.verdict import Verdict
from harness.gates.early import ClaimsWatch
from harness.gates.equivalence import Equivalence
from harness.gates.no_regression import NoRegression
from harness.gates.paired_rule import PairedRule
from harness.gates.superiority import Superiority
from harness.gates.threshold import Threshold
from harness.stats.sequential.non_inferiority import NonInferiorityWatch
from harness.stats.sequential.pass_rate import passes_in_a_row


def _card(outcomes: list[Outcome], *, planned: int | None = None, seed: int = 3, early: bool = True) -> Scorecard:
    """Outcomes are given along the seeded order of the cases."""
    count = planned or len(outcomes)
    manifest = Manifest(
        run_id="r",
        created_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:01:00Z",
        seed=seed,
        until_decided=early,
        planned=(PlannedSuite(suite="s", dataset="d", cases=count, trials=1, statistical=True),),
    )
    names = [case for _, case in in_order(seed, [("d", str(number)) for number in range(len(outcomes))])]
    records = [
        Record(suite="s", case_id=name, case_hash="h", trial=0, dataset="d", outcome=outcome, statistical=True)
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    random.Random(1).shuffle(records)  # the journal is in finishing order, which must not matter
    return build_scorecard(manifest, records)


RULE = Threshold(name="rate", at_least=0.9)


def test_an_unbroken_row_passes_at_the_number_that_is_promised_and_not_before() -> None:
    needed = passes_in_a_row(0.9)
    assert RULE.judge(_card(["passed"] * needed), None).answer == "pass"
    assert RULE.judge(_card(["passed"] * (needed - 1)), None).answer == "inconclusive"


def test_what_comes_after_the_decision_does_not_change_it() -> None:
    needed = passes_in_a_row(0.9)
    early: list[Outcome] = ["passed"] * needed
    late: list[Outcome] = ["failed"] * 200
    verdict = RULE.judge(_card(early + late), None)
    assert verdict.answer == "pass"
    assert f"decided after {needed} of" in verdict.reason
    # A fixed-sample bound over the same trials would say the opposite: it must not be asked.
    assert RULE.judge(_card(early + late, early=False), None).answer == "fail"


def test_a_case_without_a_record_leaves_the_rule_open() -> None:
    verdict = RULE.judge(_card(["passed"] * 60, planned=61), None)
    assert verdict.answer == "inconclusive"
    assert "left no record" in verdict.reason


def test_broken_trials_alone_never_pass_and_never_fail() -> None:
    assert RULE.judge(_card(["errored"] * 300), None).answer == "inconclusive"


@pytest.mark.parametrize("rate", [0.9])
def test_a_rate_exactly_at_the_bar_is_rarely_decided_either_way(rate: float) -> None:
    generator = random.Random(11)
    answers = []
    for _ in range(120):
        outcomes: list[Outcome] = ["passed" if generator.random() < rate else "failed" for _ in range(150)]
        answers.append(RULE.judge(_card(outcomes), None).answer)
    # Each mistake is bounded by 5 %; 120 draws stay at or below 12 with probability .98 at exactly 5 %.
    assert answers.count("pass") <= 12
    assert answers.count("fail") <= 12


# -- paired with a baseline


def _paired(rule: PairedRule, base: list[Outcome], outcomes: list[Outcome], *, gone: int = 0, seed: int = 3) -> Verdict:
    """Outcomes of both runs along the seeded order; the candidate may have stopped early."""
    card = _card(outcomes, seed=seed)
    names = [case for _, case in in_order(seed, [("d", str(number)) for number in range(len(outcomes))])]
    before = [
        Record(suite="s", case_id=name, case_hash="h", trial=0, dataset="d", outcome=outcome)
        for name, outcome in zip(names, base, strict=True)
    ]
    before += [replace(before[0], case_id=f"gone {i}") for i in range(gone)]
    now = [
        Record(suite="s", case_id=name, case_hash="h", trial=0, dataset="d", outcome=outcome)
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    manifest = Manifest(
        run_id="old", created_at="x", planned=(PlannedSuite(suite="s", dataset="d", cases=len(before)),)
    )
    return rule.judge(card, compare(make_baseline(manifest, before), manifest, now))


MARGIN = NoRegression(name="n", margin_points=10)


def test_equal_runs_pass_and_a_drop_fails_along_the_order() -> None:
    every: list[Outcome] = ["passed"] * 300
    verdict = _paired(MARGIN, every, every)
    assert verdict.answer == "pass"
    assert "no drop of 10 points or more" in verdict.reason
    assert "decided after" in verdict.reason
    half: list[Outcome] = ["failed" if i % 2 else "passed" for i in range(300)]
    assert _paired(MARGIN, every, half).answer == "fail"
    assert _paired(MARGIN, every[:20], every[:20]).answer == "inconclusive"


def test_what_comes_after_a_paired_decision_does_not_change_it() -> None:
    every: list[Outcome] = ["passed"] * 400
    late: list[Outcome] = [*every[:200], *(["failed"] * 200)]  # type: ignore[list-item]
    assert _paired(MARGIN, every, late).answer == "pass"


def test_the_watch_of_a_rule_is_the_e_process_of_its_claims() -> None:
    generator = random.Random(4)
    watch, rule = NonInferiorityWatch(0.05), NoRegression(name="n")
    claims = ClaimsWatch(*rule.claims(), confidence=0.975)
    for _ in range(300):
        difference = generator.choice([-1.0, 0.0, 0.0, 0.0, 0.5, 1.0])
        one, other = watch.update(difference), claims.update(difference)
        assert other.log_e_pass == pytest.approx(one.log_e_pass)
        assert other.log_e_fail == pytest.approx(one.log_e_fail)
        assert (other.answer, other.decided_at) == (one.answer, one.decided_at)


def test_equivalence_is_decided_when_both_sides_are_and_superiority_by_a_margin_is_watched() -> None:
    every: list[Outcome] = ["passed"] * 300
    none: list[Outcome] = ["failed"] * 300
    assert _paired(Equivalence(name="s", margin_points=10), every, every).answer == "pass"
    assert _paired(Equivalence(name="s", margin_points=10), none, every).answer == "fail"
    assert _paired(Superiority(name="b", margin_points=10), none, every).answer == "pass"
    assert _paired(Superiority(name="b", margin_points=10), every, every).answer == "fail"


def test_too_many_unpaired_cases_leave_a_stopped_run_open_but_do_not_hide_a_fail() -> None:
    every: list[Outcome] = ["passed"] * 300
    assert _paired(MARGIN, every, every, gone=20).answer == "pass"
    assert _paired(MARGIN, every, every, gone=100).answer == "inconclusive"
    none: list[Outcome] = ["failed"] * 300
    assert _paired(MARGIN, every, none, gone=100).answer == "fail"


def test_a_true_drop_of_the_margin_rarely_passes_however_often_one_looks() -> None:
    generator = random.Random(12)
    passed = 0
    for _ in range(150):
        watch = ClaimsWatch(*MARGIN.claims(), confidence=0.95)
        for _ in range(200):
            draw = generator.random()
            if watch.update(-1.0 if draw < 0.15 else 1.0 if draw < 0.2 else 0.0).answer == "pass":
                passed += 1
                break
    # 5 % of 150 is 7.5; a bound that were looked at after every case would pass some thirty times.
    assert passed <= 13

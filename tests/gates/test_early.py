"""Pass-rate rules on runs that may have stopped early."""

from __future__ import annotations

import random

import pytest

from harness.core.in_order import in_order
from harness.core.record import Manifest, Outcome, PlannedSuite, Record
from harness.core.scorecard import Scorecard, build_scorecard
from harness.gates.threshold import Threshold
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

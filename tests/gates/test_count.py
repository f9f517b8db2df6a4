"""The count rule: a census of this run, with the three answers."""

from __future__ import annotations

import pytest

from harness.core.errors import Failure, RuleError
from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.score import Score
from harness.core.scorecard import Scorecard, build_scorecard
from harness.gates.count import Count
from harness.gates.rules_file import parse_rules

SUITE = "suites/guardrails/test_pii.py::test_pii"


def card(values: str) -> Scorecard:
    """One trial per sign: a digit is the evaluator's value, e a trial that broke."""
    records = []
    for at, sign in enumerate(values):
        if sign == "e":
            more = {"outcome": "errored", "error": Failure(kind="agent", message="broke")}
            score = Score.not_measured("faults", "the trial broke", kind="harness")
        else:
            more, score = {"outcome": "passed"}, Score.of("faults", float(sign), "counted", direction="lower")
        records.append(Record(suite=SUITE, case_id=f"c{at}", case_hash="h", trial=0, scores=(score,), **more))
    planned = (PlannedSuite(suite=SUITE, cases=len(values), area="guardrails"),)
    return build_scorecard(Manifest(run_id="r", created_at="", planned=planned, finished_at="x"), records)


@pytest.mark.parametrize(
    ("values", "at_most", "answer", "said"),
    [
        ("0000", 0, "pass", "faults 0 in 4 of 4 trials, at most 0"),
        ("0100", 0, "fail", "faults 1 in 4 of 4 trials, not at most 0"),
        ("0200", 2, "pass", "faults 2 in 4 of 4 trials, at most 2"),
        ("000e", 0, "inconclusive", "1 trial could not be measured"),
        ("01e0", 0, "fail", "faults 1 in 3 of 4 trials"),
    ],
)
def test_the_sum_decides_and_an_unmeasured_trial_leaves_it_open(
    values: str, at_most: int, answer: str, said: str
) -> None:
    verdict = Count(name="none", metric="faults", at_most=at_most, suite="suites/guardrails").judge(card(values), None)
    assert verdict.answer == answer
    assert said in verdict.reason


def test_without_data_it_is_inconclusive_and_names_what_there_is() -> None:
    assert Count(name="none", metric="fault").judge(card("0"), None).answer == "inconclusive"
    assert "there is faults" in Count(name="none", metric="fault").judge(card("0"), None).reason
    assert "not in this run" in Count(name="none", metric="faults", suite="suites/other").judge(card("0"), None).reason


@pytest.mark.parametrize(
    ("field", "said"),
    [('metric = "pass_rate"', "a threshold rule judges it"), ('metric = "x"\nat_most = -1', "must be at least 0")],
)
def test_what_cannot_be_meant_is_refused_with_its_line(field: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        parse_rules(f'[[rule]]\nname = "none"\nkind = "count"\n{field}\n')

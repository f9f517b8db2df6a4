"""The rule kind ``kill_rate``: three answers, floors, scope, and fields that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.errors import RuleError
from harness.core.scorecard import Scorecard, SuiteLine
from harness.core.sensitivity import BoundLine, CaseKills, Sensitivity
from harness.gates.kill_rate import KillRate
from harness.gates.rules_file import parse_rules


def card(cases: list[tuple[int, int]], *, bounds: tuple[BoundLine, ...] = (), suite: str = "s/a.py::t") -> Scorecard:
    kills = tuple(
        CaseKills(suite=suite, case_id=f"c{n}", cluster=f"c{n}", killed=killed, judged=judged)
        for n, (killed, judged) in enumerate(cases)
    )
    lines = (SuiteLine(suite="s/a.py::t", passed=1), SuiteLine(suite="s/watched.py::t", observe=True, passed=1))
    return Scorecard(run_id="r", rows=(), cases=(), suites=lines, sensitivity=Sensitivity(cases=kills, bounds=bounds))


def answer(scorecard: Scorecard, **fields: Any) -> str:
    return KillRate(name="k", **fields).judge(scorecard, None).answer


def test_it_passes_when_nearly_all_faults_are_killed_and_fails_when_few_are() -> None:
    assert answer(card([(10, 10)] * 60)) == "pass"
    assert answer(card([(5, 10)] * 60)) == "fail"
    verdict = KillRate(name="k").judge(card([(5, 10)] * 60), None)
    assert "kill rate 0.500 (300 of 600 faults, 60 cases)" in verdict.reason


def test_few_cases_leave_it_undecided_however_many_faults_they_had() -> None:
    assert answer(card([(100, 100)] * 5)) == "inconclusive"


def test_without_any_fault_it_says_how_to_put_some() -> None:
    bare = Scorecard(run_id="r", rows=(), cases=(), suites=(SuiteLine(suite="s/a.py::t", passed=1),))
    verdict = KillRate(name="k").judge(bare, None)
    assert verdict.answer == "inconclusive"
    assert "harness sensitivity r" in verdict.needs


def test_a_null_agent_that_is_let_through_fails_it_unless_bounds_is_false() -> None:
    bound = BoundLine(suite="s/a.py::t", agent="null", passed=10, limit=None)
    assert answer(card([(10, 10)] * 60, bounds=(bound,))) == "fail"
    assert answer(card([(10, 10)] * 60, bounds=(bound,)), bounds=False) == "pass"


def test_suites_out_of_scope_and_observed_ones_do_not_count() -> None:
    assert answer(card([(0, 10)] * 60, suite="s/watched.py::t")) == "inconclusive"
    assert answer(card([(10, 10)] * 60), suite="s/other") == "inconclusive"


@pytest.mark.parametrize("field", ["at_least = 1.0", "at_least = 0", "at_least = 90", "confidence = 95"])
def test_a_limit_that_no_number_of_kills_shows_is_refused_with_its_line(field: str) -> None:
    with pytest.raises(RuleError, match="rules:4"):
        parse_rules(f'[[rule]]\nname = "k"\nkind = "kill_rate"\n{field}\n')

"""Holm over the rules of a gate: the same as Holm on the p-values, for both answers, and said in the text."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from harness.core.comparison import Comparison
from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.scorecard import Scorecard, build_scorecard
from harness.core.verdict import Verdict
from harness.gates.family import judge_family
from harness.gates.judge import judge_rules
from harness.gates.rules_file import parse_rules
from harness.stats.multiplicity import holm

NOTHING = build_scorecard(Manifest(run_id="r", created_at="x"), [])


@dataclass(frozen=True, kw_only=True)
class Known:
    """A rule whose p-values are known: passes when its own is at most 1 - confidence."""

    name: str
    p_pass: float
    p_fail: float
    confidence: float = 0.95
    holm: bool = True
    advisory: bool = False

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        alpha = 1 - self.confidence
        answer = "fail" if self.p_fail <= alpha else "pass" if self.p_pass <= alpha else "inconclusive"
        return Verdict(rule=self.name, answer=answer, reason=f"at {self.confidence:g}")  # type: ignore[arg-type]


def answers(rules: list[Known]) -> list[str]:
    return [verdict.answer for verdict in judge_family(rules, lambda rule: rule.judge(NOTHING, None))]


chances = st.one_of(st.floats(0.0001, 0.06), st.floats(0.5, 1))


@given(st.lists(chances, min_size=2, max_size=8))
def test_stepping_down_on_bounds_is_holm_on_p_values(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    # An adjusted p-value within rounding of the level may fall either way.
    if any(p is not None and abs(p - 0.05) < 1e-9 for p in adjusted):
        return
    passing = answers([Known(name=str(i), p_pass=p, p_fail=1.0) for i, p in enumerate(p_values)])
    failing = answers([Known(name=str(i), p_pass=1.0, p_fail=p) for i, p in enumerate(p_values)])
    shown = [p is not None and p <= 0.05 for p in adjusted]
    assert [answer == "pass" for answer in passing] == shown
    assert [answer == "fail" for answer in failing] == shown


def test_a_second_rule_asks_more_of_the_first_and_the_text_says_how_much() -> None:
    alone = [Known(name="a", p_pass=0.04, p_fail=1)]
    assert answers(alone) == ["pass"]
    both = judge_family([*alone, Known(name="b", p_pass=0.5, p_fail=1)], lambda rule: rule.judge(NOTHING, None))
    assert [verdict.answer for verdict in both] == ["inconclusive"] * 2
    assert "Holm over 2 tests: 97.5 % in place of 95 %" in both[0].reason
    assert answers([*alone, Known(name="b", p_pass=0.02, p_fail=1)]) == ["pass", "pass"]


def test_rules_that_do_not_gate_and_files_without_holm_change_nothing() -> None:
    near = Known(name="a", p_pass=0.04, p_fail=1)
    assert answers([near, Known(name="b", p_pass=0.5, p_fail=1, advisory=True)]) == ["pass", "inconclusive"]
    assert answers([near, Known(name="b", p_pass=0.5, p_fail=1, holm=False)]) == ["pass", "inconclusive"]


def test_a_small_drop_that_is_shown_never_passes_for_want_of_other_rules() -> None:
    # Worse at 5 % and, at the same time, not worse by the margin: an answer of one rule is never both.
    both = Known(name="a", p_pass=0.001, p_fail=0.03)
    found = judge_family([both, Known(name="b", p_pass=0.5, p_fail=0.5)], lambda rule: rule.judge(NOTHING, None))
    assert found[0].answer == "pass"  # at 97.5 % only the margin is shown
    assert answers([both]) == ["fail"]


def _desk(passed: int, n: int) -> Scorecard:
    records = [
        Record(suite="s", case_id=f"c{i}", case_hash="h", trial=0, outcome="passed" if i < passed else "failed")
        for i in range(n)
    ]
    plan = PlannedSuite(suite="s", cases=n, statistical=True, pass_rate=0.5)
    return build_scorecard(Manifest(run_id="r", created_at="x", finished_at="y", planned=(plan,)), records)


def test_declared_pass_rates_belong_to_the_family() -> None:
    rule = '[[rule]]\nname = "bar"\nkind = "threshold"\nat_least = 0.9\n'
    found = judge_rules(parse_rules("[gate]\nholm = true\n" + rule), _desk(29, 29))
    # 29 of 29 show 90.2 % at 95 %. The declared one passes at 97.5 % and leaves, so that the bar keeps its own level.
    assert [(verdict.answer, "Holm over 2 tests" in verdict.reason) for verdict in found] == [("pass", True)] * 2
    assert "97.5 % in place of 95 %" in found[1].reason
    assert [verdict.answer for verdict in judge_rules(parse_rules(rule), _desk(29, 29))] == ["pass", "pass"]

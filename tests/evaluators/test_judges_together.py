"""Several judges, pairs, and judges beside rules."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fixtures.judges import LocalJudge
from fixtures.judges.shipped import RUBRICS, correct
from harness.core.errors import BudgetExhausted, ProviderBroken, UsageError
from harness.core.judges import JudgeRecord
from harness.evaluators import Combined, Contains, Judge, NotContains, PairJudge, Panel, Rubric
from harness.evaluators.judge.opinion import Opinion, unmeasured
from harness.evaluators.judge.records import write_record
from harness.testing import make_case, make_trajectory

RUBRIC = Rubric.load(RUBRICS / "correct.toml")
CASE = make_case(input="How long?", custom={"reference": "Refunds take 14 days."})
RIGHT = make_trajectory("Refunds take 14 days.")
WRONG = make_trajectory("Refunds take 90 days and never come.")


def local(name: str, **more: Any) -> Judge:
    return Judge(model=LocalJudge(name), rubric=RUBRIC, name=name, cache=False, **more)


def passed_exam(folder: Path, judge: Any, right: int = 48) -> None:
    wrong = 50 - right
    record = JudgeRecord(
        identity=judge.identity,
        judge=judge.name,
        rows=100,
        caught=right,
        missed=wrong,
        false_alarms=wrong,
        cleared=right,
    )
    write_record(folder, record)


def score(evaluator: Any, trajectory: Any = RIGHT, case: Any = CASE) -> Any:
    return asyncio.run(evaluator.evaluate(trajectory, case))


# -- panels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "passes"), [(("good", "good", "lenient"), False), (("good", "lenient", "hijackable"), False)]
)
def test_a_majority_decides(names: tuple[str, ...], passes: bool) -> None:
    members = [local(name, seed=place) for place, name in enumerate(names)]
    found = score(Panel(members), WRONG)
    assert found.evidence["judge"]["passes"] is passes
    assert len(found.evidence["judge"]["ratings"]) == 3


def opinions(*values: float | None) -> list[Opinion]:
    return [unmeasured("no") if v is None else Opinion(value=v, passes=v >= 0.5, asked=1) for v in values]


@pytest.mark.parametrize(
    ("by", "values", "value", "passes"),
    [
        ("majority", (0.9, 0.6, 0.1), 2 / 3, True),
        ("majority", (0.9, 0.1), 0.5, False),
        ("median", (0.9, 0.6, 0.1), 0.6, True),
        ("median", (0.9, 0.4, 0.1), 0.4, False),
        ("median", (0.9, 0.7, None), 0.8, True),
        ("majority", (0.9, None), None, None),
        ("median", (None, None, 1.0), None, None),
    ],
)
def test_what_members_add_up_to(by: Any, values: Any, value: Any, passes: Any) -> None:
    panel = Panel([local("good"), local("lenient"), local("noisy")], by=by)
    found = panel.decided(opinions(*values))
    assert found.value == pytest.approx(value)
    assert found.passes is passes


def test_a_member_that_breaks_is_left_out_and_a_spent_budget_is_not() -> None:
    class Breaking(LocalJudge):
        def __init__(self, error: Exception) -> None:
            super().__init__("good")
            self.error = error

        async def complete(self, *args: Any, **more: Any) -> Any:
            raise self.error

    broken = Judge(model=Breaking(ProviderBroken("down", reason="server_error")), rubric=RUBRIC, cache=False)
    assert score(Panel([local("good"), local("lenient"), broken])).evidence["judge"]["passes"] is True
    spent = Judge(model=Breaking(BudgetExhausted("no money")), rubric=RUBRIC, cache=False)
    with pytest.raises(BudgetExhausted):
        score(Panel([local("good"), local("lenient"), spent]))


def test_a_panel_of_one_or_of_judges_that_see_different_things_is_refused() -> None:
    with pytest.raises(UsageError, match="at least two judges"):
        Panel([local("good")])
    other = Judge(model=LocalJudge("good"), rubric=Rubric(name="x", criteria=RUBRIC.criteria))
    with pytest.raises(UsageError, match="shown the same parts"):
        Panel([local("good"), other])


# -- pairs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "other", "value"),
    [("Refunds take 14 days.", "Refunds take 90 days.", 1.0), ("It takes 90 days.", "Refunds take 14 days.", 0.0)],
)
def test_a_pair_is_judged_in_both_orders(answer: str, other: str, value: float) -> None:
    judge = PairJudge(model=LocalJudge("good"), rubric=Rubric.load(RUBRICS / "better.toml"), cache=False)
    case = make_case(input="How long?", custom={"reference": "Refunds take 14 days.", "other": other})
    assert score(judge, make_trajectory(answer), case).value == value


def test_a_judge_that_always_takes_the_first_says_tie() -> None:
    judge = PairJudge(model=LocalJudge("position-biased"), rubric=Rubric.load(RUBRICS / "better.toml"), cache=False)
    found = asyncio.run(judge.compare({"reference": "a b c d"}, "a b", "a b c"))
    assert (found.value, found.winner) == (0.5, "tie")


# -- rules and judges -------------------------------------------------------------------------------------------------


class Never(LocalJudge):
    async def complete(self, *args: Any, **more: Any) -> Any:
        raise AssertionError("the judge was asked")


def test_a_failed_rule_vetoes_and_no_judge_is_paid() -> None:
    judge = Judge(model=Never("good"), rubric=RUBRIC, cache=False)
    found = score(Combined(rules=[Contains(texts=["21 days"])], judges=[judge]))
    assert (found.value, found.passed) == (0.0, False)
    assert found.evidence["vetoed_by"] == "contains"


def test_judges_weigh_what_their_exam_says(tmp_path: Path) -> None:
    good, lenient = local("good", records=tmp_path), local("lenient", records=tmp_path)
    passed_exam(tmp_path, good, right=49)
    passed_exam(tmp_path, lenient, right=30)
    found = score(Combined(judges=[good, lenient]), WRONG)
    weights = {part["name"]: part["weight"] for part in found.evidence["parts"]}
    assert weights["good"] > 5 * weights["lenient"] > 0
    assert found.passed is False
    assert found.evidence["confidence"] > 0.9


def test_a_judge_without_an_exam_is_shown_and_weighs_nothing(tmp_path: Path) -> None:
    good, lenient = local("good", records=tmp_path), local("lenient", records=tmp_path)
    passed_exam(tmp_path, good)
    found = score(Combined(judges=[good, lenient]), WRONG)
    assert found.value == found.evidence["parts"][0]["value"]
    assert [part["weight"] > 0 for part in found.evidence["parts"]] == [True, False]


def test_without_any_exam_rules_alone_decide_and_without_rules_nothing_does() -> None:
    ruled = score(Combined(rules=[NotContains(texts=["sorry"])], judges=[local("length-biased")]))
    assert (ruled.value, ruled.passed, ruled.evidence["confidence"]) == (1.0, True, 1.0)
    advisory = score(Combined(judges=[local("good")]))
    assert advisory.passed is None
    assert advisory.evidence["judge"]["advisory"] is True


def test_a_rule_without_veto_is_weighed_against_the_judges(tmp_path: Path) -> None:
    good = local("good", records=tmp_path)
    passed_exam(tmp_path, good, right=49)
    both = Combined(rules=[Contains(texts=["dear"])], judges=[good], veto=False, rule_weight=1.0)
    found = score(both)
    assert 0.5 < found.value < 1
    assert found.passed is True


def test_a_judge_with_an_exam_that_gives_no_verdict_leaves_it_not_measured(tmp_path: Path) -> None:
    judge = local("refusing", records=tmp_path)
    passed_exam(tmp_path, judge)
    found = score(Combined(rules=[NotContains(texts=["sorry"])], judges=[judge]))
    assert not found.measured
    assert found.error_kind == "judge"


def test_a_veto_of_a_rule_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="none of the rules: contains"):
        Combined(rules=[Contains(texts=["a"])], judges=[correct], veto=["exact"])

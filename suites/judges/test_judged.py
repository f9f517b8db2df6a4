"""A judge that has passed its exam, at work: it agrees with people, and it may fail what is wrong.

The judge is ``fixtures.judges.shipped:correct``, a rule behind a local model server; its record lies in
``reports/judges``. Yours: ``Judge(model="litellm:...", rubric=Rubric.load(...))`` after ``harness calibrate``.
"""

from __future__ import annotations

import pytest

from fixtures.judges.shipped import better, correct, stored_answer
from harness.core.trajectory import Trajectory
from harness.evaluators import Combined, NotContains
from harness.evaluators.judge.parts import parts_of


@pytest.mark.golden("judging", area="judges", agent=stored_answer, pass_rate=0.8, evaluators=[])
async def test_the_judge_agrees_with_people(case, trajectory):
    """Pass where a person says pass, fail where a person says fail."""
    opinion = await correct.opinion(parts_of(correct.rubric.shows, trajectory, case))
    assert opinion.passes is (case.expected.custom["human"] == "pass"), opinion.reason


@pytest.mark.golden("judging", tags=["pass"], area="judges", agent=stored_answer, evaluators=[correct])
def test_right_answers_pass(case, trajectory):
    """The judge alone decides: its exam allows it to."""


@pytest.mark.golden(
    "judging",
    tags=["pass"],
    area="judges",
    agent=stored_answer,
    evaluators=[Combined(rules=[NotContains(texts=["as an AI"])], judges=[correct])],
)
def test_rules_and_judge_together(case, trajectory):
    """A rule with a veto first, then the judge, weighed by its exam."""


@pytest.mark.golden("judging_pairs", area="judges", agent="fixtures.judges.shipped:stored_answer", evaluators=[])
async def test_the_better_answer_wins_in_both_orders(case, agent):
    """Whichever stands first."""
    custom = case.expected.custom
    beside = parts_of(better.rubric.shows, Trajectory.from_answer("-"), case)
    opinion = await better.compare(beside, custom["answer_a"], custom["answer_b"])
    assert opinion.winner == custom["human"]

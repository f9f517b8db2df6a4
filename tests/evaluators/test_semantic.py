"""Semantic evaluators: their offline rules by hand, and their rubrics through a judge of the local server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.judges import good
from harness.core.case import Case, Expectation
from harness.core.errors import Failure, UsageError
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators import (
    AnswerRelevance,
    Completeness,
    ContextPrecision,
    ContextRecall,
    Faithfulness,
    TaskCompletion,
    Tone,
)
from harness.evaluators.semantic.offline import average_precision, facts_said, supported

ALL = [AnswerRelevance, Completeness, ContextPrecision, ContextRecall, Faithfulness, TaskCompletion]
CONTEXT = ["Parcels ship within 3 days.", "The office opens at 9."]


def case(state: Any = None, **custom: Any) -> Case:
    return Case(id="a", input="How long do parcels take?", expected=Expectation(custom=custom, state=state))


def score(evaluator: Any, answer: str, about: Case, **more: Any) -> Score:
    made: Score = asyncio.run(evaluator.evaluate(Trajectory.from_answer(answer, user=about.text, **more), about))
    return made


def test_a_sentence_with_a_number_that_the_context_lacks_has_no_support() -> None:
    made = score(Faithfulness(), "Parcels ship within 3 days. Parcels ship within 9 days.", case(context=CONTEXT))
    assert made.value == 0.5
    assert made.passed is None


def test_an_offline_value_fails_a_trial_only_where_a_limit_was_given() -> None:
    about = case(context=CONTEXT)
    assert score(Faithfulness(pass_at=0.9), "Parcels ship within 9 days.", about).passed is False
    assert score(Faithfulness(pass_at=0.9), "Parcels ship within 3 days.", about).passed is True


def test_what_the_agent_retrieved_comes_before_what_the_case_holds() -> None:
    made = score(
        Faithfulness(),
        "Parcels ship by boat.",
        case(context=CONTEXT),
        metadata={"context": ["They ship by boat, all parcels."]},
    )
    assert made.value == 1.0


def test_context_precision_is_the_average_precision_over_the_marked_texts() -> None:
    assert score(ContextPrecision(), "x", case(context=["a", "b", "c"], relevant=[0, 2])).value == pytest.approx(5 / 6)
    assert score(ContextPrecision(), "x", case(context=["a", "b"], relevant=["b"])).value == 0.5
    assert score(ContextPrecision(), "x", case(context=["a", "b"], relevant=[])).value == 0.0


def test_context_recall_counts_the_sentences_of_the_reference() -> None:
    about = case(context=CONTEXT, reference="Parcels ship within 3 days. Returns cost 4 euros.")
    assert score(ContextRecall(), "x", about).value == 0.5


def test_completeness_counts_listed_facts_in_any_accepted_wording() -> None:
    about = case(facts=["3 days", ["free of charge", "no fee"]])
    assert score(Completeness(), "It takes 3  Days, and there is no fee.", about).value == 1.0
    assert score(Completeness(), "It takes 13 days.", about).value == 0.0


def test_task_completion_is_the_end_state_where_the_case_has_one() -> None:
    assert score(TaskCompletion(), "done", case(state={"paid": True}), state={"paid": True}).value == 1.0
    assert score(TaskCompletion(), "done", case(state={"paid": True}), state={"paid": False}).value == 0.0


@pytest.mark.parametrize("evaluator", [AnswerRelevance(), Tone("kind")])
def test_what_no_rule_can_answer_is_not_measured_aloud(evaluator: Any) -> None:
    made = score(evaluator, "Three days.", case())
    assert made.value is None
    assert not made.expected_nothing
    assert "model=" in made.reason


@pytest.mark.parametrize("kind", [Completeness, ContextPrecision, ContextRecall, Faithfulness, TaskCompletion])
def test_a_case_that_holds_nothing_for_a_rule_is_left_out_and_told_what_it_lacks(kind: Any) -> None:
    made = score(kind(), "Three days.", case())
    assert made.value is None
    assert made.expected_nothing


@pytest.mark.parametrize("kind", ALL)
def test_each_is_judged_through_its_rubric_and_advisory_without_an_exam(kind: Any) -> None:
    about = case(context=CONTEXT, reference="Parcels ship within 3 days.")
    made = score(kind(model=good), "Parcels ship within 3 days.", about)
    assert made.value is not None, made.reason
    assert made.passed is None
    assert made.evidence["judge"]["identity"]


def test_judge_and_rule_are_never_compared() -> None:
    about = case(context=CONTEXT)
    judged, ruled = score(Faithfulness(model=good), "Soon.", about), score(Faithfulness(), "Soon.", about)
    assert judged.version != ruled.version


def test_two_tones_are_two_judges() -> None:
    assert Tone("kind", model=good).judge.identity != Tone("curt", model=good).judge.identity


@pytest.mark.parametrize("kind", ALL)
def test_a_run_that_broke_off_is_not_judged(kind: Any) -> None:
    about = case(context=CONTEXT, reference="x", facts=["x"])
    made = score(kind(model=good), "x", about, error=Failure(kind="provider", message="gone"))
    assert (made.value, made.error_kind) == (None, "provider")


def test_a_limit_off_the_scale_and_an_empty_tone_are_refused() -> None:
    with pytest.raises(UsageError, match="pass_at"):
        Faithfulness(pass_at=70)
    with pytest.raises(UsageError, match="tone in words"):
        Tone(" ")


@given(st.lists(st.booleans(), max_size=12))
def test_average_precision_lies_in_its_range_and_is_one_only_with_the_relevant_first(relevant: list[bool]) -> None:
    value = average_precision(relevant)
    if not any(relevant):
        assert value is None
    else:
        assert value is not None
        assert 0 < value <= 1
        assert (value == 1) == (relevant == sorted(relevant, reverse=True))


@given(st.text(max_size=200), st.lists(st.text(max_size=60), max_size=4))
def test_any_text_can_be_held_against_any_sources(text: str, sources: list[str]) -> None:
    yes, no = supported(text, sources)
    assert len(supported(text, [text])[0]) == len(yes) + len(no)
    assert facts_said(text, sources) is None or sources

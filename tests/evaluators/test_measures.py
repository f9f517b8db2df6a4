"""End state, cost, tokens, latency, steps and the recorded outcome."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from harness.core.case import content_hash
from harness.core.errors import Failure, UsageError
from harness.core.json_equality import differences
from harness.core.trajectory import ModelCall
from harness.core.usage import Usage
from harness.evaluators import Cost, EndState, Latency, MaxSteps, OutcomeAsRecorded, Tokens, expected_evaluators
from harness.evaluators.expected import judge_expected
from harness.testing import make_case, make_trajectory, score

LATE = Failure(kind="timeout", message="too slow")


def spent(cost: str | None = "0.02", tokens: int = 100) -> ModelCall:
    usage = Usage(input_tokens=tokens, output_tokens=tokens // 2)
    return ModelCall(model="m", usage=usage, cost_usd=None if cost is None else Decimal(cost))


def test_end_state_is_compared_as_json_or_by_its_hash() -> None:
    state = {"orders": {"17": {"status": "refunded", "n": 1}}}
    run = make_trajectory(state=state)
    assert score(EndState(), run, make_case(state={"orders": {"17": {"n": 1.0, "status": "refunded"}}})).passed
    assert score(EndState(), run, make_case(state=content_hash(state))).passed
    assert score(EndState(), run, make_case(state="0" * 16)).passed is False


def test_end_state_names_the_paths_that_differ() -> None:
    case = make_case(state={"orders": {"17": {"status": "open"}}, "gone": 1})
    got = score(EndState(), make_trajectory(state={"orders": {"17": {"status": "refunded"}}, "more": 2}), case)
    assert "orders.17.status: expected 'open', got 'refunded'" in got.reason
    assert "gone: expected 1, is missing" in got.reason
    assert "more: not expected" in got.reason


def test_an_agent_without_a_state_is_not_a_wrong_state() -> None:
    got = score(EndState(), make_trajectory(), make_case(state={"a": 1}))
    assert not got.measured
    assert not got.expected_nothing
    assert got.error_kind == "agent"


@pytest.mark.parametrize(
    ("left", "right"), [(True, 1), ("1", 1), (None, 0), ([1], [1, 2]), ({"a": None}, {}), (0, False), ({}, [])]
)
def test_values_that_python_or_carelessness_calls_equal_are_not(left: Any, right: Any) -> None:
    assert differences(left, right)
    assert differences(right, left)


def test_huge_and_deep_states_are_compared_without_huge_reasons() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    got = score(EndState(), make_trajectory(state={"a": "x" * 1_000_000, "b": deep}), make_case(state={"a": "y"}))
    assert got.passed is False
    assert len(got.reason) < 1000


def test_cost_is_exact_at_the_limit() -> None:
    run = make_trajectory(model_calls=(spent("0.1"), spent("0.2")))
    assert score(Cost(limit_usd=Decimal("0.3")), run).passed is True
    assert score(Cost(limit_usd=0.3), run).passed is True
    assert score(Cost(limit_usd=Decimal("0.29")), run).passed is False
    assert score(Cost(), run).passed is None


def test_an_unknown_price_is_not_zero() -> None:
    run = make_trajectory(model_calls=(spent("0.1"), spent(None)))
    got = score(Cost(limit_usd=1), run)
    assert not got.measured
    assert not got.expected_nothing
    assert "no price for m" in got.reason
    assert score(Cost(), run).expected_nothing


def test_what_a_broken_run_spent_is_spent() -> None:
    run = make_trajectory(model_calls=(spent("0.1"),), error=LATE)
    assert score(Cost(limit_usd=1), run).value == 0.1
    assert score(Cost(limit_usd=1), run).passed is None
    assert score(Cost(limit_usd=0.05), run).passed is False
    assert score(Tokens(limit=1000), run).passed is None
    assert score(Tokens(limit=10), run).passed is False


def test_tokens_are_those_the_provider_reported() -> None:
    run = make_trajectory(model_calls=(spent(), spent(tokens=10)))
    assert score(Tokens(), run).value == 165
    assert score(Tokens(which="output", limit=55), run).passed is True
    assert not score(Tokens(limit=5), make_trajectory(model_calls=(ModelCall(model="m"),))).measured


def test_a_timeout_within_the_limit_shows_no_latency_and_one_over_it_fails() -> None:
    assert not score(Latency(), make_trajectory(latency_s=1.0, error=LATE)).measured
    assert score(Latency(limit_s=0.5), make_trajectory(latency_s=1.0, error=LATE)).passed is False
    assert score(Latency(limit_s=1.0), make_trajectory(latency_s=1.0)).passed is True
    assert not score(Latency(limit_s=1.0), make_trajectory()).expected_nothing


def test_steps_are_assistant_messages() -> None:
    run = make_trajectory(calls=[("a", {}), ("b", {})])
    assert score(MaxSteps(), run).value == 3
    assert score(MaxSteps(), run, make_case(max_steps=2)).passed is False
    assert score(MaxSteps(limit=3), run, make_case(max_steps=2)).passed is True
    assert score(MaxSteps(limit=1), run.with_(error=LATE)).passed is False
    assert not score(MaxSteps(limit=3), run.with_(error=LATE)).measured


@pytest.mark.parametrize(
    ("metadata", "passed"),
    [
        ({"recorded_outcome": True}, True),
        ({"recorded_outcome": False, "reward": 1.0}, False),
        ({"reward": 1.0}, True),
        ({"reward": 1 - 9e-7}, True),
        ({"reward": 0.999}, False),
        ({"reward": 2}, False),
        ({"recorded_outcome": None, "reward": 0}, False),
        ({}, None),
        ({"reward": True}, None),
        ({"reward": "1"}, None),
    ],
)
def test_the_recorded_outcome_is_repeated_and_never_invented(metadata: dict[str, Any], passed: bool | None) -> None:
    got = score(OutcomeAsRecorded(), make_trajectory(metadata=metadata))
    assert got.passed is passed
    assert got.expected_nothing is (passed is None)


@pytest.mark.parametrize(
    "make", [lambda: Cost(limit_usd=-1), lambda: Latency(limit_s=float("nan")), lambda: MaxSteps(limit=-1)]
)
def test_impossible_limits_are_refused_when_they_are_declared(make: Any) -> None:
    with pytest.raises(UsageError, match="at least 0"):
        make()


EVERYTHING: dict[str, Any] = {
    "answer": "a",
    "contains": ["a"],
    "not_contains": ["z"],
    "pattern": "a",
    "json_schema": {"type": "object"},
    "number": 1,
    "tool_calls": [],
    "tool_order": "strict",
    "forbidden_tools": ["x"],
    "state": {"a": 1},
    "max_steps": 1,
    "max_cost_usd": 1,
    "max_latency_s": 1,
}


def test_a_case_asks_for_exactly_the_evaluators_that_read_what_it_expects() -> None:
    assert expected_evaluators(make_case()) == ()
    assert expected_evaluators(make_case(custom={"own": 1})) == ()
    assert [e.name for e in expected_evaluators(make_case(contains="x", max_steps=2))] == ["contains", "steps"]
    assert [e.name for e in expected_evaluators(make_case(tool_calls=[]))] == ["tool_choice", "tool_arguments"]
    assert [e.name for e in expected_evaluators(make_case(number=0))] == ["numeric"]
    assert [e.name for e in expected_evaluators(make_case(answers=["a"]))] == ["exact_match"]


def test_every_chosen_evaluator_finds_its_expectation_and_every_other_finds_none() -> None:
    everything = make_case(**EVERYTHING)
    assert len(expected_evaluators(everything)) == len(judge_expected())
    for fields in ({name: value} for name, value in EVERYTHING.items() if name != "tool_order"):
        case = make_case(**fields)
        chosen = {e.name for e in expected_evaluators(case)}
        assert chosen
        for evaluator in judge_expected():
            run = make_trajectory("a", calls=[("t", {})], latency_s=1.0, state={}, reported_cost_usd=Decimal(1))
            got = score(evaluator, run, case)
            judged = got.passed is not None
            assert judged or evaluator.name not in chosen, (fields, got)
            if judged and evaluator.name not in chosen:
                # A strict sequence is only asked for by a strict case, but it reads the same field.
                assert evaluator.name == "trajectory_match"

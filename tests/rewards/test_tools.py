"""The tool reward: each part sees what it is there for, and nothing superfluous ever pays."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.case import Case
from harness.core.errors import Failure, UsageError
from harness.core.trajectory import Trajectory
from harness.rewards import ToolReward, measured
from harness.rewards.tools_match import right_calls
from harness.rewards.tools_use import useful_calls
from harness.testing import _hostile, make_case, make_trajectory

SEARCH = {
    "type": "function",
    "function": {
        "name": "search",
        "parameters": {
            "type": "object",
            "properties": {"q": {"type": "string"}, "limit": {"type": "integer"}, "sort": {"enum": ["up", "down"]}},
            "required": ["q"],
        },
    },
}
NAMES = ("search", "open", "send")
KEYS = ("alpha", "bravo", "charlie")


def of(calls: list[Any], answer: str = "Done.", **expected: Any) -> Any:
    return ToolReward().parts(make_trajectory(answer, calls=calls), make_case(**expected))


def worth(run: Trajectory, case: Case) -> float | None:
    return ToolReward().reward(run, case)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ("{not json", "not a JSON object"),
        ("[1]", "not a JSON object"),
        ({}, "required parameter q is missing"),
        ({"q": 5}, "must be string"),
        ({"q": "a", "limit": 2.5}, "must be integer"),
        ({"q": "a", "sort": "sideways"}, "none of the declared values"),
        ({"q": "a", "colour": "red"}, "unknown parameter colour"),
    ],
)
def test_structure_names_what_is_malformed(arguments: Any, wrong: str) -> None:
    parts = of([("search", arguments)], tools=(SEARCH,))
    assert parts.structure == 0.5
    assert wrong in parts.malformed[0]
    assert of([("search", {"q": "a", "limit": 3, "sort": "up"})], tools=(SEARCH,)).structure == 1.0
    assert "no tool is called" in of([("serach", {"q": "a"})], tools=(SEARCH,)).malformed[0]


def test_choice_and_arguments_are_told_apart() -> None:
    case = make_case(tool_calls=[{"name": "search", "arguments": {"q": "blue"}}])
    wrong_value = ToolReward().parts(make_trajectory(calls=[("search", {"q": "red"})]), case)
    assert (wrong_value.choice, wrong_value.arguments, wrong_value.correct) == (1.0, 0.0, 0.0)
    wrong_tool = ToolReward().parts(make_trajectory(calls=[("open", {"q": "blue"})]), case)
    assert (wrong_tool.choice, wrong_tool.arguments, wrong_tool.correct) == (0.0, None, 0.0)


def test_utility_asks_whether_the_result_was_used() -> None:
    calls = [("search", {"q": "x"}, "order W1234 is late"), ("open", {"id": "W1234"}, "courier Fleetfoot has it")]
    assert of(calls, "Fleetfoot has your parcel.").utility == 1.0
    assert of(calls, "I do not know.").utility == 0.0
    # The first call's result only went into a call that itself was of no use.
    assert of([*calls, ("search", {"q": "y"}, "rainfall in Bergen")], "Bring a coat: rainfall.").utility == 1 / 3


def test_repeating_a_result_in_another_call_makes_neither_of_them_useful() -> None:
    run = make_trajectory(
        "Bye.", calls=[("search", {"q": "x"}, "token W1234"), ("echo", {"text": "token W1234"}, "ok")]
    )
    assert useful_calls(run) == (False, False)


@pytest.mark.parametrize(
    ("later", "answer", "errors"),
    [
        ([], "All done.", 0.5),
        ([], "Sorry, I could not open it.", 1.0),
        ([("open", {"id": "W1"}, "Error: no such order")], "All done.", 1 / 3),
        ([("open", {"id": "W99"}, "courier Fleetfoot")], "Fleetfoot has it.", 1.0),
        ([("open", {"id": "W99"}, "courier Fleetfoot")], "All done.", 0.5),
    ],
)
def test_a_failure_is_dealt_with_by_a_useful_other_call_or_by_saying_so(
    later: list[Any], answer: str, errors: float
) -> None:
    parts = of([("open", {"id": "W1"}, "Error: no such order"), *later], answer)
    assert parts.errors == pytest.approx(errors)


def test_doing_nothing_is_worth_nothing_where_calls_are_expected_and_all_where_none_is() -> None:
    nothing = make_trajectory("Hm.")
    assert worth(nothing, make_case(tool_calls=[{"name": "search"}])) == 0.0
    assert worth(nothing, make_case(tool_calls=[])) == 1.0
    assert worth(make_trajectory(calls=[("search", {})]), make_case(tool_calls=[])) == 0.0
    assert worth(nothing, make_case()) is None


def test_a_run_that_broke_off_is_left_out() -> None:
    broken = make_trajectory(calls=[("search", {})], error=Failure(kind="timeout", message="too late"))
    assert worth(broken, make_case(tool_calls=[{"name": "search"}])) is None


def test_the_same_call_twice_is_right_twice_only_where_the_case_expects_it_twice() -> None:
    twice = make_trajectory(calls=[("ping", {}), ("ping", {})]).tool_calls
    once = {"name": "ping", "arguments": {}}
    assert right_calls(twice, make_case(tool_calls=[once])) == (True, False)
    assert right_calls(twice, make_case(tool_calls=[once, once])) == (True, True)


def test_a_loose_and_an_exact_expectation_are_not_both_met_by_one_call_made_twice() -> None:
    case = make_case(tool_calls=[{"name": "a"}, {"name": "a", "arguments": {"x": 1}}])
    calls = make_trajectory(calls=[("a", {"x": 1}), ("a", {"x": 1})]).tool_calls
    assert right_calls(calls, case) == (True, False)


def test_what_was_only_said_before_the_last_call_is_not_what_the_answer_stands_on() -> None:
    messages = list(make_trajectory("Bye.", calls=[("search", {"q": "x"}, "token W1234"), ("ping", {})]).messages)
    messages[3] = {**messages[3], "content": "I have W1234 now."}
    assert useful_calls(make_trajectory(messages=messages)) == (False, False)


def test_a_retry_that_worked_deals_with_the_failure() -> None:
    calls = [("open", {"id": "W1"}, "Error: timed out"), ("open", {"id": "W1"}, "courier Fleetfoot")]
    assert of(calls, "Fleetfoot has it.").errors == 1.0
    assert of(calls[:1], "Fleetfoot has it.").errors == 0.5


def test_an_early_loose_match_takes_no_later_partner_away() -> None:
    case = make_case(tool_calls=[{"name": "a"}, {"name": "a", "arguments": {"x": 1}}])
    calls = make_trajectory(calls=[("a", {"x": 1}), ("a", {"x": 2})]).tool_calls
    assert right_calls(calls, case) == (True, True)


def test_strict_order_counts_the_longest_common_subsequence() -> None:
    wanted = [{"name": name} for name in ("a", "b", "c")]
    case = make_case(tool_calls=wanted, tool_order="strict")
    calls = make_trajectory(calls=[("b", {}), ("a", {}), ("c", {})]).tool_calls
    assert sum(right_calls(calls, case)) == 2
    assert sum(right_calls(calls, make_case(tool_calls=wanted))) == 3


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[tuple[str, Any, str]], Case, str]:
    results = ["order W1234", "Error: none", "courier Fleetfoot", "W1234 and Z987", "ok"]
    arguments = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["W1234", "Z987", 5]), max_size=2)
    calls = draw(st.lists(st.tuples(st.sampled_from(NAMES), arguments, st.sampled_from(results)), max_size=5))
    expected = draw(
        st.none()
        | st.lists(
            st.builds(lambda n, a: {"name": n} if a is None else {"name": n, "arguments": a},
                      st.sampled_from(NAMES), st.none() | arguments), max_size=3)
    )  # fmt: skip
    order = draw(st.sampled_from(["unordered", "strict", "subset", "superset"]))
    answer = draw(st.sampled_from(["Done.", "Fleetfoot has W1234.", "Sorry, unable.", "Z987"]))
    return calls, make_case(tool_calls=expected, tool_order=order), answer


@given(runs(), st.data())
def test_duplicates_never_raise_it(run: tuple[list[Any], Case, str], data: st.DataObject) -> None:
    calls, case, answer = run
    if not calls:
        return
    doubled = data.draw(st.sampled_from(calls))
    at = data.draw(st.integers(calls.index(doubled) + 1, len(calls)))
    wanted = [json.dumps(dict(vars(c)), sort_keys=True, default=str) for c in case.expected.tool_calls or ()]
    if len(set(wanted)) < len(wanted):
        return  # the case itself expects a call twice
    before = worth(make_trajectory(answer, calls=calls), case)
    after = worth(make_trajectory(answer, calls=[*calls[:at], doubled, *calls[at:]]), case)
    assert before is not None
    assert after is not None
    assert after <= before + 1e-12


@given(runs(), st.integers(0, 5), st.sampled_from(["mumble", "Error: broken", "order W1234 Fleetfoot"]))
def test_unused_calls_never_raise_it(run: tuple[list[Any], Case, str], at: int, result: str) -> None:
    calls, case, answer = run
    junk = ("junk", {"text": "Fleetfoot W1234 Z987"}, result)
    more = [*calls[:at], junk, *calls[at:]]
    where = min(at, len(calls))
    if useful_calls(make_trajectory(answer, calls=more))[where]:
        return  # then it is not unused
    before = worth(make_trajectory(answer, calls=calls), case)
    after = worth(make_trajectory(answer, calls=more), case)
    assert after is not None
    assert before is None or after <= before + 1e-12


@given(runs())
def test_the_value_lies_between_0_and_1_and_key_order_does_not_count(run: tuple[list[Any], Case, str]) -> None:
    calls, case, answer = run
    value = worth(make_trajectory(answer, calls=calls), case)
    assert value is None or 0.0 <= value <= 1.0
    turned = [(name, json.dumps(dict(reversed(arguments.items()))), result) for name, arguments, result in calls]
    assert worth(make_trajectory(answer, calls=turned), case) == value


@pytest.mark.parametrize("what", sorted(_hostile()))
def test_hostile_runs_are_judged_and_break_nothing(what: str) -> None:
    case = make_case(tools=(SEARCH,), tool_calls=[{"name": "search", "arguments": {"q": "x"}}])
    got = asyncio.run(measured(ToolReward(), _hostile()[what], case))
    assert got.error is None, got.error


@pytest.mark.parametrize("weights", [{"choice": 1.0}, {"structure": -1.0}, {"utility": 0.0}, {"errors": float("nan")}])
def test_impossible_weights_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        ToolReward(weights=weights)


def test_weights_choose_what_the_quality_is_made_of() -> None:
    run = make_trajectory("Bye.", calls=[("search", {"q": "x"}, "token W1234")])
    assert worth(run, make_case()) == pytest.approx(2 / 3)
    assert ToolReward(weights={"structure": 1.0}).reward(run, make_case()) == 1.0

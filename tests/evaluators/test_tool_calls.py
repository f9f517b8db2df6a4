"""The evaluators that read tool calls."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.calls.accepted_values import call_error
from harness.core.calls.matching import match_calls
from harness.core.case import ExpectedCall
from harness.core.errors import Failure
from harness.core.trajectory import ToolCall
from harness.evaluators import (
    DuplicateCalls,
    ForbiddenTools,
    Loops,
    Recovery,
    ToolArguments,
    ToolChoice,
    ToolErrors,
    TrajectoryMatch,
)
from harness.evaluators.loops import find_loops
from harness.testing import make_case, make_trajectory, score

BROKE = Failure(kind="provider", message="lost")
A, B, C = ("a", {}), ("b", {}), ("c", {})


def expected(*names: str, **more: Any) -> Any:
    return make_case(tool_calls=[{"name": name} for name in names], **more)


@pytest.mark.parametrize(
    ("calls", "order", "ok"),
    [
        ([A, B], "strict", True),
        ([B, A], "strict", False),
        ([B, A], "unordered", True),
        ([A], "unordered", False),
        ([A, B, C], "unordered", False),
        ([A], "subset", True),
        ([], "subset", True),
        ([A, C], "subset", False),
        ([A, A], "subset", False),
        ([C, B, A], "superset", True),
        ([C, B], "superset", False),
    ],
)
def test_trajectory_match_in_the_four_orders(calls: list[Any], order: str, ok: bool) -> None:
    got = score(TrajectoryMatch(), make_trajectory(calls=calls), expected("a", "b", tool_order=order))
    assert got.passed is ok, got.reason
    if order != "strict":
        assert score(ToolChoice(), make_trajectory(calls=calls), expected("a", "b", tool_order=order)).passed is ok


def test_trajectory_match_prints_precision_and_recall_as_fractions() -> None:
    got = score(TrajectoryMatch(), make_trajectory(calls=[A, C, C]), expected("a", "b"))
    assert "precision 1/3, recall 1/2" in got.reason
    assert got.evidence["recall"] == 0.5


def test_precision_of_no_call_is_not_a_number() -> None:
    got = score(TrajectoryMatch(), make_trajectory(), expected("a"))
    assert "precision" not in got.evidence


def test_no_expected_call_makes_any_call_wrong_and_none_expects_nothing() -> None:
    for evaluator in (ToolChoice(), ToolArguments(), TrajectoryMatch()):
        assert score(evaluator, make_trajectory(calls=[A]), make_case(tool_calls=[])).passed is False
        assert score(evaluator, make_trajectory(), make_case(tool_calls=[])).passed is True
        assert score(evaluator, make_trajectory(calls=[A]), make_case()).expected_nothing


def test_a_failed_attempt_counts_unless_it_is_told_not_to() -> None:
    trajectory = make_trajectory(calls=[("a", {}, "Error: busy"), A])
    for kind in (ToolChoice, ToolArguments, TrajectoryMatch):
        assert score(kind(), trajectory, expected("a")).passed is False
        assert score(kind(count_failed=False), trajectory, expected("a")).passed is True


def arguments(given: Any, want: Any, tools: Any = ()) -> bool | None:
    case = make_case(tool_calls=[{"name": "f", "arguments": want}], tools=tools)
    return score(ToolArguments(), make_trajectory(calls=[("f", given)]), case).passed


def test_exact_arguments_are_equal_at_every_depth() -> None:
    assert arguments({"x": {"y": [1, 2.0]}}, {"x": {"y": [1.0, 2]}})
    assert not arguments({"x": {"y": [1, "2"]}}, {"x": {"y": [1, 2]}})
    assert not arguments({"x": True}, {"x": 1})
    assert not arguments({"x": 0}, {"x": False})
    assert not arguments({"x": 1, "y": 2}, {"x": 1})
    assert not arguments({}, {"x": 1})
    assert not arguments('{"x": 1', {"x": 1})
    assert not arguments("[1]", {"x": 1})


def accepts(given: Any, answers: Any, tools: Any = ()) -> bool | None:
    case = make_case(tool_calls=[{"name": "f", "accepted": answers}], tools=tools)
    return score(ToolArguments(), make_trajectory(calls=[("f", given)]), case).passed


def test_accepted_answers_may_be_left_out_only_where_an_empty_text_says_so() -> None:
    assert accepts({"x": 1}, {"x": [1], "unit": ["cm", ""]})
    assert accepts({"x": 1, "unit": "CM"}, {"x": [1], "unit": ["cm", ""]})
    assert not accepts({"x": 1, "unit": "mm"}, {"x": [1], "unit": ["cm", ""]})
    assert not accepts({"unit": "cm"}, {"x": [1], "unit": ["cm", ""]})


def test_texts_are_compared_as_bfcl_does_and_nothing_else_is() -> None:
    assert accepts({"x": "new-york, ny"}, {"x": ["New York NY"]})
    assert accepts({"x": ["A b"]}, {"x": [["ab"]]})
    assert not accepts({"x": "new york"}, {"x": ["York"]})
    assert not accepts({"x": 1}, {"x": [True]})
    assert not accepts({"x": "1"}, {"x": [1]})


def test_mappings_inside_accepted_answers_hold_accepted_values_again() -> None:
    answers = {"where": [{"city": ["Rome", "Roma"], "zip": ["", "00100"]}]}
    assert accepts({"where": {"city": "Roma"}}, answers)
    assert not accepts({"where": {"city": "Milan"}}, answers)
    assert not accepts({"where": {"city": "Roma", "country": "IT"}}, answers)
    assert not accepts({"where": {"zip": "00100"}}, answers)


TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "parameters": {
            "type": "object",
            "properties": {
                "rows": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
                "x": {"type": "number"},
            },
        },
    },
}


def test_types_are_checked_against_the_tool_at_every_depth() -> None:
    case = make_case(tool_calls=[{"name": "f"}], tools=(TOOL,))
    # Without expected arguments any will do; with some, the schema is asked before the values.
    assert score(ToolArguments(), make_trajectory(calls=[("f", {"rows": [{"n": "1"}]})]), case).passed
    case = make_case(tool_calls=[{"name": "f", "accepted": {"rows": [[{"n": [1]}]]}}], tools=(TOOL,))
    got = score(ToolArguments(), make_trajectory(calls=[("f", {"rows": [{"n": 1.5}]})]), case)
    assert "rows[0].n must be integer, got number" in got.reason
    assert accepts({"x": 3}, {"x": [3.0]}, (TOOL,))


def test_the_reason_names_the_tool_the_parameter_and_both_values() -> None:
    case = make_case(tool_calls=[{"name": "f", "accepted": {"x": [1, 2]}}, {"name": "g"}])
    got = score(ToolArguments(), make_trajectory(calls=[("f", {"x": 3}), ("h", {})]), case)
    for part in ("0 of 2", "f: x = 3 is not accepted; accepted: 1, 2", "g: not called", "h: not expected"):
        assert part in got.reason


def call(name: str, arguments: Any = None) -> ToolCall:
    return ToolCall(name=name, arguments=arguments or {})


def test_a_loose_expectation_does_not_take_away_an_exact_ones_partner() -> None:
    # Greedy pairing gives the first call to "any arguments" and leaves the exact one without a partner.
    want = [ExpectedCall(name="f"), ExpectedCall(name="f", arguments={"x": 1})]
    calls = [call("f", {"x": 1}), call("f", {"x": 2})]
    matching = match_calls(calls, want, lambda c, w: call_error(c, w) is None)
    assert matching.pairs == ((0, 1), (1, 0))


@settings(deadline=None)  # the first example imports scipy
@given(st.lists(st.sets(st.integers(0, 5)), max_size=6), st.integers(0, 6))
def test_the_pairing_is_as_large_as_one_can_be(fits: list[set[int]], count: int) -> None:
    from scipy.optimize import linear_sum_assignment

    want = [ExpectedCall(name=str(i)) for i in range(len(fits))]
    calls = [call(str(i)) for i in range(count)]
    got = match_calls(calls, want, lambda c, w: int(c.name) in fits[int(w.name)])
    table = [[int(a in fits[e]) for a in range(count)] for e in range(len(fits))] if fits and count else [[0]]
    rows, columns = linear_sum_assignment(table, maximize=True)
    assert len(got.pairs) == sum(table[r][c] for r, c in zip(rows, columns, strict=True))
    assert len({a for a, _ in got.pairs}) == len({e for _, e in got.pairs}) == len(got.pairs)
    assert all(a in fits[e] for a, e in got.pairs)


def test_a_forbidden_call_counts_even_when_it_was_refused_or_the_run_broke_off() -> None:
    case = make_case(forbidden_tools=["delete"])
    assert score(ForbiddenTools(), make_trajectory(calls=[("delete", {}, "Error: no")]), case).passed is False
    assert score(ForbiddenTools(), make_trajectory(calls=[("delete", {})], error=BROKE), case).passed is False
    assert not score(ForbiddenTools(), make_trajectory(calls=[A], error=BROKE), case).measured
    assert score(ForbiddenTools(), make_trajectory(calls=[A]), case).passed is True


def test_tool_errors_are_counted_by_attempt() -> None:
    calls = [("a", {}, "Error: x"), ("a", {}, '{"error": "y"}'), ("a", {}, '{"error": null}'), A]
    got = score(ToolErrors(), make_trajectory(calls=calls))
    assert (got.value, got.passed) == (2, None)
    assert score(ToolErrors(limit=1), make_trajectory(calls=calls)).passed is False


@pytest.mark.parametrize(
    ("calls", "value", "why"),
    [
        ([("a", {"x": 1}, "Error"), ("a", {"x": 2})], 1.0, "1 of 1 failed calls recovered"),
        ([("a", {}, "Error"), B], 1.0, "1 of 1"),
        ([("a", {}, "Error"), ("a", {}, "Error")], 0.0, "1 tried again in vain, 1 given up"),
        ([A, ("a", {}, "Error")], 0.0, "1 given up"),
        ([("a", {}, "Error"), B, ("c", {}, "Error")], 0.5, "1 of 2"),
    ],
)
def test_recovery_is_the_share_of_failed_calls_that_a_later_one_made_good(
    calls: list[Any], value: float, why: str
) -> None:
    got = score(Recovery(), make_trajectory(calls=calls))
    assert got.value == value
    assert why in got.reason


def test_a_call_in_the_same_message_recovers_nothing() -> None:
    both = [{"id": i, "function": {"name": n, "arguments": "{}"}} for i, n in (("1", "a"), ("2", "b"))]
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": both},
        {"role": "tool", "tool_call_id": "1", "content": "Error"},
        {"role": "tool", "tool_call_id": "2", "content": "ok"},
        {"role": "assistant", "content": "Sorry."},
    ]
    assert score(Recovery(), make_trajectory(messages=messages)).value == 0


def test_without_a_tool_error_recovery_is_not_measured_quietly() -> None:
    got = score(Recovery(minimum=1), make_trajectory(calls=[A]))
    assert got.expected_nothing
    assert score(Recovery(minimum=0.5), make_trajectory(calls=[("a", {}, "Error")])).passed is False


def test_trying_again_after_an_error_is_no_duplicate() -> None:
    assert score(DuplicateCalls(), make_trajectory(calls=[("a", {}, "Error"), A])).value == 0
    assert score(DuplicateCalls(), make_trajectory(calls=[A, B, A, A])).value == 2
    assert score(DuplicateCalls(allowed=["a"]), make_trajectory(calls=[A, A])).value == 0


def test_equal_arguments_written_differently_are_duplicates() -> None:
    calls = [("a", '{"x": 1, "y": 2}'), ("a", '{"y":2,"x":1}'), ("a", '{"x": 1}'), ("a", "NaN"), ("a", "NaN")]
    assert score(DuplicateCalls(), make_trajectory(calls=calls)).value == 2


@pytest.mark.parametrize(
    ("sequence", "loops"),
    [
        ("aa", []),
        ("aaa", [(0, 1, 3)]),
        ("baaaab", [(1, 1, 4)]),
        ("abab", [(0, 2, 2)]),
        ("xabcabcx", [(1, 3, 2)]),
        ("abcdabcdabcd", [(0, 4, 3)]),
        ("abcdeabcde", []),
        ("aabb", []),
        ("aabaab", [(0, 3, 2)]),
        ("aaabab", [(0, 1, 3)]),
        ("", []),
    ],
)
def test_loops_are_found_left_to_right_shortest_first(sequence: str, loops: list[Any]) -> None:
    assert find_loops(sequence) == loops


@given(st.text(alphabet="ab", max_size=80))
def test_loops_never_overlap_and_are_what_they_say(sequence: str) -> None:
    end = 0
    for start, length, times in find_loops(sequence):
        assert start >= end
        end = start + length * times
        assert sequence[start:end] == sequence[start : start + length] * times


def test_a_loop_of_failing_calls_is_a_loop() -> None:
    got = score(Loops(limit=0), make_trajectory(calls=[("a", {}, "Error")] * 5))
    assert (got.value, got.passed) == (1, False)
    assert "a x5" in got.reason
    assert score(Loops(allowed=["a"]), make_trajectory(calls=[A] * 5)).value == 0

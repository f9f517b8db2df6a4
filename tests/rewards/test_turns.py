"""Turn rewards: each part pays for what it is named after, sums telescope, and cutting a turn in two pays nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.case import Case
from harness.core.errors import Failure, UsageError
from harness.core.trajectory import Message, Trajectory
from harness.rewards import TurnCredits, TurnRewards, blame, with_turn_rewards
from harness.testing import check_evaluator, make_case, make_trajectory, score


def call(name: str, arguments: str = "{}", id: str = "c") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def turns(run: Trajectory, case: Case, **more: Any) -> list[Any]:
    return list(TurnRewards(**more).turns(run, case))


LOOKUP = [("find", {"who": "Ann"}, "customer K77"), ("orders", {"customer": "K77"}, "order W1234, lamp")]
CASE = make_case(
    input="What did Ann order?",
    contains=["lamp"],
    tool_calls=[{"name": "find"}, {"name": "orders", "arguments": {"customer": "K77"}}],
)


def test_progress_is_paid_where_a_milestone_is_reached_and_sums_to_the_share_reached() -> None:
    found = turns(make_trajectory("It was a lamp.", calls=LOOKUP), CASE)
    assert [turn.progress for turn in found] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert math.fsum(turn.progress for turn in found) == pytest.approx(1.0)
    empty = turns(make_trajectory("No idea.", calls=[("find", {}, "x")]), CASE)
    assert math.fsum(turn.progress for turn in empty) == pytest.approx(1 / 3)


def test_information_is_paid_to_the_turn_that_brought_what_the_case_needs() -> None:
    found = turns(make_trajectory("It was a lamp.", calls=LOOKUP), CASE)
    assert [turn.information for turn in found] == pytest.approx([0.5, 0.5, 0.0])  # k77, then lamp


def test_without_an_expectation_only_what_was_used_later_is_information() -> None:
    read = [*LOOKUP, ("weather", {}, "rain over Bergen tomorrow morning")]
    found = turns(make_trajectory("She ordered order W1234.", calls=read), make_case())
    assert found[0].information > 0
    assert found[1].information > 0
    assert found[2].information == 0


def test_a_belief_of_the_teams_own_is_information_and_may_fall() -> None:
    beliefs = iter([0.25, 0.75, 0.5])
    run = make_trajectory("Done.", calls=[("find", {}, "x")])
    found = turns(run, make_case(), belief=lambda messages, case: next(beliefs))
    assert [turn.information for turn in found] == [0.5, -0.25]
    with pytest.raises(UsageError, match="probability"):
        turns(run, make_case(), belief=lambda messages, case: 1.5)


def test_malformed_calls_and_unsafe_ones_cost_the_turn_that_made_them() -> None:
    run = make_trajectory("The code is 9988.", calls=[("find", "{oops"), ("wipe", {}), ("find", {})])
    case = make_case(forbidden_tools=["wipe"], not_contains=["code is 9988"])
    found = turns(run, case, unsafe=lambda made: made.arguments is None)
    assert [turn.format for turn in found] == [-1, 0, 0, 0]
    assert [turn.safety for turn in found] == [-1, -1, 0, -1]


@pytest.mark.parametrize("text", ["", "   ", "Let me think about it."])
def test_a_turn_that_does_nothing_earns_at_most_nothing(text: str) -> None:
    quiet: Message = {"role": "assistant", "content": text}
    messages = make_trajectory("It was a lamp.", calls=LOOKUP).messages
    run = make_trajectory(messages=[*messages[:3], quiet, *messages[3:]])
    for case in (CASE, make_case()):
        assert turns(run, case)[1].total <= 0
    repeated = make_trajectory("A lamp.", calls=[*LOOKUP, LOOKUP[1]])
    assert turns(repeated, CASE)[2].total <= 0


WORDS = ["lamp", "W1234", "sorry", "la", "mp", "the secret", "secret", "code", "K77", " "]


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Message], Case]:
    messages: list[Message] = [{"role": "user", "content": "What did Ann order?"}]
    number = 0
    for _ in range(draw(st.integers(1, 4))):
        text = "".join(draw(st.lists(st.sampled_from(WORDS), max_size=3)))
        made = []
        for _ in range(draw(st.integers(0, 3))):
            name = draw(st.sampled_from(["find", "orders", "wipe"]))
            made.append(call(name, draw(st.sampled_from(["{}", '{"customer": "K77"}', "{oops"])), f"c{number}"))
            number += 1
        messages.append({"role": "assistant", "content": text, "tool_calls": made})
        results = st.sampled_from(["customer K77", "order W1234, lamp", "Error: no", ""])
        messages += [{"role": "tool", "tool_call_id": one["id"], "content": draw(results)} for one in made]
    expected: dict[str, Any] = draw(
        st.sampled_from(
            [
                {},
                {"contains": ["lamp", "W1234"], "not_contains": ["the secret code"]},
                {"tool_calls": [{"name": "find"}, {"name": "orders"}], "forbidden_tools": ["wipe"]},
                {"tool_calls": [{"name": "orders"}, {"name": "find"}], "tool_order": "strict", "answer": "lamp"},
            ]
        )
    )
    return messages, make_case(input="What did Ann order?", **expected)


def cut(messages: Sequence[Message], at: int, letters: int, calls: int) -> list[Message]:
    """The assistant message at ``at`` as two: so many letters of its text and so many of its calls come first."""
    whole = messages[at]
    text, made = str(whole["content"]), list(whole["tool_calls"])
    if calls:
        letters = len(text)  # an agent speaks, then calls; what is cut keeps that order
    answers = {m["tool_call_id"]: m for m in messages if m["role"] == "tool"}
    first, second = made[:calls], made[calls:]
    out = [*messages[:at], {"role": "assistant", "content": text[:letters], "tool_calls": first}]
    out += [answers[one["id"]] for one in first]
    out.append({"role": "assistant", "content": text[letters:], "tool_calls": second})
    out += [answers[one["id"]] for one in second]
    return [*out, *messages[at + 1 + len(made) :]]


@given(conversations(), st.data())
def test_cutting_a_turn_in_two_never_raises_the_sum(drawn: tuple[list[Message], Case], data: st.DataObject) -> None:
    messages, case = drawn
    at = data.draw(st.sampled_from([i for i, m in enumerate(messages) if m["role"] == "assistant"]))
    letters = data.draw(st.integers(0, len(messages[at]["content"])))
    calls = data.draw(st.integers(0, len(messages[at]["tool_calls"])))
    whole = TurnRewards().reward(make_trajectory(messages=messages), case)
    split = TurnRewards().reward(make_trajectory(messages=cut(messages, at, letters, calls)), case)
    assert whole is not None
    assert split is not None
    assert split <= whole + 1e-12


@given(conversations())
def test_the_parts_add_up_and_the_sums_stay_in_their_range(drawn: tuple[list[Message], Case]) -> None:
    messages, case = drawn
    run, rule = make_trajectory(messages=messages), TurnRewards()
    found = rule.turns(run, case)
    assert rule.reward(run, case) == pytest.approx(math.fsum(turn.total for turn in found), abs=1e-12)
    assert -1e-9 <= math.fsum(turn.information or 0.0 for turn in found) <= 1 + 1e-9
    assert -1e-9 <= math.fsum(turn.progress or 0.0 for turn in found) <= 1 + 1e-9
    assert all(turn.format <= 0 and turn.safety <= 0 for turn in found)


def test_a_forbidden_text_cut_in_two_messages_is_still_said() -> None:
    case = make_case(not_contains=["the secret code"])
    whole = make_trajectory(messages=[{"role": "assistant", "content": "the secret code"}])
    halves = [{"role": "assistant", "content": text} for text in ("the secr", "et code")]
    cut_in_two = TurnRewards().reward(make_trajectory(messages=halves), case)
    assert TurnRewards().reward(whole, case) == pytest.approx(-1.01)
    assert cut_in_two == pytest.approx(-1.02)


def test_the_evidence_holds_every_turn_and_credits_that_sum_to_the_reward() -> None:
    class Outcome:
        name = "outcome"

        def reward(self, trajectory: Trajectory, case: Case) -> float:
            return -2.5

    run = make_trajectory("It was a lamp.", calls=LOOKUP)
    got = score(TurnCredits(outcome=Outcome()), run, CASE)
    assert got.value == -2.5
    assert math.fsum(turn["credit"] for turn in got.evidence["turns"]) == pytest.approx(-2.5, abs=1e-9)
    assert [turn["index"] for turn in got.evidence["turns"]] == [0, 1, 2]
    assert "the lowest credit" in got.reason


def test_an_outcome_that_breaks_or_says_nothing_is_not_measured() -> None:
    class Says:
        name = "says"

        def __init__(self, answer: Any) -> None:
            self.answer = answer

        def reward(self, trajectory: Trajectory, case: Case) -> Any:
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    run = make_trajectory()
    broken = score(TurnCredits(outcome=Says(ZeroDivisionError("boom"))), run)
    assert (broken.measured, broken.expected_nothing) == (False, False)
    assert "boom" in broken.reason
    assert score(TurnCredits(outcome=Says(None)), run).expected_nothing


def test_turn_rewards_travel_with_the_trajectory() -> None:
    run = make_trajectory("It was a lamp.", calls=LOOKUP, metadata={"mine": 1})
    kept = with_turn_rewards(run, CASE, reward=1.0).to_json()["metadata"]
    assert kept["mine"] == 1
    assert math.fsum(turn["credit"] for turn in kept["turn_rewards"]["turns"]) == pytest.approx(1.0, abs=1e-9)
    silent = with_turn_rewards(make_trajectory(messages=[{"role": "user", "content": "x"}]), CASE)
    assert silent.metadata["turn_rewards"] == {"reward": None, "turns": [], "turn_count": 0}


def test_a_run_without_turns_or_that_broke_off_has_no_reward() -> None:
    assert TurnRewards().reward(make_trajectory(messages=[]), CASE) is None
    broken = make_trajectory("x", error=Failure(kind="timeout", message="late"))
    assert TurnRewards().reward(broken, CASE) is None


def test_it_keeps_the_contract_on_hostile_runs() -> None:
    check_evaluator(TurnCredits())


@pytest.mark.parametrize("field", ["information", "progress", "format", "safety", "turn_cost"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_weight_below_0_or_no_number_is_refused(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=field):
        TurnRewards(**{field: value})


def test_blame_falls_on_who_first_said_the_wrong_conclusion_and_on_failed_calls() -> None:
    run = make_trajectory(
        messages=[
            {"role": "user", "content": "Which house sold for more?"},
            {"role": "assistant", "content": "Let us gather the sales data."},
            {"role": "assistant", "content": "Komo Drive sold for 950000 dollars."},
            {"role": "assistant", "content": "", "tool_calls": [call("python")]},
            {"role": "tool", "tool_call_id": "c", "content": "Error: no module"},
            {"role": "assistant", "content": "Komo Drive sold for 950000 dollars."},
            {"role": "assistant", "content": "Bye"},
        ]
    )
    found = blame(run)
    assert found[1] < found[0]
    assert found[2] == -1.0
    assert found[3] == found[4] == 0.0


def test_what_a_tool_brought_is_nobodys_claim() -> None:
    run = make_trajectory("Fleetfoot carries W1234 today.", calls=[("find", {}, "Fleetfoot carries W1234 today")])
    assert blame(run) == (0.0, 0.0)
    assert blame(make_trajectory(messages=[])) == ()

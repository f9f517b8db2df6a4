"""Metamorphic strategies keep what carries meaning, can be made again, are shrunk to what matters, and are kept."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from harness.core.case import Case, Expectation, ExpectedCall
from harness.core.errors import DatasetError, UsageError
from harness.core.record import Trial
from harness.strategies import (
    KINDS,
    FaultPlan,
    Perturbed,
    Renamed,
    fault_plans,
    keep_case,
    keeping_failures,
    perturb,
    perturbed_cases,
    rename_tools,
    renamed_tools,
    shrink,
    shrink_awaiting,
    tool_machine,
)
from harness.strategies.perturbing import apply_edits, with_edits

CASE = Case(
    id="refund",
    input='Please refund order A-1001, it\'s "Broken glass" and my mail is maya@example.com, postcode 41122.',
    expected=Expectation(tool_calls=(ExpectedCall(name="refund", arguments={"order": "A-1001"}),)),
    tools=(
        {"type": "function", "function": {"name": "refund", "parameters": {
            "type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}}},
    ),
)  # fmt: skip
CARRIES = re.compile(r'A-1001|"Broken glass"|maya@example\.com|41122')


@given(perturbed_cases([CASE]))
def test_what_carries_meaning_is_never_touched(made: Perturbed) -> None:
    assert CARRIES.findall(made.case.text) == CARRIES.findall(CASE.text)
    assert made.case.expected == CASE.expected
    assert made.case.cluster == "refund"
    assert made.original is CASE


@given(st.text(max_size=80), st.sampled_from(KINDS), st.integers(0, 99))
def test_any_text_can_be_changed_and_the_same_seed_makes_the_same_change(text: str, kind: str, seed: int) -> None:
    case = Case(id="any", input=text)
    made = perturb(case, kind, seed)
    assert perturb(case, kind, seed) == made
    assert made.case.text == apply_edits(text, made.edits)
    places = [place for edit in made.edits for place in (edit.start, edit.end)]
    assert places == sorted(places)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "field_order"])
def test_every_kind_changes_a_usual_request(kind: str) -> None:
    assert any(perturb(CASE, kind, seed).case.text != CASE.text for seed in range(5))


def test_messages_are_changed_in_the_last_of_the_user_s_and_other_inputs_only_in_their_order() -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is it?"}]
    made = perturb(Case(id="chat", input=chat), "irrelevant", 1).case
    assert made.input[0] == chat[0]
    assert "Where is it?" in made.input[1]["content"] != "Where is it?"
    fields = {"a": 1, "b": {"c": 2, "d": [3]}}
    turned = perturb(Case(id="fields", input=fields), "field_order").case.input
    assert turned == fields
    assert json.dumps(turned) == '{"b": {"d": [3], "c": 2}, "a": 1}'
    assert perturb(Case(id="fields", input=fields), "typos").case.input == fields


def test_an_unknown_kind_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="typos"):
        perturb(CASE, "typo")


@given(renamed_tools([CASE]))
def test_renamed_tools_are_expected_under_their_new_names_and_lead_back(made: Renamed) -> None:
    (call,) = made.case.expected.tool_calls or ()
    offered = made.case.tools[0]["function"]
    assert call.name == offered["name"] != "refund"
    assert call.arguments is not None
    assert list(call.arguments) == offered["parameters"]["required"] == list(offered["parameters"]["properties"])
    assert made.back(call.name, call.arguments) == ("refund", {"order": "A-1001"})


def test_a_case_without_tools_is_not_renamed() -> None:
    plain = Case(id="plain", input="hi")
    assert rename_tools(plain).case is plain


@given(fault_plans(["read", "write"]))
def test_exactly_the_planned_calls_fail_and_do_not_reach_the_tool(plan: FaultPlan) -> None:
    reached: list[int] = []
    tool = plan.wrap("read", reached.append)
    failed = []
    for number in range(5):
        try:
            tool(number)
        except ConnectionError:
            failed.append(number)
    assert tuple(failed) == plan.faults.get("read", ())
    assert sorted(reached + failed) == [0, 1, 2, 3, 4]


@given(st.integers(0, 200))
def test_shrinking_leaves_the_one_edit_that_breaks_the_agent(seed: int) -> None:
    found = perturb(CASE, "case", seed)
    words = [edit.text for edit in found.edits]
    guilty = words[seed % len(words)]
    assert words.count(guilty) == 1
    small = shrink(found, lambda case: guilty in case.text.split() or guilty in case.text)
    assert len(small.edits) <= 1
    assert guilty in small.case.text


def test_shrinking_keeps_two_edits_that_break_it_only_together_and_refuses_what_does_not_fail() -> None:
    found = perturb(CASE, "case", 0)
    first, last = found.edits[0].text, found.edits[-1].text
    small = shrink(found, lambda case: first in case.text and last in case.text)
    assert {edit.text for edit in small.edits} == {first, last}
    with pytest.raises(UsageError, match="does not fail"):
        shrink(found, lambda case: False)
    with pytest.raises(UsageError, match="at least 1"):
        shrink(found, lambda case: True, trials=0)


def test_an_agent_that_is_not_deterministic_is_asked_several_times() -> None:
    found = perturb(CASE, "case", 0)
    guilty = found.edits[0].text
    calls = 0

    def moody(case: Case) -> bool:
        nonlocal calls
        calls += 1
        return guilty in case.text and calls % 3 != 0  # passes by luck every third time

    small = shrink(found, moody, trials=3)
    assert [edit.text for edit in small.edits] == [guilty]
    assert calls % 3 == 0


def test_a_failure_of_the_reference_agent_is_shrunk_and_kept_as_a_golden_case_that_opens(tmp_path: Path) -> None:
    from fixtures.support_desk.agent import SupportDesk
    from fixtures.support_desk.personas import PERSONAS
    from harness.datasets import load_dataset

    ask = "How long do I have to return something? What does the refund policy say about the return window?"

    async def story() -> Perturbed:
        async with SupportDesk(PERSONAS["careful"]) as desk:
            calm = (await desk.run(Case(id="a", input=ask), Trial(index=0, seed=1))).answer

            async def fails(case: Case) -> bool:
                return (await desk.run(case, Trial(index=0, seed=1))).answer != calm

            case = Case(id="a", input=ask)
            for seed in range(60):
                found = perturb(case, "typos", seed)
                if len(found.edits) > 1 and await fails(found.case):
                    small = await shrink_awaiting(found, fails)
                    for left_out in small.edits:
                        rest = tuple(edit for edit in small.edits if edit is not left_out)
                        assert not await fails(with_edits(case, "typos", rest).case), "every edit left is needed"
                    return small
            raise AssertionError("no typo of sixty changes the answer; take another question")

    small = asyncio.run(story())
    assert small.edits
    path = tmp_path / "found" / "cases.jsonl"
    assert keep_case(path, small.case) is True
    assert keep_case(path, small.case) is False
    (path.parent / "card.md").write_text("# found\n")
    (opened,) = load_dataset(path).cases
    assert opened.content_hash == small.case.content_hash
    assert opened.metadata["perturbed_from"] == "a"


def test_keeping_a_case_never_overwrites_another_and_names_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    keep_case(path, Case(id="a", input="one"))
    with pytest.raises(DatasetError, match="another case has the id 'a'"):
        keep_case(path, Case(id="a", input="two"))
    path.write_text("[]\n")
    with pytest.raises(DatasetError, match=r"cases\.jsonl:1"):
        keep_case(path, Case(id="b", input="two"))
    assert path.read_text() == "[]\n"


def test_what_hypothesis_shrank_a_failure_to_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"

    @keeping_failures(path)
    @settings(database=None, derandomize=True, deadline=None)
    @given(perturbed_cases([CASE], kinds=["case", "irrelevant"]))
    def shouting_is_fine(made: Perturbed) -> None:
        assert "PLEASE" not in made.case.text

    with pytest.raises(AssertionError):
        shouting_is_fine()
    (row,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert row["metadata"]["perturbation"] == "case"
    assert "PLEASE" in row["input"]


def test_the_decorator_without_given_below_is_refused() -> None:
    with pytest.raises(TypeError, match="above @given"):
        keeping_failures("x")(lambda: None)


def test_a_state_machine_finds_the_order_of_calls_that_breaks_an_invariant() -> None:
    closed = []

    def act(world: list[int], name: str, arguments: object) -> None:
        world.append({"put": 1, "take": -1}[name])

    def never_below_minus_one(world: list[int]) -> None:
        assert sum(world) > -2, world

    calls: dict[str, dict[str, st.SearchStrategy[object]]] = {"put": {}, "take": {}}
    machine = tool_machine(list, calls, act, never_below_minus_one, close=closed.append)
    with pytest.raises(AssertionError, match=r"\[-1, -1\]"):
        run_state_machine_as_test(machine, settings=settings(database=None, deadline=None, derandomize=True))
    assert closed
    sound = tool_machine(list, calls, act, lambda world: None)
    run_state_machine_as_test(sound, settings=settings(database=None, deadline=None, max_examples=5))

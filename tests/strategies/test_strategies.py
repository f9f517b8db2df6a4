"""The strategies give what they say: well formed where promised, hostile where asked, and nothing of a real person."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given

import harness.strategies as shelf
from harness.core.case import canonical_json
from harness.evaluators import JsonSchema
from harness.strategies import (
    cases,
    code_edits,
    completions,
    conversations,
    hostile_texts,
    json_values,
    pii_texts,
    python_functions,
    tool_calls,
    trajectories,
)
from harness.testing import score


@pytest.mark.parametrize("name", shelf.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(shelf, name).__doc__


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match="conversations"):
        shelf.conversation  # noqa: B018


@given(conversations())
def test_conversations_begin_with_the_user_answer_every_call_and_end_with_the_agent(messages: list[Any]) -> None:
    spoken = [message for message in messages if message["role"] != "system"]
    assert spoken[0]["role"] == "user"
    assert spoken[-1]["role"] == "assistant"
    assert not spoken[-1].get("tool_calls")
    asked = [call["id"] for message in messages for call in message.get("tool_calls") or ()]
    answered = [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    assert asked == answered


@given(trajectories(hostile=True), cases())
def test_evaluators_survive_hostile_trajectories(run: Any, case: Any) -> None:
    assert run.answer is not None
    assert score(JsonSchema(schema={"type": "object"}), run, case).name


@given(tool_calls())
def test_arguments_of_tool_calls_are_json_objects(call: dict[str, Any]) -> None:
    assert isinstance(json.loads(call["function"]["arguments"]), dict)


@given(json_values())
def test_json_values_survive_a_round_trip(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(hostile_texts(), completions())
def test_texts_are_texts(hostile: str, completion: str) -> None:
    assert isinstance(hostile, str)
    assert completion


@given(python_functions())
def test_functions_run_and_give_a_number(code: str) -> None:
    space: dict[str, Any] = {}
    exec(code, space)
    assert isinstance(space["solve"](3, 50), int)


@given(code_edits())
def test_an_edit_changes_the_text_and_says_whether_it_changes_what_the_code_does(edit: Any) -> None:
    def results(code: str) -> list[int]:
        space: dict[str, Any] = {}
        exec(code, space)
        return [space["solve"](a, b) for a, b in ((0, 0), (3, 50), (-7, 99), (11, 4))]

    assert edit.before != edit.after
    if edit.same_behaviour:
        assert results(edit.before) == results(edit.after)
    else:
        assert results(edit.before) != results(edit.after)


@given(pii_texts())
def test_personal_data_stand_where_they_are_said_to_and_are_nobodys(found: Any) -> None:
    reserved = {
        "email": r".+@example\.(com|org|net)",
        "phone": r"\+1 202-555-01\d\d",
        "credit_card": r"4111 1111 1111 \d{4}",
        "iban": r"DE\d{20}",
        "ip_address": r"192\.0\.2\.\d+",
    }
    for start, end, category in found.spans:
        assert re.fullmatch(reserved[category], found.text[start:end])
        if category == "iban":
            digits = found.text[start:end]
            assert int(digits[4:] + "1314" + digits[2:4]) % 97 == 1
        if category == "credit_card":
            card = [int(digit) for digit in found.text[start:end] if digit.isdigit()]
            doubled = [d if i % 2 == len(card) % 2 == 1 or (len(card) - i) % 2 else sum(divmod(2 * d, 10))
                       for i, d in enumerate(card)]  # fmt: skip
            assert sum(doubled) % 10 == 0

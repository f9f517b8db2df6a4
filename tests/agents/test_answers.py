from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.agents.answers import ANSWER_KEYS, read_answer, read_cost
from harness.core.errors import AgentBroken

HISTORY = [{"role": "user", "content": "hi"}]


def said(value: Any) -> list[Any]:
    return [message["content"] for message in read_answer(value, who="agent", history=HISTORY).messages]


@pytest.mark.parametrize("key", ANSWER_KEYS)
def test_each_known_key_holds_the_answer(key: str) -> None:
    assert said({key: "yes"}) == ["yes"]


@pytest.mark.parametrize(
    "value",
    [
        "yes",
        {"role": "assistant", "content": "yes"},
        [{"role": "assistant", "content": "yes"}],
        [*HISTORY, {"role": "assistant", "content": "yes"}],
        {"messages": [*HISTORY, {"role": "assistant", "content": "yes"}]},
        {"message": {"role": "assistant", "content": "yes"}},
        {"choices": [{"message": {"role": "assistant", "content": "yes"}}]},
    ],
)
def test_every_accepted_shape_gives_the_new_messages(value: Any) -> None:
    assert said(value) == ["yes"]


def test_an_answer_that_is_json_becomes_its_text() -> None:
    assert said({"output": {"b": [1], "a": None}}) == ['{"a":null,"b":[1]}']
    assert said({"answer": 42}) == ["42"]
    assert said({"answer": False}) == ["false"]


def test_models_of_client_libraries_are_read() -> None:
    class Dumps:
        def model_dump(self, **_: Any) -> dict[str, Any]:
            return {"role": "assistant", "content": "yes"}

    assert said(Dumps()) == ["yes"]
    assert said([Dumps()]) == ["yes"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None .is a return statement missing"),
        (42, "returned int; it may return a text"),
        (b"yes", "returned bytes"),
        ({"result": "yes"}, "a mapping with 'result'; name the answer one of answer, output"),
        ({}, "no keys"),
        ({"answer": None}, "'answer'"),
        ({"error": {"message": "no model"}}, "answered with an error: no model"),
        (["yes"], "item 0 is str, not a chat message"),
        ([{"content": "yes"}], "item 0 is dict"),
        ([], "0 new messages, none of them"),
        (HISTORY, "0 new messages, none of them"),
    ],
)
def test_anything_else_is_refused_by_its_type_and_told_what_would_work(value: Any, words: str) -> None:
    with pytest.raises(AgentBroken, match=words):
        read_answer(value, who="agent", history=HISTORY)


def test_usage_cost_state_and_metadata_are_taken_along() -> None:
    read = read_answer(
        {"answer": "x", "usage": {"prompt_tokens": 3}, "cost_usd": 0.1, "state": {"a": 1}, "metadata": {"v": 2}},
        who="agent",
    )
    assert read.usage is not None
    assert (read.usage.input_tokens, read.cost_usd, read.state, read.metadata) == (
        3,
        Decimal("0.1"),
        {"a": 1},
        {"v": 2},
    )
    own_words = read_answer({"answer": "x", "usage": {"output_tokens": 4}}, who="agent").usage
    assert own_words is not None
    assert own_words.output_tokens == 4


@pytest.mark.parametrize("bad", [None, -1, "x", "NaN", float("nan"), float("inf"), True, [], "Infinity"])
def test_a_cost_that_is_none_is_unknown_and_not_zero(bad: Any) -> None:
    assert read_cost(bad) is None


def test_a_cost_of_zero_is_zero() -> None:
    assert read_cost(0) == Decimal(0)


KEYS = st.sampled_from([*ANSWER_KEYS, "messages", "role", "choices", "usage", "error", "cost_usd"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_hostile_answers_are_read_or_refused(value: Any) -> None:
    try:
        read = read_answer(value, who="agent", history=HISTORY)
    except AgentBroken:
        return
    assert read.messages

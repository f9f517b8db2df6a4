from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.agents.chat_stream import ChatStream
from harness.agents.completion import usage_of
from harness.core.errors import ProviderBroken


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def event(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({"id": "c", "model": "m", "choices": choices, **more}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def assembled(*pieces: bytes, max_bytes: int = 10_000) -> dict[str, Any]:
    stream = ChatStream(who="server", now=Ticks(), max_bytes=max_bytes)
    for piece in pieces:
        stream.feed(piece)
    return dict(stream.finish())


@given(st.lists(st.text(max_size=8), min_size=1).filter(any))
def test_content_is_the_deltas_joined(parts: list[str]) -> None:
    body = assembled(*[event({"content": part}) for part in parts], event({}, "stop"), DONE)
    assert body["choices"][0]["message"]["content"] == "".join(parts)
    assert body["choices"][0]["finish_reason"] == "stop"


def test_tool_calls_are_put_together_by_index_with_interleaved_pieces() -> None:
    body = assembled(
        event(
            {"role": "assistant", "tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]}
        ),
        event({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": '{"y"'}}]}),
        event({"tool_calls": [{"index": 0, "function": {"arguments": '{"x":1}'}}]}),
        event({"tool_calls": [{"index": 1, "function": {"arguments": ":2}"}}]}),
        event({}, "tool_calls"),
    )
    message = body["choices"][0]["message"]
    assert message["content"] is None
    assert [(c["id"], c["function"]) for c in message["tool_calls"]] == [
        ("a", {"name": "f", "arguments": '{"x":1}'}),
        ("b", {"name": "g", "arguments": '{"y":2}'}),
    ]


def test_tool_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    body = assembled(
        event({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{"}}]}),
        event({"tool_calls": [{"function": {"arguments": "}"}}]}),
        event({"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": {"k": 1}}}]}),
        event({}, "tool_calls"),
    )
    calls = body["choices"][0]["message"]["tool_calls"]
    assert [(c["id"], c["function"]["arguments"]) for c in calls] == [("a", "{}"), ("b", '{"k": 1}')]


def test_usage_of_the_last_event_without_choices_is_kept() -> None:
    body = assembled(event({"content": "x"}, "stop"), event(usage={"prompt_tokens": 5, "completion_tokens": 2}), DONE)
    usage = usage_of(body)
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (5, 2)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"reasoning_content": "x"},
        {"reasoning": "x"},
        {"refusal": "x"},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]},
    ],
)
def test_the_first_token_of_any_channel_is_timed(delta: dict[str, Any]) -> None:
    stream = ChatStream(who="server", now=Ticks(), max_bytes=1000)
    stream.feed(event({"role": "assistant", "content": ""}) + event({"tool_calls": []}) + b": ping\n\n")
    assert stream.first_token_at is None
    stream.feed(event(delta))
    stream.feed(event({"content": "more"}))
    assert stream.first_token_at == 1.0


@pytest.mark.parametrize("pieces", [(), (event({"content": "half"}),), (event({"content": "half"}), b"data: {")])
def test_a_stream_that_ends_without_finish_is_cut(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(ProviderBroken, match="without finish_reason") as caught:
        assembled(*pieces)
    assert (caught.value.reason, caught.value.retryable) == ("cut_stream", True)


def test_a_last_event_without_its_blank_line_still_counts() -> None:
    assert assembled(event({"content": "x"}), event({}, "stop").rstrip())["choices"][0]["finish_reason"] == "stop"


def test_an_error_event_is_a_failure_of_the_server() -> None:
    with pytest.raises(ProviderBroken, match="overloaded") as caught:
        assembled(event({"content": "x"}), b'data: {"error": {"message": "overloaded"}}\n\n')
    assert caught.value.reason == "server_error"


def test_an_unreadable_event_is_bad_json() -> None:
    with pytest.raises(ProviderBroken) as caught:
        assembled(b"data: {oops\n\n", DONE)
    assert caught.value.reason == "bad_json"


def test_a_finished_stream_that_said_nothing_is_an_empty_reply() -> None:
    with pytest.raises(ProviderBroken) as caught:
        assembled(event({"role": "assistant"}), event({}, "stop"), DONE)
    assert caught.value.reason == "empty_reply"


@pytest.mark.parametrize(
    "pieces",
    [
        [event({"content": "x" * 400})] * 30,
        [event({"tool_calls": [{"index": 0, "function": {"arguments": "x" * 400}}]})] * 30,
        [b"data: " + b"x" * 900] * 20,
    ],
)
def test_a_stream_that_never_stops_talking_is_too_large(pieces: list[bytes]) -> None:
    with pytest.raises(ProviderBroken) as caught:
        assembled(*pieces)
    assert caught.value.reason == "too_large"


def test_more_calls_than_anyone_makes_are_too_large() -> None:
    with pytest.raises(ProviderBroken) as caught:
        assembled(
            *[event({"tool_calls": [{"index": i, "function": {"name": "f"}}]}) for i in range(2000)], max_bytes=10**6
        )
    assert caught.value.reason == "too_large"


KEYS = ["choices", "delta", "index", "tool_calls", "function", "name", "arguments", "content", "usage"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "index", "tool_calls", "function", "name", "arguments", "content", "usage"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4))
def test_events_of_any_shape_give_a_completion_or_a_provider_failure(events: list[Any]) -> None:
    stream = ChatStream(who="server", now=Ticks(), max_bytes=10_000)
    try:
        for item in events:
            shaped = {"choices": [{"delta": item if isinstance(item, dict) else {"content": item}, "index": item}]}
            stream.feed(b"data: " + json.dumps(item).encode() + b"\n\ndata: " + json.dumps(shaped).encode() + b"\n\n")
        body = stream.finish()
    except ProviderBroken:
        return
    assert body["choices"]

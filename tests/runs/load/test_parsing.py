"""Replies taken apart: the same events and facts wherever the bytes were cut."""

from __future__ import annotations

import json
from array import array
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runs.load.events import events_of, stamped
from harness.runs.load.framing import BrokenFraming, Framing, body_pieces
from harness.runs.load.measured import Measured, measured
from harness.runs.load.spool import CLOSED, COMPLETE, TIMEOUT, Raw


def chunk(**delta: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}).encode()


END = json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}).encode()


def sse(*payloads: bytes, end: bytes = b"\n") -> bytes:
    return b"".join(b"data: " + payload + end + end for payload in payloads)


def chunked(body: bytes, size: int = 37, end: bytes = b"0\r\n\r\n") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + end


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def streamed(body: bytes, size: int = 37) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, size)


def raw(pieces: list[bytes], how: int = COMPLETE) -> Raw:
    """Reads a millisecond apart, the first one 10 ms after sent."""
    stamps = array("q", [(10 + index) * 1_000_000 for index in range(len(pieces))])
    return Raw(
        number=3, due=0, taken=0, sent=1_000_000, connected=0, ended=99_000_000, how=how, retried=0, note="",
        stamps=stamps, lags=array("q", [0] * len(pieces)), lengths=array("I", map(len, pieces)), data=b"".join(pieces),
    )  # fmt: skip


def cut_at(data: bytes, places: set[int]) -> list[bytes]:
    edges = [0, *sorted(place for place in places if 0 < place < len(data)), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


BODIES = [
    sse(chunk(role="assistant", content=""), chunk(content="He"), chunk(content="llo"), END, b"[DONE]"),
    sse(chunk(role="assistant"), chunk(content="one"), chunk(content="two"), END, b"[DONE]", end=b"\r\n"),
    b"\xef\xbb\xbf: a comment\n\n"
    + sse(chunk(content="one"))
    + b":\n\nevent: x\nid: 1\n"
    + sse(chunk(content="2"), END),
    b"retry: 5\r\rdata:" + chunk(content="a") + b"\r\rdata: " + chunk(content="b") + b"\r\r" + b"data: " + END,
    b'data: {"choices": [{"delta":\ndata: {"content": "x"}}]}\n\n\n\n' + sse(chunk(content="y"), b"[DONE]"),
]


@given(st.sampled_from(BODIES), st.sets(st.integers(1, 900), max_size=20), st.integers(1, 200))
def test_events_and_facts_do_not_depend_on_where_reads_and_chunks_were_cut(
    body: bytes, places: set[int], size: int
) -> None:
    data = streamed(body, size)
    pieces = cut_at(data, places)
    framing = Framing()
    ends = [framing.feed(piece) for piece in pieces]
    assert ends == [False] * (len(pieces) - 1) + [True], "complete with the last byte, and not before"
    one = measured(raw(pieces), 0)
    assert (one.ok, one.token_events, one.failure) == (True, 2, "")
    _, _, parts, complete = body_pieces(data)
    assert complete
    assert b"".join(part for _, part in parts) == body


@given(st.sampled_from(BODIES), st.integers(1, 900))
def test_an_event_has_the_time_of_the_read_that_completed_it(body: bytes, place: int) -> None:
    data = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    pieces = cut_at(data, {place})
    _, _, parts, _ = body_pieces(data)
    _, events = stamped(parts, [len(piece) for piece in pieces])
    offset = len(data) - len(body)
    for (read, payload), (end, same) in zip(events, events_of(body), strict=True):
        assert payload == same
        assert read == (0 if offset + end <= len(pieces[0]) else 1)


@given(st.binary(max_size=400), st.sets(st.integers(1, 400), max_size=5))
def test_bytes_that_are_no_reply_never_break_the_reader(data: bytes, places: set[int]) -> None:
    pieces = cut_at(data, places) if data else []
    one = measured(raw(pieces, CLOSED), 0)
    assert not one.ok
    framing = Framing()
    try:
        for piece in pieces:
            framing.feed(piece)
    except BrokenFraming:
        pass


@given(st.binary(max_size=200))
def test_hostile_bodies_never_break_the_reader(body: bytes) -> None:
    measured(raw([streamed(sse(body) + body)]), 0)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["choices", "delta", "content", "usage", "error", "tool_calls", "function", "logprobs", "token_ids",
                     "completion_tokens", "finish_reason"]), x), max_leaves=20))  # fmt: skip
def test_json_of_any_shape_never_breaks_the_reader(given: Any) -> None:
    measured(raw([streamed(sse(json.dumps(given).encode(), b"[DONE]"))]), 0)
    text = json.dumps(given).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text)
    measured(raw([head + text]), 0)


def test_a_chunk_that_holds_what_looks_like_the_end_is_not_the_end() -> None:
    framing = Framing()
    assert not framing.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nx\r\n0\r\n\r\ny\r\n")
    assert framing.feed(b"0\r\n\r\n")


def test_trailers_and_interim_replies_are_read_over() -> None:
    framing = Framing()
    head = b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    assert not framing.feed(head + b"1\r\nx\r\n0\r\n")
    assert not framing.feed(b"Trailer: 1\r\n")
    assert framing.feed(b"\r\n")
    assert framing.status == 200


def test_a_role_is_no_first_token_and_reasoning_is() -> None:
    body = sse(chunk(role="assistant", content="")), sse(chunk(reasoning_content="hm")), sse(chunk(content="hi"), END)
    head = HEAD + b"Content-Length: %d\r\n\r\n" % sum(map(len, body))
    one = measured(raw([head + body[0], body[1], body[2]]), 0)
    assert one.ttft_s == pytest.approx(0.011)
    assert one.ttfc_s == pytest.approx(0.012)
    assert one.ttft_sent_s == pytest.approx(0.010), "the request was sent a millisecond after it was due"


def test_a_tool_call_is_a_token_event_and_no_content() -> None:
    call = chunk(tool_calls=[{"index": 0, "id": "a", "function": {"name": "refund", "arguments": ""}}])
    more = chunk(tool_calls=[{"index": 0, "function": {"arguments": "{}"}}])
    empty = chunk(tool_calls=[{"index": 0, "function": {"arguments": ""}}])
    one = measured(raw([streamed(sse(call, more, empty, END, b"[DONE]"))]), 0)
    assert (one.token_events, one.ttfc_s) == (2, None)


def test_usage_tells_the_tokens_and_without_it_they_are_estimated() -> None:
    usage = b'{"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}'
    told = measured(raw([streamed(sse(chunk(content="a"), chunk(content="b"), END, usage, b"[DONE]"))]), 0)
    assert (told.tokens, told.token_source, told.prompt_tokens) == (7, "usage", 5)
    guess = measured(raw([streamed(sse(chunk(content="a"), chunk(content="b"), END, b"[DONE]"))]), 0)
    assert (guess.tokens, guess.token_source) == (2, "events")


def test_itl_is_only_there_when_the_server_tells_tokens_per_event() -> None:
    def told(content: str, so_far: int) -> bytes:
        usage = {"completion_tokens": so_far}
        return json.dumps({"choices": [{"delta": {"content": content}}], "usage": usage}).encode()

    pieces = [HEAD + b"Connection: close\r\n\r\n" + sse(told("a", 1)), sse(told("bcd", 4)), sse(END)]
    one = measured(raw(pieces), 0)
    assert list(one.gaps) == pytest.approx([0.001])
    assert list(one.itl) == pytest.approx([0.001 / 3])
    silent = measured(raw([pieces[0], sse(chunk(content="b")), sse(END)]), 0)
    assert len(silent.itl) == 0


def test_tpot_is_the_time_between_first_and_last_over_the_tokens_between() -> None:
    usage = b'{"choices": [], "usage": {"completion_tokens": 9}}'
    parts = [sse(chunk(content="x")) for _ in range(5)]
    one = measured(raw([HEAD + b"\r\n" + parts[0], *parts[1:], sse(END, usage)]), 0)
    assert one.tpot_s == pytest.approx(0.004 / 8)
    assert one.e2e_s == pytest.approx(0.014), "from due to the last token, not to the end of the bytes"


@pytest.mark.parametrize(
    ("pieces", "how", "word"),
    [
        ([streamed(sse(chunk(content="a"), b'{"error": {"message": "no room"}}'))], COMPLETE, "error_in_stream"),
        ([streamed(sse(chunk(content="a")))], COMPLETE, "cut_stream"),
        ([streamed(sse(chunk(content="a"), END))[:-9]], CLOSED, "cut_stream"),
        ([streamed(sse(chunk(role="assistant"), END, b"[DONE]"))], COMPLETE, "empty"),
        ([b"HTTP/1.1 429 Too Many\r\nContent-Length: 2\r\n\r\n{}"], COMPLETE, "http_429"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"], COMPLETE, "error_in_stream"),
        ([b"SSH-2.0-OpenSSH\r\n"], CLOSED, "not_http"),
        ([], CLOSED, "connection"),
        ([streamed(b"")[:50]], TIMEOUT, "timeout"),
    ],
)
def test_what_went_wrong_has_a_word(pieces: list[bytes], how: int, word: str) -> None:
    one = measured(raw(pieces, how), 0)
    assert (one.ok, one.failure) == (False, word)
    assert one.e2e_s is None


def test_a_whole_reply_has_an_end_and_no_first_token() -> None:
    text = b'{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": {"completion_tokens": 3}}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text)
    one = measured(raw([head, text]), 0)
    assert (one.ok, one.streamed, one.ttft_s, one.tokens) == (True, False, None, 3)
    assert one.e2e_s == pytest.approx(0.011)


def test_events_of_one_read_are_counted_as_coalesced() -> None:
    one = measured(raw([streamed(sse(chunk(content="a"), chunk(content="b"), chunk(content="c"), END))]), 0)
    assert (one.token_events, one.coalesced) == (3, 2)


def test_completions_have_text() -> None:
    body = sse(b'{"choices": [{"text": "a"}]}', b'{"choices": [{"text": "", "finish_reason": "length"}]}')
    one = measured(raw([streamed(body)]), 0)
    assert (one.ok, one.token_events, one.finish_reason) == (True, 1, "length")


def test_a_line_of_the_file_is_the_request_again() -> None:
    one = measured(raw([streamed(sse(chunk(content="a"))), sse(chunk(content="b"))]), 0)
    again = Measured.from_json(json.loads(json.dumps(one.to_json())))
    assert again.to_json() == one.to_json()

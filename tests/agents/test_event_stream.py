from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.agents.event_stream import EventStream

LINES = st.sampled_from([b"data: a", b"data:b", b"data", b": note", b"event: x", b"id: 1", b"", b"data:  two", b"junk"])
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


def parsed(*pieces: bytes) -> list[bytes]:
    stream = EventStream(max_bytes=1000)
    events = [event for piece in pieces for event in stream.feed(piece)]
    last = stream.close()
    return events if last is None else [*events, last]


@given(st.lists(st.tuples(LINES, ENDS)), st.lists(st.integers(0, 200)))
def test_the_events_do_not_depend_on_where_the_bytes_were_cut(lines: list[tuple[bytes, bytes]], at: list[int]) -> None:
    text = b"".join(line + end for line, end in lines)
    cuts = sorted({min(place, len(text)) for place in at} | {0, len(text)})
    pieces = [text[low:high] for low, high in itertools.pairwise(cuts)]
    assert parsed(*pieces) == parsed(text)
    assert parsed(*[text[i : i + 1] for i in range(len(text))]) == parsed(text)


@given(st.lists(st.lists(st.text(alphabet="ab :{}", max_size=5), min_size=1), max_size=5), ENDS)
def test_what_is_written_as_events_is_read_as_the_same_events(events: list[list[str]], end: bytes) -> None:
    text = b"".join(b"".join(b"data: " + line.encode() + end for line in event) + end for event in events)
    assert parsed(text) == ["\n".join(event).encode() for event in events]


def test_comments_other_fields_and_a_byte_order_mark_are_read_over() -> None:
    assert parsed(b"\xef\xbb\xbfdata: 1\n\n: keep-alive\n\nevent: x\nretry: 3\n\ndata: 2\n\n") == [b"1", b"2"]


def test_only_one_space_after_the_colon_is_dropped() -> None:
    assert parsed(b"data:  x\n\ndata:y\n\n") == [b" x", b"y"]


def test_an_event_without_its_blank_line_comes_out_at_the_close() -> None:
    stream = EventStream(max_bytes=100)
    assert stream.feed(b"data: x") == []
    assert stream.close() == b"x"


@pytest.mark.parametrize("piece", [b"x" * 60, b"data: " + b"x" * 50 + b"\n", b"data\n" * 60])
def test_an_event_that_never_ends_is_refused_at_the_cap(piece: bytes) -> None:
    stream = EventStream(max_bytes=100)
    stream.feed(piece)
    with pytest.raises(OverflowError, match="more than 100 bytes"):
        stream.feed(piece)


def test_many_small_events_never_reach_the_cap() -> None:
    stream = EventStream(max_bytes=100)
    assert len([e for _ in range(200) for e in stream.feed(b"data: 0123456789\n\n")]) == 200

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.results.lines import decode, encode, plain, to_bytes


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no")


def deep(levels: int) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ({(1, 2): 3}, {"(1, 2)": 3}),
        (b"bytes", "b'bytes'"),
        (Rude(), "<Rude that cannot be shown: RuntimeError>"),
        ({1, 2} - {2}, "{1}"),
        (10**5000, hex(10**5000)),
    ],
    ids=["nan", "infinity", "tuple key", "bytes", "rude object", "set", "huge number"],
)
def test_what_json_cannot_say_becomes_a_text_that_shows_it(value: Any, expected: Any) -> None:
    assert decode(to_bytes(encode({"value": value})))["value"] == expected


def test_a_value_nested_without_end_is_cut_and_the_record_is_kept() -> None:
    loop: list[Any] = []
    loop.append(loop)
    record = decode(to_bytes(encode({"case_id": "c", "deep": deep(100_000), "loop": loop})))
    assert record["case_id"] == "c"
    assert "nested more than 200 deep" in json.dumps(record["loop"])


def test_a_line_that_could_be_written_can_be_read_from_any_depth_of_the_stack() -> None:
    line = encode({"deep": deep(600)})

    def from_depth(levels: int) -> Any:
        return decode(line) if levels == 0 else from_depth(levels - 1)

    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1  # type: ignore[assignment]
    assert from_depth(sys.getrecursionlimit() - used - 60)["deep"] == deep(600)


def test_a_line_of_nothing_but_brackets_is_an_error_not_a_crash() -> None:
    with pytest.raises(ValueError, match="cannot be parsed"):
        decode(b"[" * 200_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(JSON)
def test_any_json_value_comes_back_from_one_line_of_valid_utf8(value: Any) -> None:
    line = to_bytes(encode({"value": value}))
    assert line.count(b"\n") == 1
    line.decode()
    assert decode(line) == {"value": value}
    assert plain(value) == value

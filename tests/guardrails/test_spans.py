"""Spans: joined, redacted and carried back to the original, whatever was undone to find them."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.guardrails.spans import Span, checked_category, join, placeholder, redact, without
from harness.guardrails.spans.json_text import is_json, may_be_json, redact_json
from harness.guardrails.spans.view import HOLE, View, masked

SPANS = st.lists(
    st.builds(
        lambda start, size, name, sure: Span(start, start + size, name, sure),
        st.integers(0, 50),
        st.integers(0, 12),
        st.sampled_from(["aa", "bb"]),
        st.floats(0, 1),
    ),
    max_size=12,
)


@given(SPANS)
def test_joined_spans_are_in_order_apart_and_cover_the_same_places(spans: list[Span]) -> None:
    joined = join(spans)
    assert all(one.end <= two.start for one, two in pairwise(joined))
    places = {at for one in spans for at in range(one.start, one.end)}
    assert {at for one in joined for at in range(one.start, one.end)} == places
    assert join(joined) == joined


@given(SPANS)
def test_joining_does_not_depend_on_the_order_of_finding(spans: list[Span]) -> None:
    assert join(reversed(spans)) == join(spans)


def test_touching_spans_stay_two_and_overlapping_ones_take_the_first_name() -> None:
    assert [one.category for one in join([Span(0, 3, "aa", 1), Span(3, 5, "bb", 1)])] == ["aa", "bb"]
    assert join([Span(2, 9, "bb", 0.4), Span(0, 3, "aa", 0.9)]) == [Span(0, 9, "aa", 0.9)]


@given(SPANS)
def test_holes_are_cut_out_of_spans_and_nothing_else_is(spans: list[Span]) -> None:
    holes = [(5, 8), (20, 21), (30, 40)]
    inside = {at for start, end in holes for at in range(start, end)}
    kept = {at for one in without(spans, holes) for at in range(one.start, one.end)}
    assert kept == {at for one in spans for at in range(one.start, one.end)} - inside


def test_redacting_keeps_what_lies_between() -> None:
    assert redact("a12b34c", [Span(1, 3, "nn", 1), Span(4, 6, "nn", 1)], lambda _: "#") == "a#b#c"


@pytest.mark.parametrize("name", ["Email", "e", "with space", "4digits", "a" * 40, "tw12o", "x-y", None])
def test_a_category_that_could_hide_a_number_or_break_json_is_refused(name: object) -> None:
    with pytest.raises(UsageError, match="employee_id"):
        checked_category(name)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\\u0040b", "a@b"),
        ("a\\\\\\u0040b", "a@b"),
        ("a\\x40b", "a@b"),
        ("one\\ntwo", "one\ntwo"),
        ("a%40b", "a@b"),
        ("100% sure", "100% sure"),
        ("a&#64;b &amp; &#x40; &nope;", "a@b & @ &nope;"),
        ("1\u200b2\u00ad3", "123"),
        ("\uff11\uff12\uff13 \uff41\uff20\uff42", "123 a@b"),
        ("1\u20112\u00a03", "1-2 3"),
        ("\U0001d7d9\U0001d7da", "12"),
        ("\\ud835\\udfd9", "1"),
        ("٣४", "34"),
        ("\U000e0031\U000e0032", "12"),
        (f"x {placeholder('email')} y", f"x {HOLE} y"),
        ("[redacted:4111 1111 1111 1111]", "[redacted:4111 1111 1111 1111]"),
        ("[vault:email:bcdfghjkmnpqrstv]!", HOLE + "!"),
        ("½ … ﬁ", "½ … ﬁ"),
    ],
)
def test_a_view_shows_what_a_text_says(text: str, seen: str) -> None:
    assert View(text).text == seen


def test_a_long_run_of_unseen_signs_is_left_so_that_far_things_do_not_become_neighbours() -> None:
    text = "1" + "\u200b" * 1000 + "2"
    assert View(text).text == text


@given(
    st.lists(st.sampled_from(["a", "1", "\\u0040", "%40", "&#64;", "\u200b", "é", "\\", "[redacted:email]", "x\u0301"]))
)
def test_every_place_of_a_view_leads_to_the_text_that_shows_it(parts: list[str]) -> None:
    text = "".join(parts)
    view = View(text)
    end = 0
    for at, sign in enumerate(view.text):
        start, stop = view.origin(at, at + 1)
        assert end <= start < stop <= len(text)
        assert View(text[start:stop]).text == sign or sign == "\\"
        end = stop


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_a_view_never_has_more_signs_than_its_text(text: str) -> None:
    assert len(View(text).text) <= len(text)


def test_what_is_sure_is_masked_sign_by_sign_and_what_is_not_stays() -> None:
    assert masked("ab cd ef", [Span(0, 2, "xx", 0.9), Span(3, 5, "xx", 0.2)]) == f"{HOLE}{HOLE} cd ef"


@pytest.mark.parametrize("text", ["{}", " [1] ", '{"a": 1}\n{"a": 2}\n', "[" + "9" * 5000 + "]", '["\\u0000"]'])
def test_objects_and_arrays_are_json_texts(text: str) -> None:
    assert is_json(text)
    assert all(may_be_json(text[:size]) for size in range(len(text)))


@pytest.mark.parametrize(
    "text", ["", "  ", "1", '"a"', "[link](x)", "{a: 1}", "[1", "[1] x", "[" * 100_000, "{'a': 1}"]
)
def test_other_texts_are_not(text: str) -> None:
    assert not is_json(text)


@given(
    st.recursive(
        st.text(max_size=8) | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    ),
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60))),
    st.booleans(),
)
def test_any_spans_taken_out_of_any_json_leave_json(
    value: object, places: list[tuple[int, int]], ascii_only: bool
) -> None:
    text = json.dumps([value], ensure_ascii=ascii_only)
    # Spans of guards never cut through an escape; these would, so escapes are left out of this test.
    if "\\" in text:
        return
    spans = join(Span(start, min(start + size, len(text)), "xx", 1) for start, size in places if start < len(text))
    json.loads(redact_json(text, spans, lambda piece: "#"))

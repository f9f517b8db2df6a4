"""Nothing an agent wrote may hide, reorder or drive a terminal."""

from __future__ import annotations

import unicodedata
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from hypothesis import given
from hypothesis import strategies as st

from harness.reporting.visible_text import bounded, one_line, visible

ANYTHING = st.text(st.characters(codec=None))


def test_escape_sequences_overrides_and_surrogates_are_spelled_out() -> None:
    assert visible("a\x1b[31mb") == "a\\x1b[31mb"
    assert visible("pass\u202eliaf") == "pass\\u202eliaf"
    assert visible("\ud800") == "\\ud800"
    assert visible("\U000e0041") == "\\U000e0041"


def test_newlines_tabs_emoji_and_scripts_stay() -> None:
    text = "one\n\ttwo \U0001f469\u200d\U0001f52c नमस्ते"
    assert visible(text) == text
    assert visible("a\r\nb") == "a\nb"


@given(ANYTHING)
def test_what_is_left_is_utf_8_and_xml_whatever_came_in(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert ElementTree.fromstring(f"<a>{escape(shown)}</a>").tag == "a"
    assert not any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in shown)


@given(ANYTHING, st.integers(1, 50))
def test_one_line_is_one_line_and_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert "\n" not in line
    assert len(line) <= limit


def test_a_cut_text_says_how_much_is_missing() -> None:
    assert bounded("x" * 10, 4) == "xxxx… (cut, 6 more characters; the whole text is in the journal)"

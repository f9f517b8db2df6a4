"""PiiGuard: nothing missed, little taken for what it is not, places exact, JSON stays JSON, no value in the open."""

from __future__ import annotations

import json
import os
import random
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.decision import Event
from harness.core.errors import UsageError
from harness.guardrails.pii import PiiGuard
from harness.guardrails.pii.address import is_address
from tests.guardrails.pii_values import TEMPLATES, VALUES, bare_order_number, date, order_number

ROOT = Path(__file__).parents[2]
EXTERNAL = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data")) / "pii"
GUARD = PiiGuard()
ROWS = [json.loads(line) for line in (ROOT / "golden_datasets/pii/cases.jsonl").read_text().splitlines()]

external = pytest.mark.skipif(not EXTERNAL.is_dir(), reason=f"the public data is not at {EXTERNAL}")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_every_golden_row_is_found_at_its_exact_places(row: dict) -> None:
    found = [{"start": one.start, "end": one.end, "category": one.category} for one in GUARD.detect(row["input"])]
    assert found == row["metadata"]["spans"]


@pytest.mark.parametrize("category", sorted(VALUES))
def test_no_value_of_three_thousand_is_missed_whatever_stands_around_it(category: str) -> None:
    chance = random.Random(f"pii {category}")
    missed = []
    for _ in range(3000):
        value, template = VALUES[category](chance), chance.choice(TEMPLATES)
        text = template.format(value)
        start = text.index(value)
        covered = any(one.start <= start and one.end >= start + len(value) for one in GUARD.detect(text))
        if not covered:
            missed.append(text)
    assert missed == []


@pytest.mark.parametrize("make", [order_number, bare_order_number, date], ids=lambda make: str(make.__name__))
def test_fewer_than_one_in_a_hundred_order_numbers_and_dates_are_taken_for_personal_data(make) -> None:
    chance = random.Random(f"benign {make.__name__}")
    texts = [make(chance) for _ in range(3000)]
    wrong = [text for text in texts if GUARD.detect(text)]
    assert len(wrong) < 0.01 * len(texts), wrong[:20]


@external
@pytest.mark.parametrize("name", ["presidio_generated_small.json", "presidio_synth_dataset_v2.json"])
def test_nothing_labelled_in_public_data_is_missed(name: str) -> None:
    ours = {"US_SSN", "CREDIT_CARD", "EMAIL_ADDRESS", "IP_ADDRESS", "IBAN_CODE"}
    missed = []
    for row in json.loads((EXTERNAL / name).read_text(encoding="utf-8")):
        found = GUARD.detect(row["full_text"])
        for span in row["spans"]:
            start, end = span["start_position"], span["end_position"]
            if span["entity_type"] in ours and not any(one.start <= start and one.end >= end for one in found):
                missed.append(span)
    assert missed == []


def isemail_rows() -> list[tuple[str, bool]]:
    rows = []
    for test in ET.parse(EXTERNAL / "isemail_tests.xml").getroot().iter("test"):
        # The file writes a control sign as the picture of it.
        raw = test.findtext("address") or ""
        address = "".join(chr(ord(sign) - 0x2400) if 0x2400 <= ord(sign) <= 0x2420 else sign for sign in raw)
        rows.append((address, test.findtext("category") != "ISEMAIL_ERR"))
    return rows


@external
def test_the_address_grammar_agrees_with_every_row_of_isemail() -> None:
    assert [address for address, valid in isemail_rows() if is_address(address) != valid] == []


@external
def test_every_valid_isemail_address_is_found_as_a_text_and_as_a_json_value() -> None:
    valid = [address for address, valid in isemail_rows() if valid]
    assert [address for address in valid if not GUARD.detect(address)] == []
    assert [address for address in valid if not GUARD.detect(json.dumps({"field": address}))] == []


@pytest.mark.parametrize("word", ["ssn", "social security number", "SSN:", '"socialSecurityNumber":', "tax id"])
def test_nine_bare_digits_are_an_ssn_where_words_say_so_and_nowhere_else(word: str) -> None:
    assert [one.category for one in GUARD.detect(f"{word} 536228710 ok")] == ["ssn"]
    assert GUARD.detect("item 536228710 ok") == ()


def test_a_card_in_an_order_number_is_let_through_but_its_grouped_twin_is_not() -> None:
    assert GUARD.detect("order number 4111111111111111") == ()
    assert [one.category for one in GUARD.detect("order number 4111 1111 1111 1111")] == ["credit_card"]
    assert [one.category for one in GUARD.detect("for order 12 charge 4111111111111111")] == ["credit_card"]


def test_a_lower_threshold_finds_what_was_too_doubtful() -> None:
    text = "order number 4111111111111111"
    assert [one.category for one in PiiGuard(threshold=0.2).detect(text)] == ["credit_card"]


@pytest.mark.parametrize(
    "hidden",
    ["536\u200b-22-\u200b8710", "\uff15\uff13\uff16-\uff12\uff12-\uff18\uff17\uff11\uff10",
     "536\u201122\u20138710", "536%2D22%2D8710", "536&#45;22&#45;8710",
     "\U0001d7d3\U0001d7d1\U0001d7d4-22-8710", "٥٣٦-٢٢-٨٧١٠", "536\\u002d22\\u002d8710", "5\u03003\u03006-22-8710",
     "\\n536-22-8710", "\U000e0035\U000e0033\U000e0036-22-8710"],
)  # fmt: skip
def test_an_ssn_in_disguise_is_found_and_redacted_whole(hidden: str) -> None:
    text = f"it is {hidden} ok"
    (found,) = GUARD.detect(text)
    assert found.category == "ssn"
    assert re.fullmatch(r"it is (?:\\n)?\[redacted:ssn\] ok", GUARD.redact(text))


def test_json_comes_back_as_json_with_keys_and_numbers_covered() -> None:
    given = '{"ssn": 536228710, "jane@example.com": [4111111111111111, -1.5e3, true], "n": {"ip": "192.0.2.1"}}'
    out = json.loads(GUARD.redact(given))
    assert out == {
        "ssn": "[redacted:ssn]",
        "[redacted:email]": ["[redacted:credit_card]", -1500.0, True],
        "n": {"ip": "[redacted:ipv4]"},
    }


def test_two_keys_that_are_redacted_alike_stay_two_keys() -> None:
    out = json.loads(GUARD.redact('{"a@example.com": 1, "b@example.com": 2}'))
    assert out == {"[redacted:email]": 1, "[redacted:email]#2": 2}
    rows = json.loads(GUARD.redact('[{"a@example.com": 1}, {"a@example.com": 2}]'))
    assert rows == [{"[redacted:email]": 1}, {"[redacted:email]": 2}]


def test_json_lines_stay_json_lines() -> None:
    out = GUARD.redact('{"ssn": 536228710}\n{"ssn": 457555462}\n')
    assert [json.loads(line) for line in out.splitlines()] == [{"ssn": "[redacted:ssn]"}] * 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.sampled_from(["jane@example.com", 4111111111111111, "536-22-8710", "x 192.0.2.1 y",
                                          '"quoted\\" a@b.co', "\\"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=6) | st.sampled_from(["ssn", "c@d.org", "e@f.org"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(json_values, st.booleans())
def test_any_json_stays_json_of_the_same_shape(value: object, ascii_only: bool) -> None:
    def shape(one: object) -> object:
        if isinstance(one, dict):
            return [shape(inner) for inner in one.values()]
        return [shape(inner) for inner in one] if isinstance(one, list) else "leaf"

    given_text = json.dumps(value, ensure_ascii=ascii_only)
    out = GUARD.redact(given_text)
    if isinstance(value, (dict, list)):
        assert shape(json.loads(out)) == shape(value)


PIECES = st.sampled_from(
    ["4111 1111 1111 1111", "4111111111111111", "536-22-8710", "536228710", " ssn ", "jane@example.com", "@", "a", ". ",
     " ", "\n", "call me at ", "415-555-0132", "+1 415 555 0132 x12", "GB82 WEST 1234 5698 7654 32", "192.0.2.1", "::1",
     "fe80::1", ":", "-", "1", "12", "4111 ", "order number ", "card ", "\\u0040", "\\n", "%40", "&#64;", "&", "\\",
     "\u200b", "é", "中文", "[redacted:email]", "[", "{", '"', "(at)", " (dot) ", "com", "x", "hello there my friend ",
     "the quick brown fox jumps over the lazy dog. ", "١٢٣", "[redacted:", "office", "0", "\ud83d", "visa ", "version "]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_redacting_twice_is_redacting_once_and_places_are_in_order_and_apart(text: str) -> None:
    once = GUARD.redact(text)
    assert GUARD.redact(once) == once
    end = 0
    for one in GUARD.detect(text):
        assert one.start is not None
        assert one.end is not None
        assert end <= one.start < one.end <= len(text)
        assert 0 <= one.confidence <= 1
        end = one.end


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.floats(0, 1), st.floats(0, 1))
def test_a_lower_threshold_and_a_further_pattern_never_uncover_anything(text: str, one: float, two: float) -> None:
    def covered(guard: PiiGuard) -> set[int]:
        return {at for found in guard.detect(text) for at in range(found.start or 0, found.end or 0)}

    low, high = sorted((one, two))
    assert covered(PiiGuard(threshold=high)) <= covered(PiiGuard(threshold=low))
    assert covered(PiiGuard(categories=("email", "ipv4"))) <= covered(GUARD)
    assert covered(GUARD) <= covered(PiiGuard(patterns={"greeting": "hello"}))


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["metadata"]["label"] == "attack"][::12], ids=lambda r: r["id"]
)
def test_a_megabyte_of_plain_words_before_or_behind_changes_nothing(row: dict) -> None:
    if row["input"].startswith("{"):
        pytest.skip("JSON with words around it is no JSON")
    padding = "The weather was fine and nobody said a word about it. " * 19_000
    alone = [(one.category, one.confidence, one.start, one.end) for one in GUARD.detect(" \n" + row["input"] + "\n ")]
    before = [
        (one.category, one.confidence, one.start - len(padding), one.end - len(padding))
        for one in GUARD.detect(padding + " \n" + row["input"] + "\n ")
    ]
    assert before == alone
    behind = GUARD.detect(" \n" + row["input"] + "\n " + padding)
    assert [(one.category, one.confidence, one.start, one.end) for one in behind] == alone


def test_the_decision_names_kinds_and_never_a_value() -> None:
    decision = GUARD.check(Event(kind="output", text="Write to jane@example.com or 192.0.2.1"))
    assert decision.action == "redact"
    assert decision.text == "Write to [redacted:email] or [redacted:ipv4]"
    assert decision.reason == "1 email, 1 ipv4"
    assert "jane" not in repr(decision)
    assert decision.fault == ""


def test_arguments_of_a_tool_call_are_read_where_there_is_no_text() -> None:
    decision = GUARD.check(Event(kind="tool_call", data={"tool": "send", "arguments": {"to": "jane@example.com"}}))
    assert json.loads(decision.text or "") == {"to": "[redacted:email]"}


def test_a_guard_told_to_block_blocks_and_gives_no_text() -> None:
    decision = PiiGuard(action="block").check(Event(kind="output", text="jane@example.com"))
    assert (decision.action, decision.text, decision.fault) == ("block", None, "")


def test_a_text_too_long_to_be_read_blocks_with_a_fault() -> None:
    decision = PiiGuard(max_chars=10).check(Event(kind="output", text="a" * 11))
    assert decision.action == "block"
    assert decision.fault.startswith("too long")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"categories": ("name",)}, "no category 'name'"),
        ({"threshold": 1.5}, "got 1.5"),
        ({"action": "allow"}, "got 'allow'"),
        ({"patterns": {"email": "x"}}, "another name"),
        ({"patterns": {"Badge 7": "x"}}, "employee_id"),
        ({"patterns": {"badge": "("}}, "does not compile"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_value(wrong: dict, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        PiiGuard(**wrong)


@pytest.mark.parametrize(
    "sign",
    ["1.1.1.", "123-45-", "a", "4111 ", "@", "a.", "a@", "+1", "::1 ", "DE12 ", "\\u0040", "%40", "(at)", "\u200b"],
)
def test_a_text_made_of_one_hostile_piece_is_judged_to_its_end(sign: str) -> None:
    text = sign * (60_000 // len(sign)) + " jane@example.com"
    assert GUARD.detect(text)[-1].end == len(text)

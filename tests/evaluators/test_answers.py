"""The evaluators that read the final answer, or everything that was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import Failure, UsageError
from harness.evaluators import Contains, ExactMatch, JsonSchema, NotContains, Numeric, Pattern
from harness.evaluators.numeric import numbers_in
from harness.testing import make_case, make_trajectory, score

BROKE = Failure(kind="timeout", message="too slow")


def test_contains_ignores_case_and_unicode_composition() -> None:
    got = score(
        Contains(), make_trajectory("Ihre Rückerstattung: CAFE\u0301"), make_case(contains=["rückERST", "café"])
    )
    assert got.passed
    assert "2 of 2" in got.reason


def test_contains_says_what_is_missing() -> None:
    got = score(Contains(), make_trajectory("no"), make_case(contains=["yes", "no"]))
    assert got.passed is False
    assert "1 of 2" in got.reason
    assert "'yes'" in got.reason


def test_an_answer_that_calls_a_tool_is_no_final_answer() -> None:
    trajectory = make_trajectory(None, calls=[("search", {"q": "refund"})])
    got = score(Contains(), trajectory, make_case(contains="refund"))
    assert got.passed is False
    assert "no final answer" in got.reason


def test_texts_given_to_the_constructor_override_the_case() -> None:
    assert score(Contains(texts=["b"]), make_trajectory("b"), make_case(contains="a")).passed


def test_not_contains_hears_every_turn_and_not_only_the_last() -> None:
    messages = [
        {"role": "user", "content": "the secret?"},
        {"role": "assistant", "content": "The SECRET is 42", "tool_calls": [{"function": {"name": "f"}}]},
        {"role": "assistant", "content": "I cannot say."},
    ]
    got = score(NotContains(), make_trajectory(messages=messages), make_case(not_contains="secret"))
    assert got.passed is False
    assert "message 1" in got.reason


def test_not_contains_does_not_hear_the_user_or_tools() -> None:
    trajectory = make_trajectory("fine", calls=[("f", {"q": "secret"}, "secret")], user="secret")
    assert score(NotContains(), trajectory, make_case(not_contains="secret")).passed


def test_a_forbidden_text_in_a_run_that_broke_off_was_said() -> None:
    assert (
        score(NotContains(), make_trajectory("secret", error=BROKE), make_case(not_contains="secret")).passed is False
    )
    assert not score(NotContains(), make_trajectory("fine", error=BROKE), make_case(not_contains="secret")).measured


@pytest.mark.parametrize(
    ("answer", "normalise", "ok"),
    [
        ("  Paris.\n", "text", True),
        ("PARIS", "text", True),
        ("Paris, France", "text", False),
        ("paris", "exact", False),
        ("Paris", "exact", True),
        ("The Paris!", "squad", True),
        ("The Paris", "text", False),
    ],
)
def test_exact_match_after_the_stated_normalisation(answer: str, normalise: str, ok: bool) -> None:
    got = score(ExactMatch(normalise=normalise), make_trajectory(answer), make_case(answer="Paris"))
    assert got.passed is ok
    assert normalise in got.reason


def test_any_of_several_answers_is_right() -> None:
    case = make_case(answer="four", answers=["4", "IV"])
    assert score(ExactMatch(), make_trajectory("iv"), case).passed
    assert score(ExactMatch(), make_trajectory("four"), case).passed
    assert score(ExactMatch(), make_trajectory("5"), case).passed is False


def test_an_expected_empty_answer_is_an_expectation() -> None:
    assert score(ExactMatch(), make_trajectory(""), make_case(answer="")).passed
    assert score(ExactMatch(), make_trajectory("x"), make_case(answer="")).passed is False


def test_an_unknown_normalisation_is_refused_when_it_is_declared() -> None:
    with pytest.raises(UsageError, match="squad"):
        ExactMatch(normalise="loose")  # type: ignore[arg-type]


def test_pattern_is_searched_anywhere_and_may_carry_its_flags() -> None:
    assert score(Pattern(), make_trajectory("order d-17 sent"), make_case(pattern=r"(?i)D-\d+")).passed
    assert score(Pattern(), make_trajectory("order d-17 sent"), make_case(pattern=r"D-\d+")).passed is False


def test_pattern_reads_a_bounded_part_of_a_huge_answer_and_says_so() -> None:
    # Quadratic in the length: unbounded, this would take minutes on ten million characters.
    got = score(Pattern(), make_trajectory("a" * 10_000_000), make_case(pattern=".*b"))
    assert got.passed is False
    assert "first 20,000 of 10,000,000" in got.reason
    assert len(got.reason) < 500


def test_a_pattern_that_is_none_is_refused_with_its_text() -> None:
    with pytest.raises(UsageError, match=r"\[unclosed"):
        Pattern(pattern="[unclosed")


SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("answer", "ok"),
    [
        ('{"id": 1}', True),
        ('```json\n{"id": 1}\n```', True),
        ('Here you are:\n```\n{"id": 1}\n```\nBye', True),
        ('{"id": "1"}', False),
        ("{}", False),
        ("not json", False),
        ('{"id": NaN}', False),
        ('```\n{"id": 1}\n```\n```\n{"id": 2}\n```', False),
        ("[" * 100_000, False),
    ],
)
def test_json_schema_judges_the_answer(answer: str, ok: bool) -> None:
    assert score(JsonSchema(), make_trajectory(answer), make_case(json_schema=SCHEMA)).passed is ok


def test_json_schema_names_the_path_of_the_error() -> None:
    got = score(JsonSchema(), make_trajectory('{"id": "x"}'), make_case(json_schema=SCHEMA))
    assert "$.id" in got.reason


def test_a_wrong_schema_judges_nothing() -> None:
    got = score(JsonSchema(), make_trajectory("{}"), make_case(json_schema={"type": "objekt"}))
    assert not got.measured
    assert got.error_kind == "harness"


def test_a_reference_to_the_outside_is_not_fetched() -> None:
    got = score(JsonSchema(), make_trajectory("{}"), make_case(json_schema={"$ref": "http://127.0.0.1:9/schema.json"}))
    assert not got.measured
    assert "127.0.0.1:9" in got.reason


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is 42.", ["42"]),
        ("$1,234.50 in 3 days", ["1234.50", "3"]),
        ("1.234,56 EUR", ["1234.56"]),
        ("minus \u22123.5 and -4", ["-3.5", "-4"]),
        ("6.02e23", ["6.02E+23"]),
        ("0,5 and 1'000'000", ["0.5", "1000000"]),
        ("v1.2.3 x7y", []),
        ("12:30", ["12", "30"]),
        ("5%", ["5"]),
        ("(7)", ["7"]),
        ("none", []),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, numbers: list[str]) -> None:
    assert [str(n) for n in numbers_in(text)] == numbers


@given(st.text(alphabet="0123456789.,-+eE '_\u2212x", max_size=60))
def test_reading_numbers_never_raises(text: str) -> None:
    for number in numbers_in(text):
        assert number.is_finite()


@given(st.integers(-(10**9), 10**9), st.integers(0, 4))
def test_a_number_written_with_thousands_separators_is_read_back(whole: int, decimals: int) -> None:
    written = f"{whole:,.{decimals}f}" if decimals else f"{whole:,}"
    assert numbers_in(f"a {written} b") == [whole]


def test_numeric_compares_in_decimals() -> None:
    # In binary floats 0.3 - 0.1 is more than 0.2 away from 0.1.
    assert score(Numeric(), make_trajectory("0.3"), make_case(number=0.1, tolerance=0.2)).passed
    assert score(Numeric(), make_trajectory("0.3001"), make_case(number=0.1, tolerance=0.2)).passed is False


def test_numeric_which_decides_what_counts_as_given() -> None:
    trajectory, case = make_trajectory("41 or 42, in 5 days"), make_case(number=42)
    assert score(Numeric(which="any"), trajectory, case).passed
    assert score(Numeric(which="last"), trajectory, case).passed is False
    assert score(Numeric(which="only"), trajectory, case).passed is False


def test_nothing_expected_is_quiet_and_not_measured() -> None:
    for evaluator in (Contains(), NotContains(), ExactMatch(), Pattern(), JsonSchema(), Numeric()):
        got = score(evaluator, make_trajectory(), make_case())
        assert got.expected_nothing, evaluator
        assert not got.measured


def test_a_run_that_broke_off_is_not_measured_with_the_kind_that_broke() -> None:
    case = make_case(contains="x", answer="x", pattern="x", json_schema={}, number=1)
    for evaluator in (Contains(), ExactMatch(), Pattern(), JsonSchema(schema=SCHEMA), Numeric()):
        got = score(evaluator, make_trajectory("x 1", error=BROKE), case)
        assert got.error_kind == "timeout", evaluator
        assert not got.expected_nothing

"""The table of the rules in the docstring of numbers.py, and the rule that matters most as a property."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reporting import numbers


@pytest.mark.parametrize(
    ("value", "limits", "text"),
    [
        (0.923, (), "92.3%"),
        (1.0, (), "100%"),
        (0.0, (), "0%"),
        (0.9996, (), "99.96%"),
        (0.99996, (), "99.996%"),
        (0.0004, (), "0.04%"),
        (0.89996, (0.9,), "89.996%"),
        (0.9, (0.9,), "90.0%"),
        (0.9000001, (0.9,), "90.00001%"),
        (1 - 1e-15, (), ">99.999999999%"),
        (1e-15, (), "<0.000000001%"),
        (None, (), "not measured"),
        (float("nan"), (), "not a number"),
    ],
)
def test_a_share_is_never_rounded_onto_a_limit(value: float | None, limits: tuple[float, ...], text: str) -> None:
    assert numbers.share(value, limits=limits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9996, "0.9996"),
        (1.0, "1"),
        (0.0, "0"),
        (2.134, "2.13"),
        (12345.0, "12,345"),
        (12345.678, "12,346"),
        (0.000123456, "0.000123"),
        (-0.5, "-0.500"),
        (1e-12, "1.00e-12"),
        (float("inf"), "not a number"),
        (None, "not measured"),
    ],
)
def test_a_plain_number_keeps_three_digits_and_stays_off_one(value: float | None, text: str) -> None:
    assert numbers.plain(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 s"),
        (0.00041, "0.41 ms"),
        (0.412, "412 ms"),
        (0.9997, "999.7 ms"),
        (1.237, "1.24 s"),
        (59.97, "59.97 s"),
        (125.9, "2 min 05 s"),
        (3599.9, "59 min 59 s"),
        (3780.0, "1 h 03 min"),
        (-0.5, "-500 ms"),
        (None, "not measured"),
    ],
)
def test_a_time_is_never_rounded_up_into_the_next_unit(value: float | None, text: str) -> None:
    assert numbers.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal(0), "$0.00"),
        (Decimal("12.4"), "$12.40"),
        (Decimal("1234567.891"), "$1,234,567.89"),
        (Decimal("0.00144"), "$0.0014"),
        (Decimal("0.0000031"), "$0.0000031"),
        (Decimal("1E-12"), "$0.0000000000010"),
        (Decimal("-2"), "-$2.00"),
        (None, "not measured"),
    ],
)
def test_money_that_is_not_nothing_is_never_printed_as_nothing(value: Decimal | None, text: str) -> None:
    assert numbers.usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(-0.021, "-2.1 points"), (0.5, "+50.0 points"), (0.0, "0 points"), (1e-5, "+0.001 points")]
)
def test_a_difference_carries_its_sign(value: float, text: str) -> None:
    assert numbers.points(value) == text


@given(st.floats(0, 1), st.floats(0, 1))
def test_printed_and_true_shares_lie_on_the_same_side_of_the_limit(value: float, limit: float) -> None:
    text = numbers.share(value, limits=(limit,)).rstrip("%")
    if text[0] in "<>":
        return
    shown, bound = Decimal(text) / 100, Decimal(repr(limit))
    true = Decimal(repr(value))
    assert (shown > bound) - (shown < bound) == (true > bound) - (true < bound)


def test_an_unknown_bound_is_a_question_mark_and_not_a_number() -> None:
    assert numbers.points_interval(None, 0.01) == "[?, +1.0] points"
    assert numbers.n_of(3, 1200) == "3 of 1,200"
    assert numbers.size(64_000) == "64.0 kB"
    assert numbers.measured(None, "tokens") == "not measured"
    assert numbers.measured(3, "calls") == "3 calls"

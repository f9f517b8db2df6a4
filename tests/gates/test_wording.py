from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gates.wording import number


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (0.9, None, "0.900"),
        (0.89996, 0.9, "0.89996"),
        (0.9, 0.9, "0.900"),
        (0.94999999, 0.95, "0.94999999"),
        (1.0, None, "1.000"),
        (0.00012345, None, "0.000123"),
        (0.0, 0.9, "0.000"),
        (None, 0.9, "none"),
    ],
)
def test_a_number_is_never_rounded_onto_its_limit(value: float | None, limit: float | None, text: str) -> None:
    assert number(value, limit=limit) == text


@given(value=st.floats(0, 1), limit=st.floats(0.001, 1).map(lambda x: round(x, 3)))
def test_what_is_printed_stands_on_the_same_side_of_the_limit(value: float, limit: float) -> None:
    shown = float(number(value, limit=limit))
    assert abs(value - limit) < 1e-12 or (shown > limit) == (value > limit)
    assert abs(value - limit) < 1e-12 or (shown == limit) == (value == limit)

"""Intervals and curves as coordinates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.blocks import Curve, Interval, Series
from harness.reporting.drawing import drawn, plot


def test_the_tone_says_on_which_side_of_the_limit_the_whole_interval_lies() -> None:
    assert drawn(Interval(estimate=0.95, low=0.92, high=0.97, limit=0.9)).tone == "good"
    assert drawn(Interval(estimate=0.95, low=0.88, high=0.97, limit=0.9)).tone == "warn"
    assert drawn(Interval(estimate=0.8, low=0.7, high=0.85, limit=0.9)).tone == "bad"
    assert drawn(Interval(estimate=0.95, low=0.92, high=0.97)).tone == ""


def test_an_unknown_bound_runs_to_the_end_of_the_scale_without_a_mark() -> None:
    picture = drawn(Interval(estimate=1.6, low=1.4, minimum=0.0, maximum=2.0))
    assert picture.open_high
    assert not picture.open_low
    assert picture.high == "98.00%"


def test_nothing_measured_draws_nothing() -> None:
    picture = drawn(Interval(estimate=None))
    assert (picture.dot, picture.low, picture.high) == (None, None, None)


@given(
    st.floats(-2, 2) | st.none(),
    st.floats(-2, 2) | st.none(),
    st.floats(-2, 2) | st.none(),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_whatever_is_drawn_stays_inside_the_picture(
    estimate: float | None, low: float | None, high: float | None, minimum: float, maximum: float
) -> None:
    picture = drawn(Interval(estimate=estimate, low=low, high=high, minimum=minimum, maximum=maximum))
    for place in (picture.dot, picture.low, picture.high):
        assert place is None or 0 <= float(place.rstrip("%")) <= 100


def test_counts_on_an_axis_get_whole_marks() -> None:
    curve = Curve(
        series=(Series(name="a", points=((1, 0.9), (2, 0.8), (3, 0.7))),), x_label="k", y_label="share of cases"
    )
    assert [text for _, text in plot(curve).x_ticks] == ["1", "2", "3"]
    assert [text for _, text in plot(curve).y_ticks] == ["0%", "20%", "40%", "60%", "80%", "100%"]


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=6))
def test_any_points_can_be_plotted(points: list[tuple[float, float]]) -> None:
    plot(Curve(series=(Series(name="a", points=tuple(points)),), x_label="x", y_label="y"))


@pytest.mark.parametrize("tiny", [5e-324, 1e-300, 1e-120])
def test_a_scale_too_small_for_numbers_is_drawn_as_nothing(tiny: float) -> None:
    made = plot(Curve(x_label="x", y_label="y", series=(Series(name="s", points=((0.0, tiny), (tiny, 0.0))),)))
    assert len({mark for _, mark in made.y_ticks}) > 1

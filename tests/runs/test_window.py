"""The window: how many trials may be in flight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import Failure, UsageError
from harness.runs.window import MAXIMUM, START, Window

PROVIDER = Failure(kind="provider", message="busy", reason="rate_limited")


def finish(window: Window, count: int, latency_s: float = 0.05, failure: Failure | None = None) -> None:
    for _ in range(count):
        window.finished(latency_s, failure)


def test_it_starts_at_32_and_grows_eightfold_while_latency_stays_at_its_best():
    window = Window()
    assert window.size == START
    finish(window, 32)
    assert window.size == 256
    finish(window, 256)
    assert window.size == MAXIMUM, "never above 1,000"


def test_it_shrinks_when_latency_grows_beyond_three_times_the_best():
    window = Window()
    finish(window, 32, 0.05)
    finish(window, 128, 0.05)
    before = window.size
    finish(window, before, 0.4)
    assert window.size == int(before * 0.75)


def test_a_lost_trial_halves_it_once_per_window_and_not_once_per_trial():
    window = Window()
    finish(window, 32)
    assert window.size == 256
    finish(window, 100, failure=PROVIDER)
    assert window.size == 128
    finish(window, 60, failure=PROVIDER)
    assert window.size == 64


def test_failures_of_the_agents_own_say_nothing_about_the_provider():
    window = Window()
    finish(window, 32, failure=Failure(kind="agent", message="bug"))
    assert window.size == 256


def test_a_fixed_window_learns_nothing():
    window = Window(fixed=7)
    finish(window, 500, 0.001)
    finish(window, 500, 10, PROVIDER)
    assert window.size == 7


@pytest.mark.parametrize(("fixed", "share", "size"), [(8, 2, 4), (7, 2, 3), (1, 4, 1), (None, 2, 16), (None, 64, 1)])
def test_workers_divide_it_and_each_keeps_at_least_one(fixed, share, size):
    assert Window(fixed=fixed, share=share).size == size


def test_all_workers_together_never_pass_a_thousand():
    window = Window(share=4)
    finish(window, 3000, 0.01)
    assert window.size == 250


def test_it_is_never_smaller_than_what_keeps_the_providers_busy_unless_it_is_fixed():
    assert Window(floor=lambda: 200).size == 200
    assert Window(floor=lambda: 5000).size == MAXIMUM
    assert Window(fixed=3, floor=lambda: 200).size == 3


@pytest.mark.parametrize("fixed", [0, -1])
def test_a_window_of_nothing_is_refused(fixed):
    with pytest.raises(UsageError, match=f"at least 1 or 'auto', got {fixed}"):
        Window(fixed=fixed)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from([None, PROVIDER])), max_size=400),
    st.integers(1, 2000),
)
def test_whatever_happens_it_stays_between_one_and_its_maximum(trials, share):
    window = Window(share=share)
    for latency_s, failure in trials:
        window.finished(latency_s, failure)
        assert 1 <= window.size <= window.maximum <= MAXIMUM

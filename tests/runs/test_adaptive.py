"""The window of one provider: when it grows, when it holds, when it halves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.runs.adaptive import AdaptiveWindow


def trip(window: AdaptiveWindow, latency_s: float = 0.2) -> None:
    """One round trip: as many replies as the window had places."""
    for _ in range(window.size):
        window.succeeded(latency_s, epoch=window.epoch, in_flight=window.size)


def test_reaches_the_ceiling_in_two_round_trips_of_a_healthy_provider() -> None:
    window = AdaptiveWindow()
    sizes = [window.size]
    for _ in range(4):
        trip(window)
        sizes.append(window.size)
    assert sizes == [32, 256, 1000, 1000, 1000]


def test_a_volley_of_refusals_halves_once_and_not_once_per_refusal() -> None:
    window = AdaptiveWindow(start=100)
    epoch = window.epoch
    for _ in range(100):
        window.overloaded(epoch=epoch)
    assert window.size == 50


def test_refusals_of_later_requests_halve_again_down_to_one_and_never_to_none() -> None:
    window = AdaptiveWindow(start=100)
    for _ in range(20):
        window.overloaded(epoch=window.epoch)
    assert window.size == 1


def test_after_a_refusal_it_probes_by_a_quarter_per_trip_instead_of_growing_eightfold() -> None:
    window = AdaptiveWindow(start=200)
    window.overloaded(epoch=window.epoch)
    trip(window)
    assert 120 <= window.size <= 126


def test_replies_to_requests_from_before_the_halving_do_not_undo_it() -> None:
    window = AdaptiveWindow(start=100)
    before = window.epoch
    window.overloaded(epoch=before)
    for _ in range(60):
        window.succeeded(0.1, epoch=before, in_flight=100)
    assert window.size == 50


def test_holds_while_latency_is_above_twice_the_best_and_grows_again_afterwards() -> None:
    window = AdaptiveWindow()
    trip(window, 0.2)
    grown = window.size
    for _ in range(3):
        trip(window, 0.9)
    held = window.size
    # The batch in which slowness shows was still growing; after it nothing does.
    assert held <= grown + 3 * 64
    trip(window, 0.9)
    assert window.size == held
    trip(window, 0.2)
    trip(window, 0.2)
    assert window.size > held


def test_a_window_that_is_not_used_does_not_grow() -> None:
    window = AdaptiveWindow()
    for _ in range(1000):
        window.succeeded(0.1, epoch=0, in_flight=3)
    assert window.size == 32


def test_a_broken_provider_stops_growth_but_does_not_shrink_the_window() -> None:
    window = AdaptiveWindow(start=64)
    window.broken()
    for _ in range(32):
        window.succeeded(0.1, epoch=0, in_flight=64)
    assert window.size == 64
    trip(window)
    assert 64 < window.size <= 81


def test_a_fixed_window_stays_as_it_is() -> None:
    window = AdaptiveWindow.fixed(7)
    trip(window)
    window.overloaded(epoch=window.epoch)
    window.broken()
    assert window.size == 7


@given(st.lists(st.tuples(st.sampled_from(["ok", "no", "500"]), st.floats(0, 1e6), st.integers(1, 1000))))
def test_never_leaves_its_bounds(events: list[tuple[str, float, int]]) -> None:
    window = AdaptiveWindow(start=32, minimum=2, maximum=60)
    for what, latency_s, in_flight in events:
        if what == "ok":
            window.succeeded(latency_s, epoch=window.epoch, in_flight=in_flight)
        elif what == "no":
            window.overloaded(epoch=window.epoch)
        else:
            window.broken()
        assert 2 <= window.size <= 60


def test_impossible_bounds_are_refused_with_their_values() -> None:
    with pytest.raises(UsageError, match="start=0"):
        AdaptiveWindow(start=0)

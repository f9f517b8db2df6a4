from __future__ import annotations

import random

import pytest

from harness.stats.growth import growth


def test_a_leak_under_noise_is_shown_and_measured() -> None:
    draw = random.Random(1)
    levels = [1e6 + 100.0 * 50 * batch + draw.gauss(0, 500) for batch in range(25)]
    found = growth(levels, 50)
    assert found.answer(16) == "fail"
    assert found.per_call.value == pytest.approx(100, abs=20)


def test_a_cache_that_fills_once_is_no_leak() -> None:
    levels = [1000.0] * 5 + [1064.0] * 20
    assert growth(levels, 50).answer(1) == "pass"


def test_a_leak_in_rare_bursts_does_not_pass() -> None:
    # Two jumps of a growing table: the median rise is 0, what stays behind is not.
    levels = [0.0] * 8 + [10_000.0] * 8 + [30_000.0] * 9
    found = growth(levels, 10)
    assert found.per_call.value == 0.0
    assert found.answer(16) == "inconclusive"


def test_falling_memory_passes_and_too_few_readings_do_not() -> None:
    assert growth([5000.0 - 10 * batch for batch in range(25)], 1).answer(0) == "pass"
    assert growth([1.0, 1.0, 1.0], 1).answer(0) == "inconclusive"
    assert growth([1.0], 1).answer(0) == "inconclusive"
    assert growth([], 1).per_call.value is None


def test_a_reading_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        growth([1.0, float("nan")], 1)

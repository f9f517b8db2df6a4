from __future__ import annotations

import math
import random

import pytest

from harness.stats.ratio import paired_ratio, shifted, unpaired_ratio


def pairs(count: int, ratio: float, noise: float, seed: int) -> tuple[list[float], list[float]]:
    draw = random.Random(seed)
    # Both sides share a drift that is far larger than the difference: only pairing finds it.
    drift = [math.exp(draw.gauss(0, 0.5)) for _ in range(count)]
    first = [level * math.exp(draw.gauss(0, noise)) for level in drift]
    second = [ratio * level * math.exp(draw.gauss(0, noise)) for level in drift]
    return first, second


def test_ten_percent_is_found_in_five_pairs_under_a_drift_of_fifty() -> None:
    found = [shifted(paired_ratio(*pairs(5, 1.1, 0.02, seed))).answer for seed in range(100)]
    assert found.count("slower") >= 80


@pytest.mark.parametrize("count", [5, 10, 20])
def test_equal_sides_are_flagged_in_at_most_two_percent(count: int) -> None:
    flagged = sum(
        shifted(paired_ratio(*pairs(count, 1.0, 0.05, seed), resamples=500)).answer != "not shown"
        for seed in range(400)
    )
    # 400 draws at a true 1.5 %: more than 14 would happen in less than one in a hundred runs; seeds are fixed.
    assert flagged <= 14


def test_the_interval_from_few_pairs_is_student_t_of_the_logs() -> None:
    found = paired_ratio([1.0, 1.0, 1.0], [1.1, 1.2, 1.3], level=0.95)
    logs = [math.log(value) for value in (1.1, 1.2, 1.3)]
    mean = sum(logs) / 3
    error = math.sqrt(sum((value - mean) ** 2 for value in logs) / 2 / 3)
    assert found.value == pytest.approx(math.exp(mean))
    assert found.low == pytest.approx(math.exp(mean - 4.302653 * error), rel=1e-5)
    assert found.note == "only 3 pairs"


def test_the_same_seed_gives_the_same_interval_and_sides_swapped_give_the_inverse() -> None:
    first, second = pairs(12, 1.05, 0.02, 3)
    forward, again, back = paired_ratio(first, second), paired_ratio(first, second), paired_ratio(second, first)
    assert (forward.low, forward.high) == (again.low, again.high)
    assert forward.value is not None
    assert back.value == pytest.approx(1 / forward.value)


@pytest.mark.parametrize(("first", "second"), [([1.0], [2.0]), ([1.0, 2.0], [2.0, 4.0])])
def test_without_spread_there_is_no_interval_and_nothing_is_shown(first: list[float], second: list[float]) -> None:
    found = paired_ratio(first, second)
    assert found.value == pytest.approx(2.0)
    assert (found.low, found.high) == (None, None)
    assert shifted(found).answer == "not shown"


def test_nothing_measured_is_no_number_and_impossible_times_are_refused() -> None:
    assert paired_ratio([], []).value is None
    with pytest.raises(ValueError, match=r"above 0, got 0\.0"):
        paired_ratio([0.0], [1.0])
    with pytest.raises(ValueError, match="as many of each"):
        paired_ratio([1.0], [])


def test_two_sessions_are_compared_by_their_geometric_means() -> None:
    found = unpaired_ratio([1.0, 1.01, 0.99, 1.0], [1.2, 1.21, 1.19, 1.2])
    assert found.value == pytest.approx(1.2, rel=1e-3)
    assert found.low is not None
    assert 1.1 < found.low < 1.2
    assert "not interleaved" in found.method

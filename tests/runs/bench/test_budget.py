from __future__ import annotations

import random

import pytest

from harness.core.errors import UsageError
from harness.runs.bench.budget import Budget, Finding, judge


class Ticking:
    """A clock that moves by what the test says, so that no real time decides."""

    def __init__(self, *steps: float) -> None:
        self.now, self.steps, self.calls = 0.0, steps, 0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    def work(self) -> None:
        self.now += self.steps[self.calls % len(self.steps)]
        self.calls += 1


def one(budget: Budget, *steps: float) -> Finding:
    clock = Ticking(*steps)
    return judge(budget, clock.work, clock=clock)[0]


def test_calls_well_inside_pass_and_the_bound_says_so() -> None:
    found = one(Budget(p95_s=0.05, within_s=60), 0.010, 0.012, 0.011)
    assert found.answer == "pass"
    assert found.high is not None
    assert found.high <= 0.05
    assert found.n >= 60  # five calls cannot bound a 95 % quantile, so it went on by itself


def test_calls_outside_fail() -> None:
    found = one(Budget(p50_s=0.005), 0.010, 0.012, 0.011)
    assert found.answer == "fail"
    assert "over 0.005 s" in found.reason


def test_a_slow_tail_is_found_although_the_mean_is_fine() -> None:
    draw = random.Random(3)
    steps = [0.2 * draw.lognormvariate(0, 0.1) if draw.random() < 0.1 else 0.001 for _ in range(5000)]
    assert one(Budget(mean_s=0.05, within_s=200), *steps).answer == "pass"
    assert one(Budget(p95_s=0.05, within_s=200), *steps).answer == "fail"


def test_without_time_to_go_on_five_calls_do_not_settle_a_tail() -> None:
    found = one(Budget(p99_s=1.0, within_s=0), 0.010)
    assert found.answer == "inconclusive"
    assert found.high is None
    assert "more calls" in found.needs


def test_one_slow_stretch_widens_the_bounds_more_than_scattered_slow_calls() -> None:
    def bounds(times: list[float]) -> float:
        found = judge(Budget(p90_s=10, within_s=0), lambda: None, times=times)[0]
        assert found.low is not None
        assert found.high is not None
        return found.high - found.low

    scattered = [1.0 + (0.001 * i if i % 8 else 5.0 + 0.001 * i) for i in range(1200)]
    stretch = sorted(scattered)
    assert bounds(stretch) > bounds(scattered)


def test_peak_memory_is_a_budget_too() -> None:
    assert judge(Budget(memory_mb=2), lambda: bytes(1_000_000))[0].answer == "pass"
    assert judge(Budget(memory_mb=0.5), lambda: bytes(1_000_000))[0].answer == "fail"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "at least one of mean_s"),
        ({"p95_ms": 5}, "no 'p95_ms'; there is mean_s"),
        ({"p95_s": 0}, "must be a number above 0, got 0"),
        ({"p95_s": True}, "must be a number above 0, got True"),
        ({"p95_s": 1, "confidence": 0.3}, "between 0.5 and 1"),
        ({"p95_s": 1, "within_s": -1}, "between 0 and 600"),
    ],
)
def test_a_budget_that_cannot_be_meant_names_the_place_and_what_exists(given: dict[str, float], says: str) -> None:
    with pytest.raises(UsageError, match=f"test_x: .*{says}"):
        Budget.from_marker((), given, where="test_x")

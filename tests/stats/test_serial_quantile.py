from __future__ import annotations

import random

import pytest

from harness.stats.quantiles import quantile_bounds
from harness.stats.serial_quantile import serial_quantile_bounds


def series(seed: int, alike: float, n: int = 1500) -> list[float]:
    """Values with the standard normal distribution whatever the likeness of neighbours (AR(1))."""
    draw = random.Random(seed)
    value, out = draw.gauss(0, 1), []
    for _ in range(n):
        value = alike * value + (1 - alike * alike) ** 0.5 * draw.gauss(0, 1)
        out.append(value)
    return out


@pytest.mark.parametrize(("alike", "least"), [(0.0, 0.9), (0.8, 0.85), (0.95, 0.75)])
def test_both_bounds_hold_the_truth_although_neighbours_are_alike(alike: float, least: float) -> None:
    truth, held, naive = 1.2815515655446004, 0, 0  # the 90 % quantile
    for seed in range(100):
        values = series(seed, alike)
        low, high = serial_quantile_bounds(values, 0.9, confidence=0.975)
        held += low is not None and high is not None and low <= truth <= high
        low, high = quantile_bounds(values, 0.9, confidence=0.975)
        naive += low is not None and high is not None and low <= truth <= high
    assert held >= 100 * least
    if alike >= 0.8:
        assert naive < held


def test_few_values_are_taken_as_independent_and_a_missing_bound_is_none() -> None:
    assert serial_quantile_bounds(range(20), 0.95) == quantile_bounds(range(20), 0.95)
    assert serial_quantile_bounds(range(20), 0.95)[1] is None


def test_equal_values_are_their_own_bounds() -> None:
    assert serial_quantile_bounds([2.0] * 100, 0.5) == (2.0, 2.0)

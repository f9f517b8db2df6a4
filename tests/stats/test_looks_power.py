"""Planned looks against a fixed number: what is promised is what happens."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from harness.stats.sequential.looks_power import looks_for, looks_power
from harness.stats.sequential.spending import even_looks, look_levels


def test_power_and_average_agree_with_a_simulation() -> None:
    looks = even_looks(300, 5)
    made = looks_power(looks, fixed_power=0.85, alpha=0.025)
    random = np.random.default_rng(4)
    drift = (ndtri(0.85) - ndtri(0.025)) / np.sqrt(300)
    rows = 20_000
    score, done, used, before = np.zeros(rows), np.zeros(rows, dtype=bool), np.zeros(rows), 0
    for n, level in zip(looks, look_levels(looks, alpha=0.025), strict=True):
        score += random.normal(drift * (n - before), np.sqrt(n - before), rows)
        now = (score / np.sqrt(n) > -ndtri(level)) & ~done
        used[now] = n
        done |= now
        before = n
    used[~done] = 300
    assert made.passes == pytest.approx(done.mean(), abs=0.01)
    assert made.cases == pytest.approx(used.mean(), abs=2)


def test_one_look_is_the_fixed_test() -> None:
    made = looks_power([200], fixed_power=0.8)
    assert made.passes == pytest.approx(0.8, abs=1e-6)
    assert made.cases == 200


def test_more_looks_cost_a_little_at_most_and_save_more_on_average() -> None:
    plans = [looks_for(400, count, power=0.8) for count in (2, 4, 10)]
    most = [plan.looks[-1] for plan in plans if plan is not None]
    average = [plan.cases for plan in plans if plan is not None]
    assert most == sorted(most)
    assert most[-1] < 1.08 * 400
    assert average == sorted(average, reverse=True)
    assert average[-1] <= 0.85 * 400
    assert all(plan is not None and plan.passes >= 0.8 for plan in plans)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_a_power_of_nothing_or_everything_is_refused(power: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        looks_power([100], fixed_power=power)

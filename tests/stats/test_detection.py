from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.detection import Confusion, auc, confusion
from harness.stats.rates import wilson


def test_counts_leave_out_what_was_not_measured_and_say_how_many() -> None:
    made = confusion([True, True, False, False, None, True], [True, False, True, False, True, None])
    assert made == Confusion(caught=1, missed=1, false_alarms=1, cleared=1, unmeasured=2)


def test_rates_are_shares_with_wilson_intervals() -> None:
    made = Confusion(caught=45, missed=5, false_alarms=10, cleared=190)
    assert made.recall().value == pytest.approx(0.9)
    assert (made.recall().low, made.recall().high) == pytest.approx(wilson(45, 50))
    assert made.precision().value == pytest.approx(45 / 55)
    assert made.false_positive_rate().value == pytest.approx(0.05)
    assert made.balanced_accuracy().value == pytest.approx((0.9 + 0.95) / 2)
    assert made.f1() == pytest.approx(2 * (45 / 55) * 0.9 / (45 / 55 + 0.9))


def test_matthews_is_the_correlation_of_truth_and_answer() -> None:
    truth, answers = [True] * 6 + [False] * 9, [True] * 4 + [False] * 2 + [True] * 3 + [False] * 6
    expected = np.corrcoef(np.array(truth, dtype=float), np.array(answers, dtype=float))[0, 1]
    assert confusion(truth, answers).matthews() == pytest.approx(float(expected))


def test_shares_of_nothing_are_not_numbers() -> None:
    only_negatives = Confusion(caught=0, missed=0, false_alarms=0, cleared=5)
    assert only_negatives.recall().value is None
    assert only_negatives.precision().note == "nothing was caught"
    assert only_negatives.balanced_accuracy().value is None
    assert only_negatives.f1() is None
    assert only_negatives.matthews() is None
    assert auc([], [1.0]).note == "no positives"


def test_a_perfect_detector_has_intervals_with_width() -> None:
    made = Confusion(caught=20, missed=0, false_alarms=0, cleared=20)
    for estimate in (made.recall(), made.balanced_accuracy(), auc([2.0] * 20, [1.0] * 20)):
        assert estimate.value == 1.0
        assert estimate.low is not None
        assert 0.7 < estimate.low < 0.95


_SCORES = st.lists(st.integers(0, 6).map(float), min_size=2, max_size=20)


@given(positives=_SCORES, negatives=_SCORES)
def test_the_area_is_the_share_of_ordered_pairs_and_mirrors(positives: list[float], negatives: list[float]) -> None:
    wins = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positives for n in negatives]
    made, mirrored = auc(positives, negatives), auc(negatives, positives)
    assert made.value == pytest.approx(sum(wins) / len(wins))
    assert made.low is not None
    assert made.high is not None
    assert 0 <= made.low <= made.high <= 1
    assert made.low < made.high
    assert mirrored.value == pytest.approx(1 - sum(wins) / len(wins))
    assert mirrored.low == pytest.approx(1 - made.high)


def test_the_interval_of_the_area_agrees_with_resampling_both_sides() -> None:
    random = np.random.default_rng(6)
    x, y = random.normal(1, 1, 80), random.normal(0, 1, 120)
    made = auc(x.tolist(), y.tolist())
    drawn = [
        float((a[:, None] > b[None, :]).mean())
        for a, b in ((random.choice(x, 80), random.choice(y, 120)) for _ in range(800))
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (made.low, made.high) == pytest.approx((low, high), abs=0.02)


def test_unequal_lengths_and_scores_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="got 1 truths and 0 answers"):
        confusion([True], [])
    with pytest.raises(ValueError, match="finite"):
        auc([math.nan], [0.0])

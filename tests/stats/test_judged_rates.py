"""Corrected pass rates: right on average, and intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.judged_rates import prediction_powered, rogan_gladen


def test_rogan_gladen_takes_the_judges_errors_out() -> None:
    made = rogan_gladen(270, 1000, caught=90, missed=10, false_alarms=20, cleared=80)
    assert made.value == pytest.approx(0.1)
    assert made.low is not None
    assert made.high is not None
    assert made.low < 0.1 < made.high


def test_a_judge_without_a_mistake_in_its_exam_leaves_the_share_and_still_has_doubt() -> None:
    made = rogan_gladen(80, 100, caught=20, missed=0, false_alarms=0, cleared=20)
    assert made.value == pytest.approx(0.8)
    assert made.low is not None
    assert made.high is not None
    assert made.high - made.low > 0.16


@pytest.mark.parametrize(
    ("counts", "note"),
    [
        ({"caught": 5, "missed": 5, "false_alarms": 5, "cleared": 5}, "chance"),
        ({"caught": 0, "missed": 0, "false_alarms": 5, "cleared": 5}, "no passing row"),
        ({"caught": 5, "missed": 5, "false_alarms": 0, "cleared": 0}, "no failing row"),
    ],
)
def test_what_cannot_be_corrected_has_no_value(counts: dict[str, int], note: str) -> None:
    made = rogan_gladen(5, 10, **counts)
    assert made.value is None
    assert note in made.note
    assert rogan_gladen(0, 0, caught=1, missed=1, false_alarms=1, cleared=1).value is None


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
@pytest.mark.parametrize(("tpr", "tnr", "exam"), [(0.95, 0.9, 40), (0.8, 0.75, 100), (1.0, 1.0, 40)])
def test_rogan_gladens_interval_holds_at_its_level(share: float, tpr: float, tnr: float, exam: int) -> None:
    random = np.random.default_rng(7)
    held = 0
    for _ in range(600):
        caught, cleared = random.binomial(exam // 2, tpr), random.binomial(exam // 2, tnr)
        judged = random.binomial(200, share * tpr + (1 - share) * (1 - tnr))
        made = rogan_gladen(
            judged, 200, caught=caught, missed=exam // 2 - caught, false_alarms=exam // 2 - cleared, cleared=cleared
        )
        held += made.low is None or made.high is None or made.low - 1e-9 <= share <= made.high + 1e-9
    assert held / 600 >= 0.93


def test_prediction_powered_inference_moves_the_judges_share_by_its_mean_error() -> None:
    labelled = [(0.0, 1.0)] * 10 + [(1.0, 1.0)] * 30 + [(0.0, 0.0)] * 10
    made = prediction_powered([1.0] * 80 + [0.0] * 20, labelled)
    assert made.value == pytest.approx(0.6)
    assert "50 human labels" in made.note


def test_without_labels_there_is_no_value_and_with_only_labels_it_is_their_share() -> None:
    assert prediction_powered([1.0], []).value is None
    assert prediction_powered([], [(1.0, 0.0), (0.0, 0.0)]).value == 0.5


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize(("tpr", "tnr"), [(0.95, 0.9), (0.7, 0.7), (1.0, 1.0)])
def test_the_prediction_powered_interval_holds_at_its_level(share: float, tpr: float, tnr: float) -> None:
    random = np.random.default_rng(11)
    held = 0
    for _ in range(150):
        truth = random.random(260) < share
        judge = np.where(truth, random.random(260) < tpr, random.random(260) >= tnr).astype(float)
        labelled = list(zip(truth[:60].astype(float).tolist(), judge[:60].tolist(), strict=True))
        made = prediction_powered(judge[60:].tolist(), labelled)
        assert made.low is not None
        assert made.high is not None
        held += made.low - 1e-9 <= share <= made.high + 1e-9
    assert held / 150 >= 0.91

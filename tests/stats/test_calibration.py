from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.calibration import brier, calibration_error, reliability_bins

_STATED = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.95, 1.0]), st.booleans()), min_size=1, max_size=60)


@given(_STATED)
def test_the_parts_of_the_brier_score_add_up(pairs: list[tuple[float, bool]]) -> None:
    stated, happened = [p for p, _ in pairs], [y for _, y in pairs]
    made = brier(stated, happened, bins=100)
    assert made is not None
    mean = sum((p - y) ** 2 for p, y in pairs) / len(pairs)
    assert made.score.value == pytest.approx(mean)
    assert made.reliability - made.resolution + made.uncertainty + made.within == pytest.approx(mean)
    # With one probability per bin nothing is left over.
    assert made.within == pytest.approx(0, abs=1e-12)


@given(_STATED, st.integers(1, 12))
def test_equal_probabilities_share_a_bin_and_every_item_is_in_one(pairs: list[tuple[float, bool]], bins: int) -> None:
    made = reliability_bins([p for p, _ in pairs], [y for _, y in pairs], bins=bins)
    assert sum(b.n for b in made) == len(pairs)
    assert len(made) <= bins
    assert [b.stated for b in made] == sorted(b.stated for b in made)
    assert len({b.stated for b in made}) == len(made)


def test_the_calibration_error_by_hand() -> None:
    made = calibration_error([0.9] * 10 + [0.2] * 10, [True] * 6 + [False] * 4 + [False] * 10, resamples=200)
    assert made.value == pytest.approx((0.3 + 0.2) / 2)


def test_calibrated_probabilities_have_the_error_that_chance_alone_gives() -> None:
    random = np.random.default_rng(2)
    stated = random.random(500)
    happened = random.random(500) < stated
    made = calibration_error(stated.tolist(), happened.tolist(), resamples=300)
    assert made.value is not None
    chance = float(made.note.split("gives ")[1].split(" ")[0])
    assert made.value == pytest.approx(chance, abs=0.03)
    assert made.low is not None
    assert made.low < 0.02


def test_overconfident_probabilities_are_seen() -> None:
    random = np.random.default_rng(2)
    happened = (random.random(300) < 0.6).tolist()
    made = calibration_error([0.95] * 300, happened, resamples=300)
    assert made.low is not None
    assert made.high is not None
    assert 0.25 < made.low < 0.35 < made.high < 0.45


def test_nothing_is_not_a_number_and_impossible_probabilities_are_refused() -> None:
    assert brier([], []) is None
    assert calibration_error([], []).value is None
    assert reliability_bins([], []) == []
    with pytest.raises(ValueError, match=r"got 1\.2"):
        brier([1.2], [True])
    with pytest.raises(ValueError, match="got nan"):
        brier([float("nan")], [True])
    with pytest.raises(ValueError, match="got 2 and 1"):
        calibration_error([0.1, 0.2], [True])

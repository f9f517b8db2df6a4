from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.agreement import cohen_kappa, krippendorff_alpha


def _ratings(yes_yes: int, yes_no: int, no_yes: int, no_no: int) -> tuple[list[str], list[str]]:
    first = ["yes"] * (yes_yes + yes_no) + ["no"] * (no_yes + no_no)
    second = ["yes"] * yes_yes + ["no"] * yes_no + ["yes"] * no_yes + ["no"] * no_no
    return first, second


def test_kappa_by_hand_and_its_interval_by_resampling() -> None:
    first, second = _ratings(20, 5, 10, 15)
    made = cohen_kappa(first, second)
    # .7 agree, .5 would by chance.
    assert made.coefficient.value == pytest.approx(0.4)
    assert made.raw.value == pytest.approx(0.7)
    random = np.random.default_rng(3)
    drawn = []
    for _ in range(1000):
        pick = random.integers(0, 50, 50)
        value = cohen_kappa([first[i] for i in pick], [second[i] for i in pick]).coefficient.value
        assert value is not None
        drawn.append(value)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (made.coefficient.low, made.coefficient.high) == pytest.approx((low, high), abs=0.05)


def test_weights_forgive_near_misses_by_the_published_formula() -> None:
    # Weighted kappa is 1 - (weighted misses seen) / (weighted misses by chance), Cohen (1968).
    first, second = [1, 2, 3, 3, 1, 2, 2, 3], [1, 2, 2, 3, 2, 2, 1, 1]
    seen = np.mean([(a - b) ** 2 for a, b in zip(first, second, strict=True)])
    chance = np.mean([(a - b) ** 2 for a in first for b in second])
    made = cohen_kappa(first, second, weights="quadratic")
    assert made.coefficient.value == pytest.approx(1 - seen / chance)
    plain = cohen_kappa(first, second).coefficient.value
    linear = cohen_kappa(first, second, weights="linear").coefficient.value
    assert plain is not None
    assert linear is not None
    assert plain != linear


_EXAMPLE = [
    (1, 1, None, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4),
    (4, 4, 4, 4), (1, 1, 2, 1), (2, 2, 2, 2), (None, 5, 5, 5), (None, None, 1, 1), (None, 3, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("metric", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_gives_krippendorffs_published_example(metric: str, alpha: float) -> None:
    # Krippendorff (2011), Computing Krippendorff's alpha-reliability, section C: four observers, twelve units, gaps.
    made = krippendorff_alpha(_EXAMPLE, metric=metric, resamples=200)  # type: ignore[arg-type]
    assert made.coefficient.value == pytest.approx(alpha, abs=5e-4)
    assert made.coefficient.n == 11
    assert made.coefficient.low is not None
    assert made.coefficient.low < alpha
    assert "few items" in made.coefficient.note


def test_perfect_agreement_still_has_a_lower_bound_below_one() -> None:
    first = ["yes", "no"] * 10
    for made in (cohen_kappa(first, first), krippendorff_alpha([(a, a) for a in first], resamples=200)):
        assert made.coefficient.value == pytest.approx(1.0)
        assert made.coefficient.low is not None
        assert 0.3 < made.coefficient.low < 0.99
        assert made.coefficient.high == 1.0


def test_ratings_that_are_all_the_same_measure_no_agreement_beyond_chance() -> None:
    for made in (cohen_kappa(["yes"] * 9, ["yes"] * 9), krippendorff_alpha([("yes", "yes")] * 9)):
        assert made.coefficient.value is None
        assert "same" in made.coefficient.note
        assert made.raw.value == 1.0


def test_nothing_rated_and_single_ratings_are_not_numbers() -> None:
    assert cohen_kappa([], []).coefficient.value is None
    assert krippendorff_alpha([(1, None), (None, 2)]).coefficient.value is None


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=2, max_size=40))
def test_swapping_the_raters_changes_nothing_and_bounds_stay_in_range(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    here, there = cohen_kappa(first, second), cohen_kappa(second, first)
    assert (here.coefficient.value is None) == (there.coefficient.value is None)
    if here.coefficient.value is not None and there.coefficient.value is not None:
        assert here.coefficient.value == pytest.approx(there.coefficient.value)
        assert here.coefficient.low is not None
        assert here.coefficient.high is not None
        assert -1 <= here.coefficient.low <= here.coefficient.high <= 1


def test_unequal_numbers_and_unknown_ratings_are_refused() -> None:
    with pytest.raises(ValueError, match="got 1 and 2"):
        cohen_kappa([1], [1, 2])
    with pytest.raises(ValueError, match="'maybe' is not in the order"):
        cohen_kappa(["maybe"], ["no"], order=["no", "yes"])
    with pytest.raises(ValueError, match="numbers"):
        krippendorff_alpha([("a", "b")], metric="interval")


@pytest.mark.parametrize(
    ("n", "rare", "kappa", "at_least"), [(50, 0.1, 0.0, 0.95), (50, 0.1, 0.4, 0.9), (20, 0.1, 0.4, 0.92)]
)
def test_the_interval_of_kappa_holds_also_where_one_rating_is_rare(
    n: int, rare: float, kappa: float, at_least: float
) -> None:
    chance = rare**2 + (1 - rare) ** 2
    apart = (1 - chance) * (1 - kappa) / 2
    random = np.random.default_rng(6)
    covered = []
    for both, one, other, none in random.multinomial(n, [rare - apart, apart, apart, 1 - rare - apart], 400):
        first = [1] * (both + one) + [0] * (other + none)
        second = [1] * both + [0] * one + [1] * other + [0] * none
        made = cohen_kappa(first, second).coefficient
        if made.low is not None and made.high is not None:
            covered.append(made.low <= kappa <= made.high)
    # The plain large-sample interval: .53, .88 and .56.
    assert sum(covered) / len(covered) >= at_least

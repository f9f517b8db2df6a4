"""Figures of a judge's biases: zero where there is none, whatever else is wrong with it."""

from __future__ import annotations

import random

import pytest

from harness.stats.judge_bias import (
    PairVerdicts,
    length_effect,
    length_following,
    length_preference,
    order_flips,
    order_preference,
    pair_accuracy,
)


def pairs(count: int, given: str, swapped: str, *, longer_is_right: float = 0.5, seed: int = 1) -> list[PairVerdicts]:
    """Verdicts by rule: ``right``, ``wrong``, ``first``, ``longer``, ``coin``."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        human = dice.choice((1, 2))
        longer = human if dice.random() < longer_is_right else 3 - human

        def choose(rule: str, first: int, human: int = human, longer: int = longer) -> int:
            options = {"right": human, "wrong": 3 - human, "first": first, "longer": longer}
            return options.get(rule) or dice.choice((1, 2))

        lengths = (50, 20) if longer == 1 else (20, 50)
        made.append(
            PairVerdicts(
                human=human,
                given=choose(given, 1),
                swapped=choose(swapped, 2),
                length_1=lengths[0],
                length_2=lengths[1],
            )
        )
    return made


def test_a_perfect_judge_has_no_bias() -> None:
    found = pairs(100, "right", "right")
    assert pair_accuracy(found).value == 1.0
    assert order_flips(found).value == 0.0
    assert order_preference(found).value == 0.0
    assert length_preference(found).value == 0.0


def test_a_judge_that_takes_the_first_is_worth_nothing_but_position() -> None:
    found = pairs(100, "first", "first")
    assert order_flips(found).value == 1.0
    assert order_preference(found).value == 1.0
    assert pair_accuracy(found).value == 0.5


def test_a_coin_turns_with_the_order_and_prefers_no_place() -> None:
    found = pairs(400, "coin", "coin")
    flips, preference = order_flips(found), order_preference(found)
    assert flips.value == pytest.approx(0.5, abs=0.08)
    assert preference.low is not None
    assert preference.high is not None
    assert preference.low < 0 < preference.high


@pytest.mark.parametrize("longer_is_right", [0.2, 0.5, 0.8])
def test_length_preference_does_not_take_plain_mistakes_for_length(longer_is_right: float) -> None:
    coin = length_preference(pairs(600, "coin", "coin", longer_is_right=longer_is_right))
    assert coin.low is not None
    assert coin.high is not None
    assert coin.low < 0 < coin.high
    assert length_preference(pairs(200, "longer", "longer", longer_is_right=longer_is_right)).value == 1.0


def test_length_tells_the_choices_of_a_judge_that_follows_it_better_than_people_do() -> None:
    follows = length_following(pairs(200, "longer", "longer", longer_is_right=0.3))
    assert follows.low is not None
    assert follows.low > 0.5
    fair = length_following(pairs(200, "right", "right", longer_is_right=0.3))
    assert fair.high is not None
    assert fair.high < 0


def test_unparsable_verdicts_are_left_out_of_what_needs_both_and_a_tie_is_half_right() -> None:
    found = [PairVerdicts(human=1, given=None, swapped=1), PairVerdicts(human=1, given=0, swapped=1)]
    assert order_flips(found).n == 1
    assert pair_accuracy(found).value == pytest.approx((1.0 + 0.75) / 2)
    assert length_preference(found).value is None


def test_the_effect_of_length_is_taken_among_work_that_people_find_equally_good() -> None:
    human = [True] * 20 + [False] * 20
    lengths = list(range(20)) + list(range(20, 40))
    assert length_effect(human, human, lengths).value == 0.0, "longer work is worse here, and the judge is right"
    by_length = [length % 20 >= 10 for length in lengths]
    assert length_effect(by_length, human, lengths).value == 1.0
    assert length_effect([True], [True], [3]).value is None

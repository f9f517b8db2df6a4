"""Combined rewards: gates first, weights as declared, multipliers only take away, every part shown."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.core.reward import RewardValue
from harness.rewards import Combined, as_evaluator, measured
from harness.testing import make_case, make_trajectory, score

VALUES = st.floats(-5, 5)


class Part:
    def __init__(self, name: str, answer: Any) -> None:
        self.name, self.answer, self.asked = name, answer, 0

    def reward(self, trajectory: Any, case: Any) -> Any:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Later(Part):
    async def reward(self, trajectory: Any, case: Any) -> Any:  # type: ignore[override]
        return super().reward(trajectory, case)


def call(reward: Combined) -> RewardValue:
    return asyncio.run(measured(reward, make_trajectory(), make_case()))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=5), st.lists(st.floats(0, 1), max_size=3))
def test_the_value_is_the_weighted_sum_times_the_multipliers(
    terms: list[tuple[float, float]], factors: list[float]
) -> None:
    got = call(
        Combined(
            gates=[Part("gate", 1)],
            terms=[(Part(f"t{at}", value), weight) for at, (value, weight) in enumerate(terms)],
            multipliers=[Later(f"m{at}", factor) for at, factor in enumerate(factors)],
        )
    )
    assert got.value == pytest.approx(sum(v * w for v, w in terms) * math.prod(factors), abs=1e-9)
    assert len(got.parts) == 1 + len(terms) + len(factors)
    assert None not in got.parts.values()


@given(st.floats(0, 1), st.floats(0.01, 0.99))
def test_a_multiplier_never_lifts_a_wrong_answer_and_never_raises_a_right_one(factor: float, gate: float) -> None:
    assert call(Combined(gates=[Part("right", 1)], multipliers=[Part("small", factor)])).value == factor
    assert call(Combined(gates=[Part("wrong", gate)], multipliers=[Part("small", factor)])).value == 0.0


def test_behind_a_shut_gate_nothing_is_asked() -> None:
    second, term = Part("second", 1), Part("term", 1)
    got = call(Combined(gates=[Part("first", 0.5), second], terms={term: 2.0}))
    assert (got.value, second.asked, term.asked) == (0.0, 0, 0)
    assert got.parts == {"first": 0.5, "second": None, "term": None}
    assert call(Combined(gates=[Part("first", 0.5)], terms={term: 2.0}, opens_at=0.5)).value == 2.0


@pytest.mark.parametrize("where", ["gates", "terms", "multipliers"])
def test_none_from_a_part_makes_the_whole_none_and_a_break_breaks_it_by_name(where: str) -> None:
    def build(answer: Any) -> Combined:
        part = Part("odd", answer)
        return Combined(
            gates=[part] if where == "gates" else [Part("gate", 1)],
            terms=[(part, 1.0)] if where == "terms" else [(Part("term", 1), 1.0)],
            multipliers=[part] if where == "multipliers" else [],
        )

    assert (call(build(None)).value, call(build(None)).error) == (None, None)
    for broken in (RuntimeError("boom"), math.nan, "1"):
        got = call(build(broken))
        assert got.value is None
        assert got.error is not None
    with pytest.raises(RuntimeError) as raised:
        asyncio.run(build(RuntimeError("boom")).explained(make_trajectory(), make_case()))
    assert "'odd', a part of 'combined'" in raised.value.__notes__[0]


@pytest.mark.parametrize("factor", [-0.1, 1.1])
def test_a_multiplier_outside_zero_and_one_is_a_break(factor: float) -> None:
    got = call(Combined(gates=[Part("gate", 1)], multipliers=[Part("m", factor)]))
    assert got.error is not None
    assert "must lie in [0, 1]" in got.error.message


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({}, "nothing to combine"),
        ({"multipliers": [Part("m", 1)]}, "gate of correctness"),
        ({"gates": [Part("a", 1)], "terms": [(Part("a", 1), 1.0)]}, "two parts are called 'a'"),
        ({"terms": [(Part("a", 1), math.inf)]}, "weight of 'a'"),
    ],
)
def test_an_impossible_combination_is_refused_when_it_is_made(parts: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Combined(**parts)


def test_every_part_stands_in_the_evidence_of_the_score() -> None:
    reward = Combined(gates=[Part("gate", 1)], terms=[(Part("term", 0.5), 2.0)])
    assert score(as_evaluator(reward), make_trajectory(), make_case()).evidence["parts"] == {"gate": 1.0, "term": 0.5}

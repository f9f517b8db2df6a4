"""Calling a reward function: what it returns, what it leaves out, and what breaks, each told apart."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from harness.core.errors import UsageError
from harness.core.reward import RewardValue
from harness.rewards import as_evaluator, as_reward, measured
from harness.testing import FakeClock, check_evaluator, make_case, make_trajectory, score


class Fixed:
    name = "fixed"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def reward(self, trajectory: Any, case: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Later(Fixed):
    async def reward(self, trajectory: Any, case: Any) -> Any:
        await asyncio.sleep(0)
        return self.answer


def call(reward: Any, **more: Any) -> RewardValue:
    return asyncio.run(measured(reward, make_trajectory(), make_case(), **more))


@pytest.mark.parametrize(
    ("answer", "value"),
    [(1, 1.0), (0.25, 0.25), (True, 1.0), (np.float32(0.5), 0.5), (np.array(2.0), 2.0), (None, None), (-3, -3.0)],
)
def test_numbers_become_values_and_none_stays_none(answer: Any, value: float | None) -> None:
    got = call(Fixed(answer))
    assert (got.value, got.error) == (value, None)


@pytest.mark.parametrize(
    "answer", [float("nan"), float("inf"), "1.0", [1.0], {}, ZeroDivisionError("division by zero")]
)
def test_a_break_is_an_error_and_never_a_number(answer: Any) -> None:
    got = call(Fixed(answer))
    assert got.value is None
    assert got.error is not None
    assert got.error.type in {"TypeError", "ValueError", "ZeroDivisionError"}


def test_a_coroutine_function_is_awaited_and_its_weight_and_time_are_kept() -> None:
    got = call(Later(0.75), weight=0.5)
    assert (got.value, got.weight) == (0.75, 0.5)
    assert got.elapsed_s > 0


def test_time_is_that_of_the_clock_and_is_never_negative() -> None:
    clock = FakeClock()

    class Slow(Fixed):
        def reward(self, trajectory: Any, case: Any) -> float:
            clock.advance(0.25)
            return 1.0

    assert call(Slow(1.0), clock=clock).milliseconds == pytest.approx(250.0)


def test_the_end_of_the_program_is_not_swallowed() -> None:
    class Interrupted(Fixed):
        def reward(self, trajectory: Any, case: Any) -> float:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(Interrupted(0))


def test_what_broke_cannot_carry_a_value() -> None:
    error = call(Fixed("x")).error
    with pytest.raises(UsageError, match="has a value and an error"):
        RewardValue(name="r", value=0.0, error=error)
    with pytest.raises(ValueError, match="not to be counted"):
        as_reward(float("nan"))


def test_as_evaluator_keeps_left_out_and_broken_apart() -> None:
    run, case = make_trajectory(), make_case()
    passed = score(as_evaluator(Fixed(0.9), at_least=0.8), run, case)
    assert (passed.value, passed.passed) == (0.9, True)
    assert score(as_evaluator(Fixed(0.7), at_least=0.8), run, case).passed is False
    left_out = score(as_evaluator(Fixed(None)), run, case)
    assert (left_out.measured, left_out.expected_nothing) == (False, True)
    broken = score(as_evaluator(Fixed(RuntimeError("boom"))), run, case)
    assert (broken.measured, broken.expected_nothing) == (False, False)
    assert "boom" in broken.reason


def test_a_reward_as_evaluator_keeps_the_contract_of_an_evaluator() -> None:
    check_evaluator(as_evaluator(Fixed(0.5)))

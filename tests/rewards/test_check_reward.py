"""check_reward: what it lets through, and the promise that it names for each kind of break."""

from __future__ import annotations

from typing import Any

import pytest

from harness.rewards import adapt
from harness.testing import check_reward


class Good:
    name = "good"

    def reward(self, trajectory: Any, case: Any) -> float | None:
        return None if trajectory.error is not None else float(bool(trajectory.answer))


def test_a_reward_that_keeps_the_contract_passes_also_as_a_coroutine_and_adapted() -> None:
    check_reward(Good())

    class Later(Good):
        async def reward(self, trajectory: Any, case: Any) -> float | None:  # type: ignore[override]
            return super().reward(trajectory, case)

    check_reward(Later())
    check_reward(adapt(lambda completions, **columns: [1.0 for _ in completions]))


def _of(answer: Any) -> Any:
    class Odd(Good):
        calls = 0

        def reward(self, trajectory: Any, case: Any) -> Any:
            Odd.calls += 1
            return answer(self, trajectory, case) if callable(answer) else answer

    return Odd()


def _break(self: Any, trajectory: Any, case: Any) -> Any:
    raise ZeroDivisionError("no steps")


def _meddle(self: Any, trajectory: Any, case: Any) -> Any:
    case.metadata["seen"] = True
    return 1.0


@pytest.mark.parametrize(
    ("reward", "promise"),
    [
        (_of("1.0"), "finite number or None, got '1.0'"),
        (_of(float("nan")), "finite number or None, got nan"),
        (_of([1.0]), "finite number or None"),
        (_of(_break), "raised ZeroDivisionError: no steps"),
        (_of(lambda self, t, c: float(self.calls)), "the same input gave"),
        (_of(_meddle), "was changed"),
        (_of(0.0), "a broken run is not a bad answer"),
        (type("Nameless", (), {"reward": Good.reward})(), "name must be a non-empty text"),
        (type("Empty", (), {"name": "x"})(), "has no reward"),
    ],
)
def test_each_broken_promise_is_named(reward: Any, promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_reward(reward)

"""The one place where a reward function is called: its value, its time, or what broke; never 0.0 for a break."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Mapping
from typing import Any

from harness.core.case import Case
from harness.core.clock import SYSTEM, Clock
from harness.core.contracts import Reward
from harness.core.errors import Failure
from harness.core.reward import RewardValue
from harness.core.trajectory import Trajectory


async def measured(
    reward: Reward, trajectory: Trajectory, case: Case, *, weight: float = 1.0, clock: Clock = SYSTEM
) -> RewardValue:
    """What a reward function says of one trajectory.

    A break (it raised, or returned NaN, an infinity, a text, ...) is a value with ``error`` set, of kind ``agent``
    where the exception names no boundary of its own: the reward function is the system under test here. What ends a
    program (KeyboardInterrupt, SystemExit) and cancellation pass through. A reward that can also show what its value is
    made of has a method ``explained(trajectory, case) -> RewardValue``; it is called instead, and its parts are kept.
    """
    started = clock.monotonic()
    value: float | None = None
    error: Failure | None = None
    parts: Mapping[str, float | None] = {}
    try:
        answer: Any = getattr(reward, "explained", reward.reward)(trajectory, case)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, RewardValue):
            answer, parts = answer.value, answer.parts
        value = as_reward(answer)
    except Exception as broken:  # noqa: BLE001 - whatever a reward function raises is data
        error = Failure.of(broken, kind="agent")
    elapsed_s = max(0.0, clock.monotonic() - started)
    return RewardValue(name=reward.name, value=value, weight=weight, elapsed_s=elapsed_s, error=error, parts=parts)


def as_reward(answer: Any) -> float | None:
    """A returned thing as a reward: None stays None, numbers (also bool and numpy scalars) become float.

    :raises TypeError: it is no number.
    :raises ValueError: it is NaN or infinite.
    """
    if answer is None:
        return None
    if isinstance(answer, numbers.Real):
        value = float(answer)
    elif getattr(answer, "shape", None) == () and callable(getattr(answer, "item", None)):
        value = float(answer.item())  # a scalar of numpy or torch
    else:
        raise TypeError(f"a reward is a number or None, got {type(answer).__name__}: {str(answer)[:80]!r}")
    if not math.isfinite(value):
        raise ValueError(f"a reward is finite, got {value!r}; return None for 'not to be counted'")
    return value

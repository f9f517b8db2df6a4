"""The one place where a reward function is called: its value, its time, or what broke; never 0.0 for a break."""

from __future__ import annotations

import asyncio
import inspect
import math
import numbers
from collections.abc import Awaitable, Sequence
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
    answer: Any = None
    error: Failure | None = None
    try:
        answer = _asked(reward, trajectory, case)
        if inspect.isawaitable(answer):
            answer = await answer
    except Exception as broken:  # noqa: BLE001 - whatever a reward function raises is data
        error = Failure.of(broken, kind="agent")
    return _value(reward, answer, error, weight=weight, elapsed_s=clock.monotonic() - started)


Pair = tuple[Trajectory, Case]


async def measured_batch(
    reward: Reward, pairs: Sequence[Pair], *, weight: float = 1.0, clock: Clock = SYSTEM
) -> list[RewardValue]:
    """One value per pair, in order: in one call where the reward has ``rewards(pairs)``, else one by one.

    Where the one call breaks, every pair is tried by itself, so that only what breaks is an error; for a group reward,
    whose values hang together, the break is everybody's. The time of one call is shared equally.
    """
    if not callable(getattr(reward, "rewards", None)):
        return [await measured(reward, trajectory, case, weight=weight, clock=clock) for trajectory, case in pairs]
    started = clock.monotonic()
    answers: Any = None
    error: Failure | None = None
    try:
        answers = _begun(reward, pairs)
        if inspect.isawaitable(answers):
            answers = await answers
        answers = _as_many(answers, pairs)
    except Exception as broken:  # noqa: BLE001 - whatever a reward function raises is data
        if _can_be_told_apart(broken, reward, pairs):
            return [await measured(reward, trajectory, case, weight=weight, clock=clock) for trajectory, case in pairs]
        error = Failure.of(broken, kind="agent")
    return _shared(reward, answers, error, pairs, weight, clock.monotonic() - started)


def measured_now(reward: Reward, pairs: Sequence[Pair], *, clock: Clock = SYSTEM) -> list[RewardValue]:
    """:func:`measured_batch` for code that is not on an event loop: in a thread of its own, in a script.

    :raises RuntimeError: called on a running event loop with a reward that has to be awaited.
    """
    started = clock.monotonic()
    answers: Any = None
    error: Failure | None = None
    try:
        answers = _begun(reward, pairs)
        if inspect.isawaitable(answers):
            answers = asyncio.run(_awaited(answers))
        answers = _as_many(answers, pairs)
    except Exception as broken:  # noqa: BLE001 - whatever a reward function raises is data
        if _can_be_told_apart(broken, reward, pairs):
            return [value for pair in pairs for value in measured_now(reward, [pair], clock=clock)]
        error = Failure.of(broken, kind="agent")
    return _shared(reward, answers, error, pairs, 1.0, clock.monotonic() - started)


class WrongLength(ValueError):
    """As many rewards come out as completions go in; here it was another number."""


def _can_be_told_apart(broken: Exception, reward: Reward, pairs: Sequence[Pair]) -> bool:
    """Whether asking for every pair by itself can show which of them broke the call."""
    return len(pairs) > 1 and not getattr(reward, "group", False) and not isinstance(broken, WrongLength)


async def _awaited(answers: Awaitable[Any]) -> Any:
    return await answers


def _begun(reward: Reward, pairs: Sequence[Pair]) -> Any:
    together = getattr(reward, "rewards", None)
    if callable(together):
        return together(pairs)
    if len(pairs) != 1:
        raise TypeError(f"{reward.name} takes one trajectory at a time, got {len(pairs)}")
    (trajectory, case) = pairs[0]
    answer: Any = _asked(reward, trajectory, case)
    return _alone(answer) if inspect.isawaitable(answer) else [answer]


def _asked(reward: Reward, trajectory: Trajectory, case: Case) -> Any:
    return getattr(reward, "explained", reward.reward)(trajectory, case)


async def _alone(answer: Awaitable[Any]) -> list[Any]:
    return [await answer]


def _as_many(answers: Any, pairs: Sequence[Pair]) -> list[Any]:
    got = list(answers)
    if len(got) != len(pairs):
        raise WrongLength(f"{len(pairs)} completions went in and {len(got)} rewards came out; return one for each")
    return got


def _shared(
    reward: Reward, answers: Any, error: Failure | None, pairs: Sequence[Pair], weight: float, elapsed_s: float
) -> list[RewardValue]:
    got = [None] * len(pairs) if error is not None else answers
    share = elapsed_s / max(1, len(pairs))
    return [_value(reward, answer, error, weight=weight, elapsed_s=share) for answer in got]


def _value(reward: Reward, answer: Any, error: Failure | None, *, weight: float, elapsed_s: float) -> RewardValue:
    value: float | None = None
    parts: Any = {}
    if error is None:
        try:
            parts = getattr(answer, "parts", None) or {}
            value = as_reward(answer.value if isinstance(answer, RewardValue) else answer)
        except Exception as broken:  # noqa: BLE001 - a thing that is no number may also raise when asked
            error = Failure.of(broken, kind="agent")
    return RewardValue(
        name=reward.name, value=value, weight=weight, elapsed_s=max(0.0, elapsed_s), error=error, parts=parts
    )


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

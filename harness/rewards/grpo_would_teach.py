"""Would this reward teach anything? A tiny policy learns from it, and is examined on what the reward was meant for.

The words:

- The reward *teaches* when, with every seed, the true quality of held-out tasks rises (exact test, p < .01).
- It *teaches something else* when, with every seed, the reward on held-out tasks rises and their quality does not: the
  policy found what the reward pays for, and that is not what it should do.
- It *teaches nothing* otherwise, and then says whether the seeds disagreed.
- It could *not be measured* when the reward broke, or said None, on every completion.

What passes is no proof that a large model learns from the reward; what fails here gives it nothing to learn from.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from harness.core.case import Case
from harness.core.contracts import Reward
from harness.core.errors import Failure, UsageError
from harness.core.reward import RewardValue
from harness.core.trajectory import Trajectory
from harness.rewards.calling import measured
from harness.rewards.grpo_advantages import Variant
from harness.rewards.grpo_learning import Control, LearningCurve, Rise, learn
from harness.rewards.grpo_lesson import Lesson, Task, storeroom

TeachingVerdict = Literal["teaches", "teaches something else", "teaches nothing", "not measured"]


@dataclass(frozen=True, kw_only=True)
class Teaching:
    """What a reward taught."""

    verdict: TeachingVerdict
    reason: str
    """The arithmetic in words."""
    curves: tuple[LearningCurve, ...]
    """One per seed, learnt from the reward as it is."""
    controls: tuple[LearningCurve, ...] = ()
    """One per control, learnt with the first seed."""
    calls: int = 0
    """Completions the reward was asked about; each once."""
    unusable: int = 0
    """Of these, without a number: None, or broken."""
    error: Failure | None = None
    """The first break, if there was one."""

    @property
    def teaches(self) -> bool:
        """Whether the verdict is "teaches"."""
        return self.verdict == "teaches"


class RewardOf:
    """A reward function asked once per completion; what it said is kept. A context where the reward may wait."""

    def __init__(self, reward: Reward, lesson: Lesson) -> None:
        self._reward = reward
        self._lesson = lesson
        self._known: dict[tuple[str, tuple[int, ...]], float | None] = {}
        self.error: Failure | None = None
        self._loop: tuple[ThreadPoolExecutor, asyncio.Runner] | None = None

    def __enter__(self) -> RewardOf:
        return self

    def __exit__(self, *about: object) -> None:
        if self._loop is not None:
            thread, runner = self._loop
            thread.submit(runner.close).result()
            thread.shutdown()
            self._loop = None

    def __call__(self, task: Task, words: tuple[int, ...]) -> float | None:
        """The reward of a completion; None where it is None or broke."""
        key = (task.case.id, words)
        if key not in self._known:
            got = self._ask(self._lesson.render(task, words), task.case)
            self._known[key] = got.value
            self.error = self.error or got.error
        return self._known[key]

    def _ask(self, trajectory: Trajectory, case: Case) -> RewardValue:
        if not inspect.iscoroutinefunction(self._reward.reward):
            # What never waits is done with its first step: no event loop for thousands of calls.
            asked = measured(self._reward, trajectory, case)
            try:
                asked.send(None)
            except StopIteration as done:
                got: RewardValue = done.value
                return got
            asked.close()
        # On a loop of its own in a thread of its own: one may be running here.
        if self._loop is None:
            self._loop = (ThreadPoolExecutor(1), asyncio.Runner())
        thread, runner = self._loop
        return thread.submit(runner.run, measured(self._reward, trajectory, case)).result()

    @property
    def calls(self) -> int:
        """Completions asked about."""
        return len(self._known)

    @property
    def unusable(self) -> int:
        """Of these, without a number."""
        return sum(value is None for value in self._known.values())


def would_it_teach(
    reward: Reward,
    *,
    lesson: Lesson | None = None,
    seeds: int = 5,
    variant: Variant = "grpo",
    controls: Sequence[Control] = ("shuffled", "constant", "flipped"),
    steps: int = 30,
) -> Teaching:
    """Let a tiny policy learn from a reward function, and say what it learnt.

    The reward is asked about every completion of the lesson once: at most 3,072 calls in the shipped one.

    :param lesson: default: :func:`harness.rewards.storeroom`; :func:`harness.rewards.lesson_of` makes one of own cases.
    :param controls: learnt with the first seed beside it, to be shown; none with an empty list.
    :raises UsageError: for fewer than one seed, or as :func:`harness.rewards.grpo_learning.learn`.
    """
    if seeds < 1:
        raise UsageError(f"at least one seed is needed, got {seeds!r}")
    lesson = lesson or storeroom()
    beside: tuple[LearningCurve, ...] = ()
    with RewardOf(reward, lesson) as value:
        curves = tuple(learn(lesson, value, seed=seed, variant=variant, steps=steps) for seed in range(seeds))
        measurable = value.unusable < value.calls
        if measurable:
            beside = tuple(learn(lesson, value, control=control, variant=variant, steps=steps) for control in controls)
    verdict, reason = _verdict(curves) if measurable else ("not measured", _why_not(value))
    return Teaching(
        verdict=verdict,
        reason=reason,
        curves=curves,
        controls=beside,
        calls=value.calls,
        unusable=value.unusable,
        error=value.error,
    )


def _verdict(curves: Sequence[LearningCurve]) -> tuple[TeachingVerdict, str]:
    better = sum(curve.quality.rose for curve in curves)
    paid = sum(curve.reward is not None and curve.reward.rose for curve in curves)
    worse = sum(curve.quality.fell for curve in curves)
    first = curves[0]
    text = (
        f"quality of held-out tasks rose with {better} of {len(curves)} seeds, fell with {worse} "
        f"({_shown(first.quality)} with the first); the reward itself rose with {paid}"
    )
    if better == len(curves):
        return "teaches", text
    if paid == len(curves) and not better:
        return "teaches something else", text
    return "teaches nothing", text


def _why_not(value: RewardOf) -> str:
    if value.error is None:
        return f"the reward said None on all {value.calls} completions"
    broke = f"{value.error.type}: {value.error.message[:300]}"
    return f"the reward gave no number on any of {value.calls} completions: {broke}"


def _shown(rise: Rise) -> str:
    return f"{rise.before:.3f} to {rise.after:.3f}, {rise.won} tasks up, {rise.lost} down, p = {rise.p:.2g}"

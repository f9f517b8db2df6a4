"""Learning a lesson from a reward: same seed, same curve; and an exact test on tasks that were never trained on.

The controls change what the reward says and nothing else: ``shuffled`` (the rewards of a group handed out in a random
order), ``constant`` (1.0 for all), ``flipped`` (the sign turned). A reward that teaches must beat them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from harness.core.errors import UsageError
from harness.rewards.grpo_advantages import Variant, check_variant, group_advantages
from harness.rewards.grpo_lesson import Lesson, Task
from harness.rewards.grpo_losses import policy_loss
from harness.rewards.grpo_policy import TinyPolicy
from harness.stats.paired import mcnemar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Control = Literal["none", "shuffled", "constant", "flipped"]
CONTROLS: tuple[Control, ...] = get_args(Control)
Value = Callable[[Task, tuple[int, ...]], "float | None"]
"""The reward of a completion of a task; None: not to be counted."""


@dataclass(frozen=True, kw_only=True)
class Rise:
    """A figure on the held-out tasks, before and after learning. Expected values under the policy, not samples."""

    before: float
    after: float
    won: int
    """Tasks on which it rose."""
    lost: int
    p: float
    """Two-sided exact sign test over the tasks."""

    @property
    def rose(self) -> bool:
        """Whether it rose, at the 1 % level."""
        return self.won > self.lost and self.p < 0.01

    @property
    def fell(self) -> bool:
        """Whether it fell, at the 1 % level."""
        return self.won < self.lost and self.p < 0.01


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """What one seed learnt."""

    seed: int
    control: Control
    variant: Variant
    losses: tuple[float, ...]
    """One per step; always finite."""
    rewards: tuple[float | None, ...]
    """Mean reward of the step's completions, as the control says it; None where none was a number."""
    reward: Rise | None
    """The reward on held-out tasks; None where it is not a number on some completion of every task."""
    quality: Rise
    """True quality on held-out tasks."""
    largest_gradient: float
    """Before it was cut."""
    largest_step: float
    """After it was cut."""


def learn(
    lesson: Lesson,
    value: Value,
    *,
    seed: int = 0,
    control: Control = "none",
    variant: Variant = "grpo",
    steps: int = 30,
    group: int = 8,
    tasks_per_step: int = 8,
    rate: float = 12.0,
    passes: int = 2,
    max_norm: float = 1.0,
) -> LearningCurve:
    """Train a fresh policy and examine it.

    :param steps: batches; in each, ``tasks_per_step`` tasks with ``group`` completions each.
    :param passes: gradient steps per batch; from the second on the policy differs from the one that wrote the batch, so
        ratios and clips matter.
    :raises UsageError: for numbers out of range, or a variant or control there is not.
    """
    import numpy as np

    check_variant(variant)
    if control not in CONTROLS:
        raise UsageError(f"no control is called {control!r}; there are {', '.join(CONTROLS)}")
    if min(steps, tasks_per_step, passes) < 1 or group < 2 or not (rate > 0 and max_norm > 0):
        raise UsageError(
            f"steps, tasks_per_step and passes from 1, group from 2, rate and max_norm above 0 are needed, got "
            f"{steps!r}, {tasks_per_step!r}, {passes!r}, {group!r}, {rate!r}, {max_norm!r}"
        )
    chance = np.random.default_rng([seed, 20261])
    width = len(lesson.train[0].features)
    policy = TinyPolicy(positions=lesson.positions, features=width, words=lesson.words, max_norm=max_norm)
    before = _exam(lesson, policy, value)
    losses, means = [], []
    for _ in range(steps):
        picked = chance.choice(len(lesson.train), size=min(tasks_per_step, len(lesson.train)), replace=False)
        batch, said = [], []
        for index in picked:
            task = lesson.train[int(index)]
            features = np.asarray(task.features)
            completions = policy.sample(features, group, chance)
            rewards = _controlled([value(task, tuple(map(int, row))) for row in completions], control, chance)
            said += [r for r in rewards if r is not None and math.isfinite(r)]
            found = group_advantages(rewards, variant=variant)
            if variant == "dapo" and not found.informative:
                continue
            old = _token_logs(policy, features, completions)
            batch.append(_Rollout(features=features, completions=completions, advantages=found.advantages, old=old))
        losses.append(_update(policy, batch, variant, rate, passes))
        means.append(float(np.mean(said)) if said else None)
    after = _exam(lesson, policy, value)
    return LearningCurve(
        seed=seed,
        control=control,
        variant=variant,
        losses=tuple(losses),
        rewards=tuple(means),
        reward=_rise(before[0], after[0]),
        quality=_rise(before[1], after[1]) or Rise(before=0.0, after=0.0, won=0, lost=0, p=1.0),
        largest_gradient=policy.largest_norm,
        largest_step=policy.largest_step,
    )


@dataclass(frozen=True, kw_only=True)
class _Rollout:
    """What one task brought: its completions, their advantages, and how likely their words were when written."""

    features: npt.NDArray[np.float64]
    completions: npt.NDArray[np.int64]
    advantages: tuple[float | None, ...]
    old: npt.NDArray[np.float64]


def _update(policy: TinyPolicy, batch: Sequence[_Rollout], variant: Variant, rate: float, passes: int) -> float:
    """Learn from a batch; its loss before the first step, 0.0 for an empty one."""
    import numpy as np

    first = 0.0
    for number in range(passes):
        total, gradient = 0.0, np.zeros(policy.weights.shape)
        for one in batch:
            new = _token_logs(policy, one.features, one.completions)
            loss = policy_loss(new.tolist(), one.old.tolist(), one.advantages, variant=variant)
            total += loss.value / len(batch)
            slopes = np.asarray(loss.gradients) / len(batch)
            gradient += policy.gradient(one.features, one.completions, slopes)
        if number == 0:
            first = total
        policy.step(gradient, rate)
    return first


def _token_logs(
    policy: TinyPolicy, features: npt.NDArray[np.float64], completions: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    import numpy as np

    logs = policy.log_probabilities(features)
    return np.asarray(logs[np.arange(logs.shape[0])[None, :], completions])


def _controlled(rewards: list[float | None], control: Control, chance: np.random.Generator) -> list[float | None]:
    if control == "shuffled":
        return [rewards[int(index)] for index in chance.permutation(len(rewards))]
    if control == "constant":
        return [None if r is None else 1.0 for r in rewards]
    if control == "flipped":
        return [None if r is None else -r for r in rewards]
    return rewards


def _exam(lesson: Lesson, policy: TinyPolicy, value: Value) -> tuple[list[float | None], list[float | None]]:
    """Expected reward and quality of every held-out task, over all completions there are."""
    import numpy as np

    rewards: list[float | None] = []
    qualities: list[float | None] = []
    every = list(itertools.product(range(lesson.words), repeat=lesson.positions))
    for task in lesson.held_out:
        logs = policy.log_probabilities(np.asarray(task.features))
        chances = [math.exp(math.fsum(logs[at, word] for at, word in enumerate(words))) for words in every]
        values = [value(task, words) for words in every]
        known = [(c, v) for c, v in zip(chances, values, strict=True) if v is not None and math.isfinite(v)]
        weight = math.fsum(c for c, _ in known)
        rewards.append(math.fsum(c * v for c, v in known) / weight if weight > 0 else None)
        qualities.append(math.fsum(c * lesson.quality(task, words) for c, words in zip(chances, every, strict=True)))
    return rewards, qualities


def _rise(before: Sequence[float | None], after: Sequence[float | None]) -> Rise | None:
    pairs = [(b, a) for b, a in zip(before, after, strict=True) if b is not None and a is not None]
    if not pairs:
        return None
    # Differences below rounding are none: a policy that did not learn must not win or lose by the last digit.
    moved = [a - b for b, a in pairs if abs(a - b) > 1e-9 * max(1.0, abs(a), abs(b))]
    won, lost = sum(d > 0 for d in moved), sum(d < 0 for d in moved)
    return Rise(
        before=math.fsum(b for b, _ in pairs) / len(pairs),
        after=math.fsum(a for _, a in pairs) / len(pairs),
        won=won,
        lost=lost,
        p=mcnemar(won, lost),
    )

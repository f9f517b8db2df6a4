"""Advantages of a group of completions of one prompt, per variant of GRPO. A reference to check a trainer against.

The variants and what they do to the rewards r of a group with mean m and deviation s (n - 1 in the denominator):

- ``grpo``: (r - m) / (s + eps). Shao et al. 2024, DeepSeekMath, arXiv:2402.03300.
- ``dr_grpo``: r - m. Liu et al. 2025, "Understanding R1-Zero-like training", arXiv:2503.20783: dividing by s favours
  prompts that are almost always or almost never solved.
- ``rloo``: r minus the mean of the others, n / (n - 1) * (r - m). Kool et al. 2019; Ahmadian et al. 2024,
  arXiv:2402.14740.
- ``dapo``, ``gspo``, ``cispo``: as ``grpo``; they differ in the loss (:mod:`harness.rewards.grpo_losses`). DAPO leaves
  out groups that say nothing (``informative`` is False). Yu et al. 2025, arXiv:2503.14476; Zheng et al. 2025,
  arXiv:2507.18071; MiniMax 2025, arXiv:2506.13585.

What every variant does with what is no number:

- None, NaN and infinities are *left out*: of mean, deviation and n; their advantage is None (no gradient), never 0.0.
- A group with one number, or with all numbers equal, has advantages of exactly 0.0: there is nothing to compare.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from harness.core.errors import UsageError

Variant = Literal["grpo", "dr_grpo", "rloo", "dapo", "gspo", "cispo"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
EPSILON = 1e-6
_LARGEST = 1e100
"""Larger rewards are taken for this large where the advantage is not divided by the deviation, so that no product of
advantages overflows."""


@dataclass(frozen=True, kw_only=True)
class GroupAdvantages:
    """The advantages of one group, in the order of its rewards."""

    advantages: tuple[float | None, ...]
    mean: float | None
    """Of the numbers; None without any."""
    deviation: float | None
    """None with fewer than two numbers."""
    counted: int
    """Rewards that are finite numbers."""
    informative: bool
    """Whether any advantage differs from 0."""


def group_advantages(
    rewards: Sequence[float | None], *, variant: Variant = "grpo", epsilon: float = EPSILON
) -> GroupAdvantages:
    """The advantages of one group; those that are numbers sum to 0 up to rounding.

    :param epsilon: added to the deviation, in units of the reward.
    :raises UsageError: for an unknown variant or a negative epsilon.
    """
    check_variant(variant)
    if not epsilon >= 0:
        raise UsageError(f"epsilon is at least 0, got {epsilon!r}")
    kept = [float(r) for r in rewards if r is not None and math.isfinite(r)]
    count = len(kept)
    if not count:
        nothing = (None,) * len(rewards)
        return GroupAdvantages(advantages=nothing, mean=None, deviation=None, counted=0, informative=False)
    # In units of the largest one, so that rewards near the end of the number range do not overflow.
    scale = max(map(abs, kept)) or 1.0
    mean = math.fsum(r / scale for r in kept) / count
    deviation = math.sqrt(math.fsum((r / scale - mean) ** 2 for r in kept) / (count - 1)) if count > 1 else None
    flat = deviation is None or min(kept) == max(kept)
    advantages: list[float | None] = []
    for r in rewards:
        if r is None or not math.isfinite(r):
            advantages.append(None)
        elif flat or deviation is None:
            advantages.append(0.0)
        else:
            advantages.append(_advantage(r / scale - mean, deviation, count, scale, variant, epsilon))
    return GroupAdvantages(
        advantages=tuple(advantages),
        mean=mean * scale,
        deviation=None if deviation is None else 0.0 if flat else min(deviation * scale, sys.float_info.max),
        counted=count,
        informative=not flat,
    )


def check_variant(variant: str) -> None:
    """Refuse a variant there is not.

    :raises UsageError: naming those there are.
    """
    if variant not in VARIANTS:
        raise UsageError(f"no variant is called {variant!r}; there are {', '.join(VARIANTS)}")


def _advantage(centred: float, deviation: float, count: int, scale: float, variant: Variant, epsilon: float) -> float:
    # The whole group is made smaller, never one advantage alone: they must still sum to 0.
    if variant == "dr_grpo":
        return centred * min(scale, _LARGEST)
    if variant == "rloo":
        return centred * min(scale, _LARGEST) * count / (count - 1)
    below = deviation + epsilon / scale
    return centred / below if below > 0 else 0.0

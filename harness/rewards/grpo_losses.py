"""The loss of a group, and its gradient by the log-probability of every token, per variant of GRPO.

With d = new - old log-probability of a token, ratio = exp(d), A the completion's advantage, |o| its tokens, N the
completions that count:

- ``grpo``: - mean over completions of the mean over tokens of min(ratio A, clip(ratio) A).
- ``dr_grpo``: the same tokens summed and divided by N * ``max_tokens``, so that long wrong answers are not favoured.
- ``dapo``: the same tokens averaged over all tokens of the group ("token level"), and the clip is higher above than
  below ("clip higher": 0.2 and 0.28).
- ``gspo``: one ratio per completion, exp(mean of d), clipped at 3e-4 below and 4e-4 above; mean over completions.
- ``rloo``: - A times the log-probability of the whole completion; no ratio, no clip; mean over completions.
- ``cispo``: - A * min(ratio, 1 + clip_high) * log-probability, the weight taken as a constant; token level. Its
  gradient is never cut off.

With ``beta`` above 0, beta times the k3 estimate of the divergence from the reference, exp(d') - d' - 1 with
d' = reference - new (Schulman 2020), is added token by token under the same averaging. Sources: see
:mod:`harness.rewards.grpo_advantages`. The loss and the gradient are always finite: |d| is cut at 20, log-probabilities
at -1e4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.rewards.grpo_advantages import Variant, check_variant

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

CLIPS: dict[Variant, tuple[float, float]] = {
    "grpo": (0.2, 0.2),
    "dr_grpo": (0.2, 0.2),
    "dapo": (0.2, 0.28),
    "gspo": (3e-4, 4e-4),
    "cispo": (1.0, 0.28),
    "rloo": (1.0, 0.0),
}
"""(below, above) of each variant where the caller names none; of ``cispo`` only the upper one is used."""
_LONGEST_STEP = 20.0
_LOWEST = -1e4


@dataclass(frozen=True, kw_only=True)
class PolicyLoss:
    """The loss of one group."""

    value: float
    gradients: tuple[tuple[float, ...], ...]
    """By the new log-probability of every token; 0.0 throughout for a completion that was left out."""
    clipped: float | None
    """Share of the tokens (for ``gspo`` of the completions) whose gradient the clip cut off; None when none counted."""
    divergence: float | None
    """Mean k3 divergence per token; None without a reference."""
    counted: int
    """Completions with an advantage and at least one token."""


def policy_loss(
    new: Sequence[Sequence[float]],
    old: Sequence[Sequence[float]],
    advantages: Sequence[float | None],
    *,
    variant: Variant = "grpo",
    clip_low: float | None = None,
    clip_high: float | None = None,
    reference: Sequence[Sequence[float]] | None = None,
    beta: float = 0.0,
    max_tokens: int | None = None,
) -> PolicyLoss:
    """The loss of the completions of one prompt (or of a batch, for the variants that average over tokens).

    :param new, old: log-probabilities of each completion's tokens under the policy that learns, and under the one that
        wrote them.
    :param advantages: one per completion; None leaves it out. All left out: the loss is 0.0.
    :param max_tokens: the constant of ``dr_grpo``; default: the longest completion.
    :raises UsageError: for unequal lengths, an unknown variant, or a beta without a reference.
    """
    import numpy as np

    check_variant(variant)
    _check_lengths(new, old, advantages, reference)
    if beta and reference is None:
        raise UsageError(f"beta={beta!r} needs the reference's log-probabilities: reference=...")
    low, high = CLIPS[variant]
    low, high = low if clip_low is None else clip_low, high if clip_high is None else clip_high
    lengths = [len(tokens) for tokens in new]
    counted = [i for i, a in enumerate(advantages) if a is not None and math.isfinite(a) and lengths[i]]
    gradients: list[tuple[float, ...]] = [(0.0,) * length for length in lengths]
    if not counted:
        return PolicyLoss(value=0.0, gradients=tuple(gradients), clipped=None, divergence=None, counted=0)
    length = np.array([lengths[i] for i in counted], dtype=float)[:, None]
    there = np.arange(int(length.max()))[None, :] < length
    n, o = _logs(new, counted, there), _logs(old, counted, there)
    advantage = np.array([advantages[i] for i in counted], dtype=float)[:, None]
    losses, slopes, cut = _surrogate(n, o, advantage, there, variant, low, high)
    apart = None
    if reference is not None:
        step = np.clip(_logs(reference, counted, there) - n, -_LONGEST_STEP, _LONGEST_STEP)
        k3 = np.exp(step) - step - 1
        apart = float(k3[there].mean())
        losses, slopes = losses + beta * k3, slopes + beta * (1 - np.exp(step))
    share = _share(variant, length, max_tokens)
    slopes = slopes * share
    for row, i in enumerate(counted):
        gradients[i] = tuple(slopes[row, : lengths[i]].tolist())
    return PolicyLoss(
        value=float((losses * share)[there].sum()),
        gradients=tuple(gradients),
        clipped=float(cut[:, 0].mean() if variant == "gspo" else cut[there].mean()),
        divergence=apart,
        counted=len(counted),
    )


def _surrogate(
    new: Floats, old: Floats, advantage: Floats, there: Bools, variant: Variant, low: float, high: float
) -> tuple[Floats, Floats, Bools]:
    """Loss and slope of every token before averaging, and whether the clip cuts its gradient off."""
    import numpy as np

    nowhere = np.zeros(new.shape, dtype=bool)
    if variant == "rloo":
        return -advantage * new, -advantage * np.ones(new.shape), nowhere
    step = np.clip(new - old, -_LONGEST_STEP, _LONGEST_STEP)
    if variant == "gspo":
        step = (step * there).sum(axis=1, keepdims=True) / there.sum(axis=1, keepdims=True) + np.zeros(new.shape)
    ratio = np.exp(step)
    if variant == "cispo":
        weight = np.minimum(ratio, 1 + high)
        return -advantage * weight * new, -advantage * weight, nowhere
    free, held = ratio * advantage, np.clip(ratio, 1 - low, 1 + high) * advantage
    return -np.minimum(free, held), np.where(free <= held, -free, 0.0), free > held


def _share(variant: Variant, length: Floats, max_tokens: int | None) -> Floats | float:
    """What one token of each completion weighs in the loss."""
    if variant in ("dapo", "cispo"):
        return 1 / float(length.sum())
    if variant == "dr_grpo":
        return 1 / (len(length) * max(1.0, float(length.max()) if max_tokens is None else max_tokens))
    if variant == "rloo":
        return 1 / len(length)
    return 1 / (len(length) * length)


def _logs(values: Sequence[Sequence[float]], counted: Sequence[int], there: Bools) -> Floats:
    """The completions that count as rows, 0.0 where a shorter one has ended."""
    import numpy as np

    out = np.zeros(there.shape)
    out[there] = [value for i in counted for value in values[i]]
    return np.asarray(np.clip(np.nan_to_num(out, nan=_LOWEST, neginf=_LOWEST), _LOWEST, 0.0))


def _check_lengths(
    new: Sequence[Sequence[float]],
    old: Sequence[Sequence[float]],
    advantages: Sequence[float | None],
    reference: Sequence[Sequence[float]] | None,
) -> None:
    for name, other in (("old", old), ("reference", reference)):
        if other is not None and [len(x) for x in other] != [len(x) for x in new]:
            raise UsageError(f"{name} must have the completions and tokens of new: {len(new)} completions")
    if len(advantages) != len(new):
        raise UsageError(f"{len(new)} completions need as many advantages, got {len(advantages)}")

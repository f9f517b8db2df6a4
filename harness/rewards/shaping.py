"""Potential-based shaping: rewards on the way that cannot change which policy is best.

Source: Ng, Harada and Russell (1999), "Policy invariance under reward transformations", ICML: with
F(s, s') = discount * potential(s') - potential(s) added to the reward, the best policies stay the best ones. In an
episode that ends, this holds when the potential of the end is 0 (Grzes 2017, AAMAS, "Reward shaping in episodic
reinforcement learning"), which is the default here.

The terms telescope: their discounted sum is discount^T * potential(end) - potential(start), whatever lies between.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from harness.core.errors import UsageError


def shaping_terms(potentials: Sequence[float], *, discount: float = 1.0, end: float | None = 0.0) -> tuple[float, ...]:
    """The term F of each turn.

    :param potentials: the potential before each turn, and after the last one: one more than there are turns.
    :param discount: in (0, 1].
    :param end: put in place of the last potential; None keeps the one given, and with it the guarantee is lost (the
        end's potential is then paid out).
    :raises UsageError: for fewer than two potentials, one that is not finite, or a discount out of range.
    """
    levels = [float(value) for value in potentials]
    if len(levels) < 2:
        raise UsageError(f"potentials stand before each turn and after the last: at least 2, got {len(levels)}")
    if end is not None:
        levels[-1] = float(end)
    if not all(map(math.isfinite, levels)):
        raise UsageError(f"potentials are finite, got {next(v for v in levels if not math.isfinite(v))!r}")
    _check_discount(discount)
    return tuple(discount * after - before for before, after in itertools.pairwise(levels))


def shaped(
    rewards: Sequence[float], potentials: Sequence[float], *, discount: float = 1.0, end: float | None = 0.0
) -> tuple[float, ...]:
    """The rewards with their shaping terms added.

    :raises UsageError: when there is not one more potential than there are rewards; as :func:`shaping_terms`.
    """
    if len(potentials) != len(rewards) + 1:
        raise UsageError(f"{len(rewards)} rewards need {len(rewards) + 1} potentials, got {len(potentials)}")
    terms = shaping_terms(potentials, discount=discount, end=end)
    return tuple(reward + term for reward, term in zip(rewards, terms, strict=True))


def discounted_sum(rewards: Sequence[float], discount: float = 1.0) -> float:
    """Sum of discount^t * reward_t, t from 0."""
    _check_discount(discount)
    return math.fsum(reward * discount**turn for turn, reward in enumerate(rewards))


def _check_discount(discount: float) -> None:
    if not 0.0 < discount <= 1.0:
        raise UsageError(f"a discount lies in (0, 1], got {discount!r}")

"""Credit: the reward of a trajectory handed out to its turns, to the last 1e-9 of it.

The ways (``how``):

- ``surplus``: every turn keeps its own reward, and what the trajectory's reward has beyond their sum is shared equally.
  Differences between turns stay what the turn rewards say.
- ``last``: all of it to the last turn, which is what a reward of the outcome alone does.
- ``uniform``: equal shares.
- ``discounted``: shares discount^(T-1-t), normalised; turns near the end get more.
- :func:`shapley_credits`: each turn's average difference to a value of your own over all orders of joining (Shapley
  1953); sums to value(all) - value(none).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import Literal, get_args

from harness.core.errors import UsageError

CreditWay = Literal["surplus", "last", "uniform", "discounted"]
_EXACT_TURNS = 8
"""Up to this many turns every order is taken: 40,320 of them."""


def credits_of(
    turn_rewards: Sequence[float], reward: float, *, how: CreditWay = "surplus", discount: float = 0.9
) -> tuple[float, ...]:
    """One credit per turn; they sum to ``reward``.

    :raises UsageError: for no turns, a number that is not finite, an unknown way or a discount outside (0, 1].
    """
    own = [float(value) for value in turn_rewards]
    count = len(own)
    if how not in get_args(CreditWay):
        raise UsageError(f"credit cannot be assigned {how!r}; ways are {', '.join(get_args(CreditWay))}")
    if not count:
        raise UsageError("a run without turns has nobody to credit; leave it out")
    if not math.isfinite(reward) or not all(map(math.isfinite, own)):
        raise UsageError(f"rewards are finite numbers, got {reward!r} and {own[:10]!r}")
    if not 0.0 < discount <= 1.0:
        raise UsageError(f"a discount lies in (0, 1], got {discount!r}")
    if how == "last":
        return (0.0,) * (count - 1) + (float(reward),)
    if how == "surplus":
        rest = (reward - math.fsum(own)) / count
        return _exactly([value + rest for value in own], reward)
    weights = [1.0] * count if how == "uniform" else [discount ** (count - 1 - turn) for turn in range(count)]
    total = math.fsum(weights)
    return _exactly([reward * (weight / total) for weight in weights], reward)


def shapley_credits(
    value: Callable[[frozenset[int]], float], turns: int, *, orders: int = 200, seed: int = 0
) -> tuple[float, ...]:
    """Credits by what each turn adds to the turns that joined before it, averaged over orders.

    :param value: the value of a set of turns (numbers from 0), for example the reward of the run with the others left
        out; called once per set.
    :param orders: random orders above 8 turns (Castro, Gomez and Tejada 2009); up to 8 every order is taken. The sum is
        exact with any number of them.
    :raises UsageError: for fewer than one turn or order, or a value that is not finite.
    """
    if turns < 1 or orders < 1:
        raise UsageError(f"at least one turn and one order are needed, got turns={turns!r}, orders={orders!r}")
    known: dict[frozenset[int], float] = {}

    def of(members: frozenset[int]) -> float:
        if members not in known:
            known[members] = float(value(members))
            if not math.isfinite(known[members]):
                raise UsageError(f"the value of turns {sorted(members)} must be finite, got {known[members]!r}")
        return known[members]

    everyone = range(turns)
    walked: list[Sequence[int]]
    if turns <= _EXACT_TURNS:
        walked = list(itertools.permutations(everyone))
    else:
        chance = random.Random(seed)
        walked = [chance.sample(everyone, turns) for _ in range(orders)]
    gains: list[list[float]] = [[] for _ in everyone]
    for order in walked:
        members: frozenset[int] = frozenset()
        for turn in order:
            joined = members | {turn}
            gains[turn].append(of(joined) - of(members))
            members = joined
    means = [math.fsum(values) / len(walked) for values in gains]
    return _exactly(means, of(frozenset(everyone)) - of(frozenset()))


def _exactly(credits: list[float], reward: float) -> tuple[float, ...]:
    # What rounding left over goes to the largest credit, where it shows least.
    largest = max(range(len(credits)), key=lambda turn: abs(credits[turn]))
    credits[largest] += reward - math.fsum(credits)
    return tuple(credits)

"""Combined: gates first, then a weighted sum, then multipliers; every part shown, nothing left out in silence.

value = (all gates open ? 1 : 0) × Σ weight × term × Π multiplier

The words:

- *gate*: a reward that is open from ``opens_at`` on. Gates are asked in order and before everything else; when one is
  shut the value is 0 and nothing behind it is called (its parts are None: not asked).
- *term*: a reward with a declared weight. Without terms the base is 1, so gates and multipliers alone make a reward.
- *multiplier*: a reward in [0, 1], such as :class:`~harness.rewards.minimal_diff.reward.MinimalDiff`. It can only take
  away: one outside [0, 1] is a break.

None from any part that was asked makes the whole None (weights are not shared out anew behind your back), and a part
that breaks breaks the whole, by name.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence

from harness.core.case import Case
from harness.core.contracts import Reward
from harness.core.errors import UsageError
from harness.core.reward import RewardValue
from harness.core.trajectory import Trajectory
from harness.rewards.calling import as_reward


class Combined:
    """Several rewards as one.

    :param gates: rewards that must reach ``opens_at``.
    :param terms: rewards with their weights, ``{reward: weight}`` as pairs; weights are finite and may be negative.
    :param multipliers: rewards in [0, 1] that the sum is multiplied by.
    :param opens_at: the value from which a gate is open; default 1: all of it.
    """

    version = "1"

    def __init__(
        self,
        *,
        gates: Sequence[Reward] = (),
        terms: Sequence[tuple[Reward, float]] | Mapping[Reward, float] = (),
        multipliers: Sequence[Reward] = (),
        opens_at: float = 1.0,
        name: str = "combined",
    ) -> None:
        self.name = name
        self.gates, self.multipliers, self.opens_at = tuple(gates), tuple(multipliers), float(opens_at)
        self.terms = tuple(terms.items()) if isinstance(terms, Mapping) else tuple(terms)
        names = [one.name for one in (*self.gates, *(reward for reward, _ in self.terms), *self.multipliers)]
        twice = sorted({one for one in names if names.count(one) > 1})
        if not names:
            raise UsageError("nothing to combine: give gates=, terms= or multipliers=")
        if self.multipliers and not self.gates:
            raise UsageError(
                f"{self.multipliers[0].name!r} multiplies: a gate of correctness must stand before it; give gates=[...]"
            )
        if twice:
            raise UsageError(f"two parts are called {twice[0]!r}: give one of them another name")
        for reward, weight in self.terms:
            if not math.isfinite(weight):
                raise UsageError(f"the weight of {reward.name!r} must be finite, got {weight!r}")

    def __repr__(self) -> str:
        return f"Combined(gates={self.gates!r}, terms={self.terms!r}, multipliers={self.multipliers!r})"

    async def reward(self, trajectory: Trajectory, case: Case) -> float | None:
        """The value."""
        return (await self.explained(trajectory, case)).value

    async def explained(self, trajectory: Trajectory, case: Case) -> RewardValue:
        """The value with every part by name; parts that were not asked are None."""
        parts: dict[str, float | None] = {
            part.name: None for part in (*self.gates, *(reward for reward, _ in self.terms), *self.multipliers)
        }
        for gate in self.gates:
            value = parts[gate.name] = await self._ask(gate, trajectory, case)
            if value is None or value < self.opens_at:
                return RewardValue(name=self.name, value=None if value is None else 0.0, parts=parts)
        total, factor = (0.0 if self.terms else 1.0), 1.0
        complete = True
        for reward, weight in self.terms:
            value = parts[reward.name] = await self._ask(reward, trajectory, case)
            complete = complete and value is not None
            total += weight * (value or 0.0)
        for reward in self.multipliers:
            value = parts[reward.name] = await self._ask(reward, trajectory, case)
            complete = complete and value is not None
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"{reward.name!r} multiplies and must lie in [0, 1], got {value!r}")
            factor *= 1.0 if value is None else value
        return RewardValue(name=self.name, value=total * factor if complete else None, parts=parts)

    async def _ask(self, part: Reward, trajectory: Trajectory, case: Case) -> float | None:
        try:
            answer = part.reward(trajectory, case)
            return as_reward(await answer if inspect.isawaitable(answer) else answer)
        except Exception as broken:
            broken.add_note(f"in {part.name!r}, a part of {self.name!r}")
            raise

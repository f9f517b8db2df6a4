"""Operator: one kind of fault, as a function of a trajectory; and how one is put in, seeded and without surprises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from harness.core.case import Case
from harness.core.trajectory import Trajectory

Change = Callable[[Trajectory, Case, Random], Trajectory | None]
"""The trajectory with the fault in it; None where there is nothing to put it into. Never changes what it is given."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One kind of fault."""

    name: str
    what: str
    """What the faulty agent does, as an end of the sentence "an agent that ..."."""
    change: Change

    def mutate(self, trajectory: Trajectory, case: Case, *, seed: int = 0, trial: int = 0) -> Trajectory | None:
        """The faulty trajectory: the same for the same seed, case and trial. None when it would be no fault.

        Never raises: on a trajectory too odd to be changed there is no fault to speak of.
        """
        rng = Random(f"{seed}|{self.name}|{case.id}|{trial}".encode("utf-8", "surrogatepass"))
        try:
            changed = self.change(trajectory, case, rng)
            return None if changed is None or same(trajectory, changed) else changed
        except Exception:  # noqa: BLE001 - what an agent wrote may have any shape; then nothing can be changed in it
            return None

    def made(self, trajectory: Trajectory, case: Case, *, seed: int = 0, trial: int = 0) -> Trajectory:
        """What a bound does: always a trajectory, an empty one where none could be made."""
        rng = Random(f"{seed}|{self.name}|{case.id}|{trial}".encode("utf-8", "surrogatepass"))
        try:
            return self.change(trajectory, case, rng) or Trajectory()
        except Exception:  # noqa: BLE001 - see mutate
            return Trajectory()


def same(one: Trajectory, other: Trajectory) -> bool:
    """Whether a judge could see no difference."""
    return (
        one.messages == other.messages
        and one.model_calls == other.model_calls
        and one.latency_s == other.latency_s
        and one.reported_cost_usd == other.reported_cost_usd
        and one.state == other.state
        and one.error == other.error
        and one.metadata == other.metadata
    )

"""Faults in what an agent leaves behind: something in its world is other than it should be."""

from __future__ import annotations

from random import Random
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.sensitivity.operator import Operator

DEEP = 20
"""Levels of a state that are looked into."""


def side_effect(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory | None:
    """One value of the end state is another one, or there is one more; applies where an end state is shown."""
    if trajectory.state is None:
        return None
    return trajectory.with_(state=_changed(trajectory.state, rng, DEEP))


def _changed(value: Any, rng: Random, deep: int) -> Any:
    if isinstance(value, dict) and value and deep:
        key = rng.choice(sorted(value, key=str))
        return {**value, key: _changed(value[key], rng, deep - 1)}
    if isinstance(value, list) and value and deep:
        at = rng.randrange(len(value))
        return [*value[:at], _changed(value[at], rng, deep - 1), *value[at + 1 :]]
    if isinstance(value, dict):
        return {**value, "unasked": 1}
    if isinstance(value, list):
        return [*value, "unasked"]
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1 if value == value and value + 1 != value else 1
    return f"{value} (changed)" if isinstance(value, str) else "changed"


WORLD = (Operator(name="side_effect", what="changes something that nobody asked for", change=side_effect),)

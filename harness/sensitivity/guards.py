"""Faults of a guard under test: it lets all pass, stops all, breaks, or leaves in what it should take out.

They read and change the decision that stands under ``metadata["guard"]`` of a guard's trajectory, and apply to nothing
else.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.sensitivity.messages import is_guard, with_answer
from harness.sensitivity.operator import Operator


def decided(trajectory: Trajectory, action: str, **more: Any) -> Trajectory | None:
    """The trajectory of a guard that decided otherwise; None for the same decision, and for what is no guard's."""
    if not is_guard(trajectory):
        return None
    before: Mapping[str, Any] = trajectory.metadata["guard"]
    if before.get("action") == action and not more:
        return None
    score = 0.0 if action == "allow" else 1.0
    data = {**before, "action": action, "categories": [], "score": score, "fault": "", **more}
    if action != "redact":
        data.pop("text", None)
    changed = with_answer(trajectory, str(data["fault"] or action))
    return changed.with_(metadata={**trajectory.metadata, "guard": data})


def allow_all(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory | None:
    """Whatever comes is let pass."""
    return decided(trajectory, "allow")


def block_all(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory | None:
    """Whatever comes is stopped; a benign event only, because an attack that is blocked is no fault."""
    if not is_guard(trajectory) or trajectory.metadata["guard"].get("action") != "allow":
        return None
    return decided(trajectory, "block")


def break_guard(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory | None:
    """The guard breaks, and so blocks."""
    return decided(trajectory, "block", fault="RuntimeError: the guard broke")


def leave_value(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory | None:
    """A redaction takes nothing out: the text is what it was."""
    if not is_guard(trajectory) or trajectory.metadata["guard"].get("action") != "redact":
        return None
    given = case.input.get("text") if isinstance(case.input, Mapping) else case.input
    return decided(trajectory, "redact", text=given if isinstance(given, str) else case.text)


GUARDS = (
    Operator(name="allow_all", what="lets everything pass (a guard)", change=allow_all),
    Operator(name="block_all", what="stops everything (a guard)", change=block_all),
    Operator(name="break_guard", what="breaks (a guard)", change=break_guard),
    Operator(name="leave_value", what="redacts nothing of what it found (a guard)", change=leave_value),
)

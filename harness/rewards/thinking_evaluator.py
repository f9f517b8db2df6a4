"""ThinkingBudget: the thinking tokens of a run against the budget of its task's class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.core.case import Case
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.rewards.thinking import ThinkingClass
from harness.rewards.thinking_complexity import complexity_of


def thinking_tokens(trajectory: Trajectory) -> int | None:
    """Thinking tokens of the agent's model calls; None where usage is unknown.

    Usage is unknown when no model call was seen, or when one of them reports no tokens at all: a provider that does not
    report is no provider that did not think.
    """
    calls = [call for call in trajectory.model_calls if call.purpose == "agent"]
    if not calls or any(not call.usage.total_tokens and not call.usage.thinking_tokens for call in calls):
        return None
    return sum(call.usage.thinking_tokens for call in calls)


@dataclass(frozen=True, kw_only=True)
class ThinkingBudget:
    """Thinking tokens as the value, fewer is better; passed when they are within the budget of the task's class.

    The evidence holds class, budget and waste, from which the scorecard draws accuracy against thinking spent.
    """

    classify: Callable[[Case], ThinkingClass] = complexity_of
    """The class of a task; default: what the case declares, else an estimate from its request."""
    limit: bool = True
    """False: measure only, so that nothing fails."""
    name: str = "thinking_tokens"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Compare what was spent with what the class allows. A run that broke off has spent at least what is seen."""
        more: dict[str, Any] = {"version": self.version, "unit": "tokens", "direction": "lower", "area": "cost"}
        spent = thinking_tokens(trajectory)
        found = self.classify(case)
        if trajectory.error is not None and (spent is None or spent <= found.budget):
            why = f"the run broke off: {trajectory.error.message[:300]}"
            return Score.not_measured(self.name, why, kind=trajectory.error.kind, **more)
        if spent is None:
            return Score.not_measured(self.name, "no usage was reported for the model calls", **more)
        wasted = max(0, spent - found.budget) if found.name == "trivial" else 0
        more["evidence"] = {
            "thinking": {
                "class": found.name,
                "budget": found.budget,
                "ceiling": found.ceiling,
                "tokens": spent,
                "wasted": wasted,
            }
        }
        side = "within" if spent <= found.budget else "above" if spent <= found.ceiling else "above the ceiling of"
        limit = found.ceiling if spent > found.ceiling else found.budget
        reason = f"{spent:,} thinking tokens, {side} the {limit:,} of a {found.name} task"
        if spent > found.ceiling:
            reason = f"{spent:,} thinking tokens, above the ceiling of {limit:,} for a {found.name} task"
        return Score.of(self.name, spent, reason, passed=spent <= found.budget if self.limit else None, **more)

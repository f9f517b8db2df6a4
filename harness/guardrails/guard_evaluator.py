"""Any guard as an evaluator: would it have let this run pass?

The words: the run is *clean* when the guard lets every one of its events pass. A guard that broke on an event has not
judged the run, so the score is not measured, however many other events it let pass.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterable
from typing import Any

from harness.core.case import Case
from harness.core.contracts import Guardrail
from harness.core.decision import EVENT_KINDS, EventKind
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.guardrails.events import events_of
from harness.guardrails.pipeline import as_pipeline, fresh


class GuardEvaluator:
    """1 when the guard lets every event of the run pass, else 0; made by :func:`as_evaluator`."""

    def __init__(self, policy: Any, *, kinds: Iterable[EventKind], redact_is_clean: bool, name: str) -> None:
        self._pipeline = as_pipeline(policy)
        self.kinds = tuple(kinds)
        if unknown := [kind for kind in self.kinds if kind not in EVENT_KINDS]:
            raise UsageError(f"no event is of kind {unknown[0]!r}; kinds are {', '.join(EVENT_KINDS)}")
        self.redact_is_clean = redact_is_clean
        only = self._pipeline.guards[0] if len(self._pipeline.guards) == 1 else self._pipeline
        self.name = name or only.name
        self.version = str(getattr(only, "version", "1") or "1")

    def __repr__(self) -> str:
        return f"as_evaluator({self._pipeline!r}, kinds={self.kinds!r})"

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Show the guard every event of the run. A guard with a memory starts with an empty one for each run."""
        pipeline = fresh(self._pipeline)
        counts: Counter[str] = Counter()
        found: list[dict[str, Any]] = []
        faults: Counter[str] = Counter()
        for index, event in events_of(trajectory, {"session": case.id, **dict(case.metadata.get("who") or {})}):
            if event.kind not in self.kinds:
                continue
            answer = pipeline.check(event)
            decision = await answer if inspect.isawaitable(answer) else answer
            counts[decision.action] += 1
            if decision.fault:
                faults[decision.fault[:200]] += 1
            elif decision.stops or (decision.action == "redact" and not self.redact_is_clean):
                categories = sorted({finding.category for finding in decision.findings})[:20]
                shown = {"message": index, "kind": event.kind, "action": decision.action, "guard": decision.guard}
                found.append({**shown, "categories": categories})
        seen = sum(counts.values())
        arithmetic = ", ".join(f"{action} {count}" for action, count in sorted(counts.items())) or "none"
        more: dict[str, Any] = {"version": self.version, "evidence": {"found": found[:50], "counts": dict(counts)}}
        if found:
            return Score.passed_if(self.name, False, f"{len(found)} of {seen} events stopped: {arithmetic}", **more)
        if faults:
            why = f"the guard broke on {sum(faults.values())} of {seen} events: {', '.join(sorted(faults))[:500]}"
            return Score.not_measured(self.name, why, kind="harness", **more)
        if trajectory.error is not None:
            why = f"the run broke off after {seen} events: {trajectory.error.message[:300]}"
            return Score.not_measured(self.name, why, kind=trajectory.error.kind, **more)
        if not trajectory.messages:
            return Score.not_measured(self.name, "the run has no messages", kind="agent", **more)
        return Score.passed_if(self.name, True, f"all {seen} events passed", **more)


def as_evaluator(
    policy: Guardrail | Any,
    *,
    kinds: Iterable[EventKind] = ("tool_call", "output"),
    redact_is_clean: bool = False,
    name: str = "",
) -> GuardEvaluator:
    """A guard (or guards, or a pipeline) as an evaluator of runs.

    :param kinds: the events that count: by default what the agent does and says. What was said to it is not its doing.
    :param redact_is_clean: whether a run may pass in which something had to be redacted.
    :param name: default: the guard's.
    """
    return GuardEvaluator(policy, kinds=kinds, redact_is_clean=redact_is_clean, name=name)


__all__ = ["GuardEvaluator", "as_evaluator"]

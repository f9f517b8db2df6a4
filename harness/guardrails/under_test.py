"""A guard in the agent's place: every case is one event, what it decided is the trajectory.

So that a suite of golden cases scores a guard like anything else: with trials, intervals, gates and a scorecard. What a
trajectory holds: the event as the user's message, the decision in words as the answer, and under
``metadata["guard"]`` the decision as data (:func:`decision_of` reads it back).

The words:

- *score*: how sure the guard is that the event is an attack, in [0, 1]: ``guard.score(event)`` where it has one, else
  the surest finding of a detection, and 0 for what it let pass.
- *took*: seconds between question and answer. Sync guards are asked one event after the other, so that they do not
  measure each other; they still share the processor with the rest of the run. *cpu*: what a sync guard itself used.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from typing import Any, TypeAlias

from harness.core.case import Case
from harness.core.contracts import Guardrail
from harness.core.decision import Decision, Event
from harness.core.errors import UsageError
from harness.core.record import Trial
from harness.core.trajectory import Trajectory
from harness.guardrails.events import event_of
from harness.guardrails.pipeline import Pipeline, fresh

GuardFor: TypeAlias = Guardrail | Callable[[Case], Guardrail]
"""A guard, or a function that makes the guard of one case (its tools, its policy)."""

_CASE: ContextVar[Case] = ContextVar("harness_guard_case")
_CPU: ContextVar[list[float]] = ContextVar("harness_guard_cpu")


class GuardUnderTest:
    """An agent that asks a guard about the event of each case.

    :param guard: a guard, a function of the case that makes one, or None: a guard that is missing breaks on every row.
        A guard with a memory (``fresh()``) starts with an empty one for every case.
    :param timeout_s: seconds a decision may take; later ones are faults.
    :param cost_usd: what a decision costs beside the model calls that the harness sees; None: unknown.
    :raises UsageError: for something that is neither.
    """

    def __init__(
        self,
        guard: GuardFor | None,
        *,
        name: str = "",
        timeout_s: float = 10.0,
        cost_usd: Decimal | None = Decimal(0),
    ) -> None:
        asked: Any = guard if guard is None or hasattr(guard, "check") else _PerCase(guard, name or "guard")
        waits = inspect.iscoroutinefunction(getattr(asked, "check", None))
        self._turns = None if waits else asyncio.Lock()
        self._pipeline = Pipeline(
            [asked if asked is None or waits else _Timed(asked)], name=name or "guard", timeout_s=timeout_s
        )
        self._score = getattr(guard, "score", None)
        self._cost_usd = cost_usd
        self.name = f"guard:{name or getattr(asked, 'name', 'missing')}"

    def __repr__(self) -> str:
        return f"GuardUnderTest({self.name})"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """Ask once. Raises nothing for a guard that breaks: that is a fault, and part of the answer."""
        event = event_of(case)
        cpu: list[float] = []
        token, of_cpu = _CASE.set(case), _CPU.set(cpu)
        try:
            if self._turns is None:
                decision, took = await self._ask(event)
            else:
                async with self._turns:
                    decision, took = await self._ask(event)
            score = self._sure(event, decision)
        finally:
            _CASE.reset(token)
            _CPU.reset(of_cpu)
        return Trajectory.from_answer(
            _in_words(decision),
            user=_shown(event),
            latency_s=took,
            reported_cost_usd=self._cost_usd,
            metadata={"guard": {**_data(decision), "score": score, "took_s": took, "cpu_s": sum(cpu) if cpu else None}},
        )

    async def _ask(self, event: Event) -> tuple[Decision, float]:
        pipeline = self._pipeline.fresh()
        began = time.perf_counter()
        decision = await pipeline.check(event)
        return decision, time.perf_counter() - began

    def _sure(self, event: Event, decision: Decision) -> float | None:
        if decision.fault:
            return None
        if callable(self._score):
            try:
                score = float(self._score(event))
            except Exception:  # noqa: BLE001 - the decision stands; only the curve does without this row
                return None
            return score if math.isfinite(score) else None
        if decision.action == "allow":
            return 0.0
        return max((finding.confidence for finding in decision.findings), default=1.0)


class _Timed:
    """A sync guard with its processor time taken, in the thread that it runs in."""

    def __init__(self, guard: Any) -> None:
        self.name = guard.name
        self.version = str(getattr(guard, "version", ""))
        self._guard = guard

    def fresh(self) -> _Timed:
        """With a fresh guard."""
        return _Timed(fresh(self._guard))

    def check(self, event: Event) -> Any:
        """The guard's decision."""
        began = time.thread_time()
        try:
            return self._guard.check(event)
        finally:
            _CPU.get().append(time.thread_time() - began)


class _PerCase:
    """Guards that are made for their case."""

    def __init__(self, make: Any, name: str) -> None:
        if not callable(make):
            raise UsageError(
                f"{make!r} is no guard: give an object with a name and check(event) -> Decision, or a function of the "
                "case that makes one"
            )
        self.name = name
        self._make = make

    def check(self, event: Event) -> Any:
        """The decision of the case's own guard, as at the start."""
        return fresh(self._make(_CASE.get())).check(event)


def decision_of(trajectory: Trajectory) -> Mapping[str, Any] | None:
    """The decision in a trajectory of :class:`GuardUnderTest`; None for any other trajectory.

    ``action``, ``fault``, ``categories``, ``score`` (or None), ``took_s``, ``cpu_s`` (or None), and ``text`` where it
    was redacted.
    """
    kept = trajectory.metadata.get("guard")
    return kept if isinstance(kept, Mapping) and "action" in kept else None


def _data(decision: Decision) -> dict[str, Any]:
    out: dict[str, Any] = {
        "action": decision.action,
        "fault": decision.fault[:200],
        "categories": sorted({finding.category for finding in decision.findings})[:20],
    }
    if decision.action == "redact":
        out["text"] = decision.text
    return out


def _in_words(decision: Decision) -> str:
    if decision.fault:
        return f"fault: {decision.fault}"
    if decision.action == "redact":
        return f"redact: {decision.text}"
    found = ", ".join(sorted({finding.category for finding in decision.findings})[:20])
    return f"{decision.action}: {found}" if found else decision.action


def _shown(event: Event) -> str:
    """The event as a reader of the report sees it."""
    if event.kind == "tool_call":
        said = event.data.get("request") or ()
        asked = f"user asked: {' / '.join(map(str, said))}\n" if said else ""
        return f"{asked}tool call: {event.data.get('tool')}({event.text})"
    return event.text if event.kind == "input" else f"{event.kind}: {event.text}"


__all__ = ["GuardFor", "GuardUnderTest", "decision_of"]

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
import contextlib
import inspect
import math
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
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

_SEEN: ContextVar[_Seen] = ContextVar("harness_guard_seen")


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
        waits = inspect.iscoroutinefunction(getattr(guard, "check", None))
        self._turns = None if waits else asyncio.Lock()
        asked = None if guard is None else _Asked(guard, name)
        self._pipeline = Pipeline([asked], name=name or "guard", timeout_s=timeout_s)
        self._cost_usd = cost_usd
        self.name = f"guard:{name or (asked.name if asked else 'missing')}"

    def __repr__(self) -> str:
        return f"GuardUnderTest({self.name})"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """Ask once. Raises nothing for a guard that breaks: that is a fault, and part of the answer."""
        event = event_of(case)
        seen = _Seen(case=case)
        token = _SEEN.set(seen)
        try:
            if self._turns is None:
                decision = await self._ask(event, seen)
            else:
                async with self._turns:
                    decision = await self._ask(event, seen)
        finally:
            _SEEN.reset(token)
        data = {**_data(decision), "score": _score(decision, seen.score), "took_s": seen.took_s, "cpu_s": seen.cpu_s}
        return Trajectory.from_answer(
            _in_words(decision),
            user=_shown(event),
            latency_s=seen.took_s,
            reported_cost_usd=self._cost_usd,
            metadata={"guard": data},
        )

    async def _ask(self, event: Event, seen: _Seen) -> Decision:
        began = time.perf_counter()
        decision = await self._pipeline.check(event)
        if seen.cpu_s is None:  # async, late, broken or missing: then what the caller waited is what is known
            seen.took_s = time.perf_counter() - began
        return decision


@dataclass(kw_only=True, eq=False)
class _Seen:
    """One question: about which case, and what was noted on the way. The context of the guard's thread holds it."""

    case: Case
    took_s: float = 0.0
    cpu_s: float | None = None
    score: Any = None


class _Asked:
    """The guard as the pipeline sees it: made for the case where it has to be, with an empty memory, and timed."""

    def __init__(self, guard: Any, name: str) -> None:
        self._per_case = not hasattr(guard, "check")
        if self._per_case and not callable(guard):
            raise UsageError(
                f"{guard!r} is no guard: give an object with a name and check(event) -> Decision, or a function of the "
                "case that makes one"
            )
        self.name = str(name or getattr(guard, "name", "") or "guard")
        self.version = str(getattr(guard, "version", ""))
        self._given = guard

    def check(self, event: Event) -> Any:
        """The guard's decision; making it is not timed."""
        seen = _SEEN.get()
        guard: Any = fresh(self._given(seen.case) if self._per_case else self._given)
        began, cpu = time.perf_counter(), time.thread_time()
        answer = guard.check(event)
        if inspect.isawaitable(answer):
            return answer
        seen.took_s, seen.cpu_s = time.perf_counter() - began, time.thread_time() - cpu
        if callable(score := getattr(guard, "score", None)):
            with contextlib.suppress(Exception):  # the decision stands; the curve makes do with it
                seen.score = score(event)
        return answer


def _score(decision: Decision, given: Any) -> float | None:
    if decision.fault:
        return None
    if isinstance(given, (int, float)) and math.isfinite(given):
        return float(given)
    if decision.action == "allow":
        return 0.0
    return max((finding.confidence for finding in decision.findings), default=1.0)


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

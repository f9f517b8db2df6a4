"""Pipeline: guards in a row, itself a guard; the one place where a broken guard becomes a block.

The words:

- Guards see an event one after the other, each as the guards before it left it (redacted), until one stops it.
- The *decision of the pipeline* carries the findings of every guard that looked, with offsets into the original text,
  and the name of the guard that decided.
- A guard that raises, is late, is missing, or answers with something that is no sound decision, blocks with a
  ``fault``. So does a log that cannot be written.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import math
from collections.abc import Awaitable, Generator, Iterable
from dataclasses import replace
from typing import Any, Protocol, cast

from harness.core.clock import SYSTEM, Clock
from harness.core.contracts import Guardrail
from harness.core.decision import ACTIONS, Decision, Event, EventKind, Finding
from harness.core.errors import UsageError
from harness.guardrails.deadline import TooManyLate, Workers
from harness.guardrails.offsets import Alignment, align, carried_back

_ABANDONED: set[asyncio.Task[Any]] = set()
"""Late tasks that did not end when cancelled; kept so that they are not collected while they run."""


class Keeper(Protocol):
    """Where every single decision is kept; :class:`harness.guardrails.AuditLog` is one."""

    def keep(self, event: Event, decision: Decision, *, version: str, latency_s: float) -> None:
        """Keep one decision. What it raises blocks the event."""
        ...


class Pipeline:
    """Guards in a row, in the order given. Fails closed; see the words at the top of this file.

    :param guards: guards, sync or async. None stands for a guard that could not be had, and blocks everything.
    :param required: names of guards that must be among them; one that is not blocks everything.
    :param timeout_s: seconds one guard may take, above 0; None: no limit, and sync guards run in the caller's thread.
    :param audit: gets every decision of every guard, also of the broken ones.
    :raises UsageError: for no guards at all, for two of one name, for something without ``name`` and ``check``.
    """

    version = "1"

    def __init__(
        self,
        guards: Iterable[Guardrail | None],
        *,
        name: str = "guards",
        required: Iterable[str] = (),
        timeout_s: float | None = 5.0,
        audit: Keeper | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        if timeout_s is not None and not (math.isfinite(timeout_s) and timeout_s > 0):
            raise UsageError(f"timeout_s must be above 0, got {timeout_s!r}; None for no limit")
        given = list(guards)
        required = (required,) if isinstance(required, str) else tuple(required)
        if not given and not required:
            raise UsageError("a pipeline without guards would let everything pass; give at least one")
        for guard in given:
            if guard is not None and not (isinstance(getattr(guard, "name", None), str) and hasattr(guard, "check")):
                raise UsageError(f"{guard!r} is not a guard: it needs a name and check(event) -> Decision")
        names = [guard.name for guard in given if guard is not None]
        if twice := sorted({one for one in names if names.count(one) > 1}):
            raise UsageError(f"two guards are called {twice[0]!r}; give one of them another name=")
        self.name = name
        self.guards = tuple(guard for guard in given if guard is not None)
        self.missing = (
            *(one for one in required if one not in names),
            *("a guard" for guard in given if guard is None),
        )
        self.timeout_s = timeout_s
        self.audit = audit
        self.clock = clock
        self._workers = {guard.name: Workers(f"guard {guard.name}") for guard in self.guards}

    def __repr__(self) -> str:
        return f"Pipeline({', '.join(guard.name for guard in self.guards)})"

    def fresh(self) -> Pipeline:
        """The same pipeline with the state of its guards (counts, spend, breakers) as at the start, and no log."""
        guards = [fresh(guard) for guard in self.guards]
        made = Pipeline([*guards, *(None for _ in self.missing)], name=self.name, timeout_s=self.timeout_s)
        made._workers = self._workers  # threads are shared, or every fresh pipeline would leave some behind
        return made

    async def check(self, event: Event) -> Decision:
        """The guards' decision on ``event``. Never raises, except that a cancellation passes through."""
        walk = self._walk(event)
        try:
            ask = next(walk)
            while True:
                ask = walk.send(await self._judge(*ask))
        except StopIteration as end:
            return cast("Decision", end.value)

    def check_sync(self, event: Event) -> Decision:
        """The same for callers without an event loop. An async guard gets a loop of its own in a thread."""
        walk = self._walk(event)
        try:
            ask = next(walk)
            while True:
                ask = walk.send(self._judge_sync(*ask))
        except StopIteration as end:
            return cast("Decision", end.value)

    def _walk(self, event: Event) -> Generator[tuple[Guardrail, Event], Decision, Decision]:
        """Ask for one guard's answer after the other; the combined decision is the return value."""
        if self.missing:
            broken = Decision.broken(self.name, f"missing: {', '.join(self.missing)[:200]}")
            return self._kept(event, broken, version=self.version, started=None)
        findings: tuple[Finding, ...] = ()
        done: list[Alignment | None] = []
        seen, decided = event, ""
        reasons: list[str] = []
        for guard in self.guards:
            started = self.clock.monotonic()
            answer = _sound((yield guard, seen), guard.name, seen)
            after = seen
            if answer.action == "redact":
                changed = redacted(seen, cast("str", answer.text))
                if changed is None:
                    answer = Decision.broken(guard.name, "redacted arguments are no JSON object")
                else:
                    after = changed
            spans = answer.findings
            answer = replace(answer, findings=carried_back(spans, done))
            answer = self._kept(event, answer, version=str(getattr(guard, "version", "")), started=started)
            findings += answer.findings
            if answer.stops:
                return replace(answer, findings=findings, text=None)
            if answer.action == "redact":
                decided = decided or guard.name
                reasons.append(answer.reason)
                done.append(align(seen.text, after.text, spans))
                seen = after
        if decided:
            reason = "; ".join(reason for reason in reasons if reason)
            return Decision(action="redact", guard=decided, reason=reason, findings=findings, text=seen.text)
        return Decision(action="allow", guard=self.name, findings=findings)

    def _kept(self, event: Event, decision: Decision, *, version: str, started: float | None) -> Decision:
        if self.audit is None:
            return decision
        took = 0.0 if started is None else self.clock.monotonic() - started
        try:
            self.audit.keep(event, decision, version=version, latency_s=took)
        except Exception as error:  # noqa: BLE001 - what cannot be logged must not happen
            return Decision.broken(decision.guard, f"the audit log failed: {type(error).__name__}")
        return decision

    async def _judge(self, guard: Guardrail, event: Event) -> Any:
        try:
            if inspect.iscoroutinefunction(guard.check):
                return await _within(guard.check(event), self.timeout_s)
            if self.timeout_s is None:
                answer: Any = guard.check(event)
            else:
                workers = self._workers[guard.name]
                future = workers.submit(guard.check, event)
                waiting = asyncio.wrap_future(future)
                done, _ = await asyncio.wait({waiting}, timeout=self.timeout_s)
                if not done:
                    workers.lose(future)
                    waiting.add_done_callback(_forget)
                    return Decision.broken(guard.name, "timeout")
                answer = waiting.result()
            return await _within(answer, self.timeout_s) if inspect.isawaitable(answer) else answer
        except _Late:
            return Decision.broken(guard.name, "timeout")
        except TooManyLate:
            return Decision.broken(guard.name, "timeout: too many calls hang")
        except Exception as error:  # noqa: BLE001 - a broken guard is a block
            return Decision.broken(guard.name, f"crash: {type(error).__name__}")

    def _judge_sync(self, guard: Guardrail, event: Event) -> Any:
        def ask() -> Any:
            answer = guard.check(event)
            return asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer

        workers = self._workers[guard.name]
        try:
            if self.timeout_s is None and not inspect.iscoroutinefunction(guard.check):
                answer = guard.check(event)
                if not inspect.isawaitable(answer):
                    return answer
                return workers.submit(asyncio.run, _awaited(answer)).result()
            future = workers.submit(ask)
            try:
                return future.result(self.timeout_s)
            except TimeoutError:
                if future.done():  # its own TimeoutError, not ours
                    raise
                workers.lose(future)
                return Decision.broken(guard.name, "timeout")
        except TooManyLate:
            return Decision.broken(guard.name, "timeout: too many calls hang")
        except Exception as error:  # noqa: BLE001 - a broken guard is a block
            return Decision.broken(guard.name, f"crash: {type(error).__name__}")


class Only:
    """A guard for some kinds of events; it lets every other kind pass.

    ``Only(guard, "input", "tool_result")`` has the guard's own name.
    """

    def __init__(self, guard: Guardrail, *kinds: EventKind) -> None:
        if not kinds:
            raise UsageError(f"Only({guard.name}) needs the kinds of events to look at, such as 'input'")
        self.guard = guard
        self.kinds = frozenset(kinds)
        self.name = guard.name
        self.version = str(getattr(guard, "version", ""))

    def fresh(self) -> Only:
        """With a fresh guard."""
        return Only(fresh(self.guard), *self.kinds)

    def check(self, event: Event) -> Decision | Awaitable[Decision]:
        """The guard's decision on the kinds named, else allow."""
        return self.guard.check(event) if event.kind in self.kinds else Decision(action="allow", guard=self.name)


def as_pipeline(policy: Any) -> Pipeline:
    """A pipeline of what was given: one already, a guard, or guards."""
    if isinstance(policy, Pipeline):
        return policy
    return Pipeline([policy] if hasattr(policy, "check") else policy)


def fresh(guard: Guardrail) -> Guardrail:
    """The guard with its state as at the start: ``guard.fresh()`` where it has one, else the guard itself."""
    make = getattr(guard, "fresh", None)
    return cast("Guardrail", make()) if callable(make) else guard


def redacted(event: Event, text: str) -> Event | None:
    """The event with another text, its arguments too; None where those are no JSON object any more."""
    if event.kind != "tool_call":
        return replace(event, text=text)
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return (
        replace(event, text=text, data={**event.data, "arguments": arguments}) if isinstance(arguments, dict) else None
    )


def _sound(answer: Any, name: str, event: Event) -> Decision:
    """The answer, named and within its contract; else a fault."""
    if not isinstance(answer, Decision):
        return Decision.broken(name, f"answered with {type(answer).__name__}, not a Decision")
    if answer.fault and answer.action != "block":
        return Decision.broken(name, answer.fault)
    if answer.action not in ACTIONS:
        return Decision.broken(name, "answered with an unknown action")
    if answer.action == "redact" and not isinstance(answer.text, str):
        return Decision.broken(name, "redact without a text")
    found: Any = answer.findings
    if not isinstance(found, tuple) or not all(_placed(one, len(event.text)) for one in found):
        return Decision.broken(name, "findings that are none, or lie outside the text")
    return answer if answer.guard == name else replace(answer, guard=name)


def _placed(finding: Any, length: int) -> bool:
    """Whether it is a finding with both offsets inside the text, or with none."""
    if not isinstance(finding, Finding):
        return False
    start: Any = finding.start
    end: Any = finding.end
    if start is None or end is None:
        return start is end
    return isinstance(start, int) and isinstance(end, int) and 0 <= start <= end <= length


class _Late(Exception):
    """Our own deadline passed; a guard's own TimeoutError is a crash of the guard."""


async def _within(awaitable: Awaitable[Any], seconds: float | None) -> Any:
    """Wait at most so long. Something that ignores its cancellation is left behind rather than waited for."""
    task = asyncio.ensure_future(_awaited(awaitable))
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if done:
        return task.result()
    task.cancel()
    _ABANDONED.add(task)
    task.add_done_callback(_ABANDONED.discard)
    task.add_done_callback(_forget)
    raise _Late


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _forget(done: asyncio.Future[Any]) -> None:
    """Look at the outcome of something nobody waits for, so that asyncio does not complain."""
    if not done.cancelled():
        done.exception()


__all__ = ["Keeper", "Only", "Pipeline", "as_pipeline", "fresh"]

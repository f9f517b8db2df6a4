"""A guarded session: who asks, what was decided, and the gate that its tool calls pass.

The words:

- *passed*: a tool call that the guards saw before it was made.
- *late*: an event that had already happened when the guards saw it, because the agent runs its tools out of our
  reach. A late detection cannot undo anything; it is counted, and the session's answer is withheld.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

from harness.core.decision import Decision, Event
from harness.guardrails.pipeline import Pipeline
from harness.guardrails.tool_arguments.corrections import Corrections

REFUSAL = "I can't help with that request."
"""What the user is told instead of something that was blocked: the same whatever guard it was."""
HANDED_OVER = "I have passed this on to a colleague, who will get back to you."
"""What the user is told when a person has to decide."""
NOT_ALLOWED = "this action is not allowed"
NEEDS_PERSON = "this action waits for the approval of a person"
WITHHELD = "the answer of this tool was withheld"
_MAX_KEPT = 1000

SESSION: ContextVar[Session | None] = ContextVar("harness_guarded_session", default=None)
_INSIDE: ContextVar[frozenset[tuple[int, tuple[str, str]]]] = ContextVar("harness_guarded_inside", default=frozenset())
"""Calls being made, with the pipeline that let them pass: a tool that is wrapped twice is judged once, and a tool that
calls another guarded tool does not take that one with it."""


class ActionRefused(Exception):
    """A guard stopped a tool call, or withheld its result. The text is for the model and names no guard."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a tool call."""

    text: str
    """The result as it may be read."""
    refused: str = ""
    """Why there is none, in words for the model."""


@dataclass(frozen=True)
class _Ask:
    event: Event
    pipeline: Pipeline


@dataclass(frozen=True)
class _Run:
    written: str
    inside: frozenset[tuple[int, tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One decision of a session, without anything that was said."""

    kind: str
    decision: Decision
    tool: str = ""
    late: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for the trajectory's metadata; neither texts nor reasons."""
        out: dict[str, Any] = {"kind": self.kind, "action": self.decision.action, "guard": self.decision.guard}
        if self.tool:
            out["tool"] = self.tool[:100]
        if categories := sorted({finding.category for finding in self.decision.findings}):
            out["categories"] = categories[:20]
        if self.decision.fault:
            out["fault"] = self.decision.fault[:200]
        if self.late:
            out["late"] = True
        return out


@dataclass(kw_only=True, eq=False)
class Session:
    """One conversation under guard. Mutable, thread-safe: it collects decisions."""

    pipeline: Pipeline
    data: Mapping[str, Any] = field(default_factory=dict)
    """Who asks: see :class:`harness.core.decision.Event`."""
    request: tuple[str, ...] = ()
    judged: list[Judged] = field(default_factory=list)
    dropped: int = 0
    """Decisions past the first thousand, which are counted and not kept."""
    too_late: int = 0
    faults: int = 0
    escalated: bool = False
    corrections: Corrections = field(default_factory=Corrections)
    """How often the model was told what is wrong with its arguments; a call that passes begins the count anew."""
    _passed: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def judge(self, event: Event, *, late: bool = False, pipeline: Pipeline | None = None) -> Decision:
        """The guards' decision, kept.

        :param pipeline: other guards than the session's own.
        """
        return self._keep(event, await (pipeline or self.pipeline).check(self._with_who(event, late)), late)

    def judge_sync(self, event: Event, *, late: bool = False, pipeline: Pipeline | None = None) -> Decision:
        """The same without an event loop."""
        return self._keep(event, (pipeline or self.pipeline).check_sync(self._with_who(event, late)), late)

    def _with_who(self, event: Event, late: bool) -> Event:
        data = {"request": self.request, **event.data, **self.data}
        if late:
            data["late"] = True
        return Event(kind=event.kind, text=event.text, data=data)

    def _keep(self, event: Event, decision: Decision, late: bool) -> Decision:
        judged = Judged(kind=event.kind, decision=decision, tool=str(event.data.get("tool") or ""), late=late)
        with self._lock:
            self.faults += bool(decision.fault)
            self.escalated = self.escalated or decision.action == "escalate"
            self.too_late += late and decision.action != "allow"
            if len(self.judged) < _MAX_KEPT:
                self.judged.append(judged)
            else:
                self.dropped += 1
        return decision

    async def answer(
        self,
        name: str,
        arguments: str,
        run: Callable[[str], Awaitable[str]],
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> str:
        """See :class:`harness.core.decision.ToolGate`."""
        outcome = await self.passing(name, arguments, run, schema=schema)
        return json.dumps({"error": outcome.refused}) if outcome.refused else outcome.text

    async def passing(
        self,
        name: str,
        arguments: str,
        run: Callable[[str], Awaitable[str]],
        *,
        schema: Mapping[str, Any] | None = None,
        also: Pipeline | None = None,
    ) -> Outcome:
        """Let one tool call pass the guards, make it, and let its result pass them.

        :param also: guards that come after the session's own.
        """
        steps = self._steps(name, arguments, schema, also)
        try:
            step = next(steps)
            while True:
                if isinstance(step, _Run):
                    token = _INSIDE.set(_INSIDE.get() | step.inside)
                    try:
                        text = await run(step.written)
                    finally:
                        _INSIDE.reset(token)
                    step = steps.send(text)
                else:
                    step = steps.send(await self.judge(step.event, pipeline=step.pipeline))
        except StopIteration as end:
            return cast("Outcome", end.value)

    def passing_sync(
        self, name: str, arguments: str, run: Callable[[str], str], *, also: Pipeline | None = None
    ) -> Outcome:
        """The same for a sync tool."""
        steps = self._steps(name, arguments, None, also)
        try:
            step = next(steps)
            while True:
                if isinstance(step, _Run):
                    token = _INSIDE.set(_INSIDE.get() | step.inside)
                    try:
                        text = run(step.written)
                    finally:
                        _INSIDE.reset(token)
                    step = steps.send(text)
                else:
                    step = steps.send(self.judge_sync(step.event, pipeline=step.pipeline))
        except StopIteration as end:
            return cast("Outcome", end.value)

    def _steps(
        self, name: str, arguments: str, schema: Mapping[str, Any] | None, also: Pipeline | None
    ) -> Generator[_Ask | _Run, Any, Outcome]:
        own = identity(name, arguments)
        inside = _INSIDE.get()
        asked = [self.pipeline] if also is None or also is self.pipeline else [self.pipeline, also]
        asked = [one for one in asked if (id(one), own) not in inside]
        known = {} if schema is None else {"schema": schema}
        written = arguments
        for pipeline in asked:
            data = {**known, "tool": name, "arguments": parsed(written)}
            event = Event(kind="tool_call", text=written, data=data)
            decision = yield _Ask(event, pipeline)
            if decision.stops:
                if self.pipeline in asked:
                    self._note_passed(own, "")
                if decision.action == "escalate":
                    return Outcome(text="", refused=NEEDS_PERSON)
                return Outcome(text="", refused=self._correction(pipeline, event, decision) or NOT_ALLOWED)
            written = written if decision.text is None else decision.text
        self.corrections.message((), tool=name)
        if self.pipeline in asked:
            self._note_passed(own, written)
        made = identity(name, written)
        text = yield _Run(written, frozenset((id(one), made) for one in asked))
        about = {"tool": name, "arguments": parsed(written), **({"error": True} if is_error(text) else {})}
        for pipeline in asked:
            decision = yield _Ask(Event(kind="tool_result", text=text, data=about), pipeline)
            if decision.stops:
                return Outcome(text="", refused=WITHHELD)
            text = text if decision.text is None else decision.text
        return Outcome(text=text)

    def _correction(self, pipeline: Pipeline, event: Event, decision: Decision) -> str | None:
        """What the model may be told of wrong arguments, so that it can call again; None when it was told enough."""
        if decision.fault:
            return None
        for guard in _guards_named(pipeline, decision.guard):
            with contextlib.suppress(Exception):  # the call stays refused; it is only not explained
                if found := guard.problems(event):
                    return self.corrections.message(found, tool=str(event.data.get("tool")))
        return None

    def _note_passed(self, call: tuple[str, str], written: str) -> None:
        """A call went through the gate: made with these arguments in the end, or ("") not at all."""
        with self._lock:
            self._passed[call].append(written)

    def take_passed(self, name: str, arguments: Any) -> str | None:
        """The argument text a passed call was made with ("" when it was refused); None when it did not pass here."""
        with self._lock:
            made = self._passed.get(identity(name, arguments))
            return made.pop(0) if made else None

    def report(self) -> dict[str, Any]:
        """What goes into the trajectory's metadata under ``guardrails``."""
        out: dict[str, Any] = {"decisions": [one.to_json() for one in self.judged]}
        out.update(too_late=self.too_late, faults=self.faults, escalated=self.escalated)
        if self.dropped:
            out["dropped"] = self.dropped
        return out


def _guards_named(guard: Any, name: str, *, inside: bool = False) -> Iterator[Any]:
    """The guards that decided under a name and can say what is wrong with arguments; a pipeline decides for its own."""
    inside = inside or getattr(guard, "name", None) == name
    if inside and callable(getattr(guard, "problems", None)):
        yield guard
    for inner in [*getattr(guard, "guards", ()), *([guard.guard] if hasattr(guard, "guard") else [])]:
        yield from _guards_named(inner, name, inside=inside)


def identity(name: str, arguments: Any) -> tuple[str, str]:
    """What makes two calls the same: the name and the arguments' value, however it was written."""
    value = parsed(arguments) if isinstance(arguments, str) else arguments
    if value is None:
        return name, str(arguments)
    try:
        return name, json.dumps(value, sort_keys=True, default=str)
    except (ValueError, RecursionError, TypeError):
        return name, str(value)


def parsed(written: str) -> dict[str, Any] | None:
    """Arguments as an object; None when the text is none. Empty text is an empty object."""
    if not written.strip():
        return {}
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def is_error(text: str) -> bool:
    """Whether a tool's answer is an error, as tool loops write it."""
    return text.startswith('{"error"')

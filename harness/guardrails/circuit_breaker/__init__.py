"""CircuitBreaker: an agent that keeps failing, is unsure or costs too much is stopped, and a person is asked.

The words, per session:

- *closed*: everything passes. *Open*: nothing does; every event waits for a person (escalate). *Half-open*: one event,
  the *probe*, passes to see whether things work again; the rest still waits. *Ended*: a person said no; everything is
  blocked for good.
- *failure*: a tool result with an error, or :meth:`CircuitBreaker.failed`. A success in between starts the count anew.
- Opened by failures, a session half-opens by itself after the cool-down. Opened by low confidence or by spend, it
  stays open until a person resumes it: time does not make an answer surer or cheaper.
- *escalation*: what is kept for the person: why and when it opened, what the user asked, and the agent's state where
  the application gives it (``event.data["state"]``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, cast

from harness.core.clock import SYSTEM, Clock, iso_utc
from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.circuit_breaker.escalations import (
    Escalation,
    EscalationFolder,
    EscalationMemory,
    EscalationStore,
    end,
    escalations,
    resume,
)

__all__ = [
    "CircuitBreaker",
    "Escalation",
    "EscalationFolder",
    "EscalationMemory",
    "EscalationStore",
    "end",
    "escalations",
    "resume",
]

State = Literal["closed", "open", "half_open", "ended"]
Cause = Literal["failures", "confidence", "spend"]
_CAUSES = ("failures", "confidence", "spend")
_MANY = 100_000
"""Sessions held before those that are closed and well are forgotten."""


@dataclass(slots=True)
class _Circuit:
    state: State = "closed"
    failures: int = 0
    cause: Cause = "failures"
    opened_s: float = 0.0
    probe_s: float | None = None
    """When the probe under way started; None when there is none."""
    probe_kind: str = ""
    resumed: Escalation | None = None
    """The person's decision that was followed last, so that it is followed once."""


class CircuitBreaker:
    """See the words at the top of this file. Thread-safe.

    :param failures: consecutive failures that open it, at least 1.
    :param least_confidence: an output or tool call whose ``confidence`` is below this opens it; None: not looked at.
    :param spend_usd: an event whose ``spent_usd`` has reached this opens it; None: not looked at.
    :param cooldown_s: seconds until a session opened by failures half-opens.
    :param probe_timeout_s: seconds after which a probe that was never answered is given up and another may go.
    :param store: where escalations are kept: :class:`EscalationFolder` for other processes and the command line;
        default: this process's memory.
    :param on_escalation: called with each new escalation, outside any lock.
    """

    version = "1"

    def __init__(
        self,
        *,
        failures: int = 3,
        least_confidence: float | None = 0.5,
        spend_usd: Decimal | None = None,
        cooldown_s: float = 30.0,
        probe_timeout_s: float = 60.0,
        store: EscalationStore | None = None,
        on_escalation: Callable[[Escalation], None] | None = None,
        clock: Clock = SYSTEM,
        name: str = "circuit_breaker",
    ) -> None:
        if failures < 1:
            raise UsageError(f"failures must be at least 1, got {failures!r}")
        if least_confidence is not None and not 0 <= least_confidence <= 1:
            raise UsageError(f"least_confidence must be in [0, 1], got {least_confidence!r}; None to leave it out")
        if not cooldown_s >= 0 or not probe_timeout_s > 0:
            raise UsageError(f"seconds must be above 0, got cooldown_s={cooldown_s!r}, {probe_timeout_s=}")
        limit: Any = spend_usd
        if limit is not None and not (isinstance(limit, Decimal) and limit > 0):
            raise UsageError(f"spend_usd must be a Decimal above 0, got {spend_usd!r}")
        self.name = name
        self.failures = failures
        self.least_confidence = least_confidence
        self.spend_usd = spend_usd
        self.cooldown_s = cooldown_s
        self.probe_timeout_s = probe_timeout_s
        self._store: EscalationStore = EscalationMemory() if store is None else store
        self._on_escalation = on_escalation
        self._clock = clock
        self._lock = threading.Lock()
        self._circuits: dict[str, _Circuit] = {}

    def __repr__(self) -> str:
        return f"CircuitBreaker(failures={self.failures}, least_confidence={self.least_confidence})"

    def fresh(self) -> CircuitBreaker:
        """The same breaker with every session closed, in memory, telling nobody."""
        return CircuitBreaker(
            failures=self.failures,
            least_confidence=self.least_confidence,
            spend_usd=self.spend_usd,
            cooldown_s=self.cooldown_s,
            probe_timeout_s=self.probe_timeout_s,
            clock=self._clock,
            name=self.name,
        )

    def check(self, event: Event) -> Decision:
        """Let pass, ask a person, or (ended) block; results and outputs are counted as outcomes on the way."""
        session = _session(event)
        told: Escalation | None = None
        with self._lock:
            circuit = self._circuit(session)
            cause = self._cause(event)
            if cause is not None and circuit.state != "ended":
                told = self._open(session, circuit, cause, event)
            elif event.kind == "tool_result" and event.data.get("history") is not True:
                told = self._outcome(session, circuit, event.data.get("error") is not True, event)
            elif event.kind == "output" and circuit.state == "half_open" and circuit.probe_kind == "input":
                self._outcome(session, circuit, True, event)
            decision = self._decision(circuit, event)
        if told is not None and self._on_escalation is not None:
            self._on_escalation(told)
        return decision

    def failed(self, session: str, *, state: Any = None) -> None:
        """The agent failed outside of any event (it raised, its provider is down)."""
        self.check(Event(kind="tool_result", data={"session": session, "error": True, "state": state}))

    def succeeded(self, session: str) -> None:
        """The agent did well outside of any event."""
        self.check(Event(kind="tool_result", data={"session": session}))

    def state(self, session: str) -> State:
        """The session's state as the next event will find it, a person's decision included."""
        with self._lock:
            circuit = self._circuit(session)
            if circuit.state == "open" and self._cooled(circuit):
                return "half_open"
            return circuit.state

    def _circuit(self, session: str) -> _Circuit:
        """The session's circuit, as a person or another process may have left it."""
        circuit = self._circuits.get(session)
        if circuit is None:
            if len(self._circuits) >= _MANY:
                self._circuits = {
                    key: one for key, one in self._circuits.items() if one.failures or one.state != "closed"
                }
            circuit = self._circuits[session] = _Circuit()
        decided = self._store.decision(session)
        if decided == "end":
            circuit.state = "ended"
        elif (
            decided == "resume" and circuit.state in ("open", "closed") and circuit.resumed != self._store.load(session)
        ):
            circuit.state, circuit.probe_s, circuit.resumed = "half_open", None, self._store.load(session)
        elif decided == "" and circuit.state == "closed":
            kept = self._store.load(session)
            circuit.state, circuit.opened_s = "open", self._clock.monotonic()
            circuit.cause = cast("Cause", kept.cause) if kept is not None and kept.cause in _CAUSES else "failures"
        return circuit

    def _cause(self, event: Event) -> Cause | None:
        sure = event.data.get("confidence")
        if self.least_confidence is not None and isinstance(sure, (int, float)) and not sure >= self.least_confidence:
            return "confidence"
        spent = event.data.get("spent_usd")
        if self.spend_usd is not None and isinstance(spent, (int, Decimal)) and not Decimal(spent) < self.spend_usd:
            return "spend"
        return None

    def _outcome(self, session: str, circuit: _Circuit, well: bool, event: Event) -> Escalation | None:
        if circuit.state in ("open", "ended"):
            return None
        if well:
            circuit.failures = 0
            if circuit.state == "half_open":
                circuit.state, circuit.probe_s = "closed", None
                self._store.forget(session)
            return None
        circuit.failures += 1
        if circuit.state == "half_open" or circuit.failures >= self.failures:
            return self._open(session, circuit, "failures", event)
        return None

    def _open(self, session: str, circuit: _Circuit, cause: Cause, event: Event) -> Escalation:
        circuit.state, circuit.cause = "open", cause
        circuit.opened_s, circuit.probe_s, circuit.resumed = self._clock.monotonic(), None, None
        request = event.data.get("request")
        kept = Escalation(
            session=session,
            cause=cause,
            opened_at=iso_utc(self._clock.wall()),
            failures=circuit.failures,
            request=tuple(str(one) for one in request) if isinstance(request, (list, tuple)) else (),
            state=event.data.get("state"),
        )
        self._store.save(kept)
        return kept

    def _cooled(self, circuit: _Circuit) -> bool:
        return circuit.cause == "failures" and self._clock.monotonic() - circuit.opened_s >= self.cooldown_s

    def _decision(self, circuit: _Circuit, event: Event) -> Decision:
        if circuit.state == "closed":
            return Decision(action="allow", guard=self.name)
        if circuit.state == "ended":
            return self._stopped("block", "ended", "a person ended this session")
        past = event.data.get("late") is True or event.data.get("history") is True
        doing = event.kind in ("input", "tool_call") and not past
        if circuit.state == "open" and doing and self._cooled(circuit):
            circuit.state, circuit.probe_s = "half_open", None
        if circuit.state == "half_open":
            now = self._clock.monotonic()
            free = circuit.probe_s is None or now - circuit.probe_s >= self.probe_timeout_s
            # A user's message that was let through as the probe goes on to the tool call it leads to.
            carried_on = circuit.probe_kind == "input" and event.kind == "tool_call"
            if doing and (free or carried_on):
                circuit.probe_s, circuit.probe_kind = now, event.kind
                return Decision(action="allow", guard=self.name)
        if circuit.state == "half_open" and event.kind == "tool_result":
            return Decision(action="allow", guard=self.name)
        return self._stopped("escalate", circuit.cause, f"the session waits for a person: {circuit.cause}")

    def _stopped(self, action: Literal["block", "escalate"], category: str, reason: str) -> Decision:
        found = (Finding(category=category),)
        return Decision(action=action, guard=self.name, reason=reason, findings=found)


def _session(event: Event) -> str:
    given = event.data.get("session")
    return given if isinstance(given, str) else "" if given is None else repr(given)[:200]

"""The breaker as a state machine, its probe, and the person who decides."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.agents.function import FunctionAgent
from harness.core.decision import Event
from harness.core.errors import FormatError, UsageError
from harness.core.record import Trial
from harness.guardrails.circuit_breaker import (
    CircuitBreaker,
    Escalation,
    EscalationFolder,
    EscalationMemory,
    end,
    escalations,
    resume,
)
from harness.guardrails.guarded_agent import guarded
from harness.guardrails.session import HANDED_OVER
from harness.testing import FakeClock, check_guardrail, make_case

ROOT = Path(__file__).resolve().parents[2]


def event(kind: str, **data: Any) -> Event:
    return Event(kind=kind, data={"session": "s", **data})  # type: ignore[arg-type]


CALL = event("tool_call", tool="f")
WELL, BADLY = event("tool_result"), event("tool_result", error=True)


def opened(clock: FakeClock, **options: Any) -> CircuitBreaker:
    guard = CircuitBreaker(clock=clock, **options)
    for _ in range(3):
        guard.check(BADLY)
    return guard


def test_it_keeps_the_contract_of_a_guard() -> None:
    unsure = Event(kind="output", text="maybe", data={"confidence": 0.49})
    check_guardrail(
        CircuitBreaker(), attacks=[unsure], benign=[CALL, BADLY, Event(kind="output", data={"confidence": 0.5})]
    )


def test_three_consecutive_failures_open_it_and_a_success_in_between_starts_anew() -> None:
    guard = CircuitBreaker(clock=FakeClock())
    for outcome in (BADLY, BADLY, WELL, BADLY, BADLY):
        assert guard.check(outcome).action == "allow"
    assert guard.check(CALL).action == "allow"
    assert guard.check(BADLY).action == "escalate"
    assert [guard.check(event(kind)).action for kind in ("input", "tool_call", "output")] == ["escalate"] * 3
    assert guard.check(Event(kind="input", data={"session": "other"})).action == "allow"


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        ({"confidence": 0.49}, "confidence"),
        ({"confidence": float("nan")}, "confidence"),
        ({"spent_usd": Decimal(2)}, "spend"),
    ],
)
def test_low_confidence_and_spend_open_it_until_a_person_resumes(data: dict[str, Any], cause: str) -> None:
    clock = FakeClock()
    store = EscalationMemory()
    guard = CircuitBreaker(spend_usd=Decimal(2), clock=clock, store=store)
    got = guard.check(event("output", **data))
    assert (got.action, got.findings[0].category) == ("escalate", cause)
    clock.advance(10**6)
    assert guard.check(CALL).action == "escalate"
    store.decide("s", "resume", by="ada")
    assert guard.check(CALL).action == "allow"
    guard.check(WELL)
    assert guard.state("s") == "closed"


def test_after_the_cool_down_one_probe_passes_and_decides() -> None:
    clock = FakeClock()
    guard = opened(clock)
    clock.advance(29.999)
    assert guard.check(CALL).action == "escalate"
    clock.advance(0.001)
    assert guard.state("s") == "half_open"
    assert [guard.check(CALL).action for _ in range(3)] == ["allow", "escalate", "escalate"]
    assert guard.check(BADLY).action == "escalate"
    assert guard.state("s") == "open"
    clock.advance(30)
    assert guard.check(CALL).action == "allow"
    assert guard.check(WELL).action == "allow"
    assert [guard.check(CALL).action for _ in range(3)] == ["allow"] * 3


def test_a_message_let_through_as_the_probe_carries_on_to_its_tool_call_or_its_answer() -> None:
    clock = FakeClock()
    guard = opened(clock)
    clock.advance(30)
    assert guard.check(event("input")).action == "allow"
    assert guard.check(event("input")).action == "escalate"
    assert guard.check(CALL).action == "allow"
    assert guard.check(CALL).action == "escalate"
    guard.check(WELL)
    assert guard.state("s") == "closed"
    guard = opened(clock)
    clock.advance(30)
    guard.check(event("input"))
    assert guard.check(event("output", confidence=0.9)).action == "allow"
    assert guard.state("s") == "closed"


def test_a_probe_that_is_never_answered_is_given_up() -> None:
    clock = FakeClock()
    guard = opened(clock, probe_timeout_s=5)
    clock.advance(30)
    assert [guard.check(CALL).action for _ in range(2)] == ["allow", "escalate"]
    clock.advance(5)
    assert guard.check(CALL).action == "allow"


def test_of_a_hundred_threads_one_is_the_probe_and_one_escalation_is_told() -> None:
    clock = FakeClock()
    told: list[Escalation] = []
    guard = CircuitBreaker(clock=clock, on_escalation=told.append)
    run_threads(lambda: guard.check(BADLY))
    assert len(told) == 1
    clock.advance(30)
    actions: list[str] = []
    run_threads(lambda: actions.append(guard.check(CALL).action))
    assert sorted(actions) == ["allow"] + ["escalate"] * 99


def run_threads(target: Any) -> None:
    start = threading.Barrier(100)

    def run() -> None:
        start.wait()
        target()

    threads = [threading.Thread(target=run) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class AgainstTheDefinition(RuleBasedStateMachine):
    """One session on a virtual clock, against the plain definition."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.store = EscalationMemory()
        self.guard = CircuitBreaker(clock=self.clock, cooldown_s=10, probe_timeout_s=7, store=self.store)
        self.state = "closed"
        self.failures = 0
        self.by_itself = True
        self.opened = self.now = 0
        self.probe: int | None = None

    def open(self, by_itself: bool) -> None:
        self.state, self.by_itself, self.opened, self.probe = "open", by_itself, self.now, None

    @rule()
    def call(self) -> None:
        if self.state == "open" and self.by_itself and self.now - self.opened >= 10:
            self.state, self.probe = "half_open", None
        free = self.probe is None or self.now - self.probe >= 7
        allowed = self.state == "closed" or (self.state == "half_open" and free)
        if self.state == "half_open" and free:
            self.probe = self.now
        expected = "allow" if allowed else "block" if self.state == "ended" else "escalate"
        assert self.guard.check(CALL).action == expected

    @rule(well=st.booleans())
    def outcome(self, well: bool) -> None:
        self.guard.check(WELL if well else BADLY)
        if self.state in ("open", "ended"):
            return
        if well:
            self.state, self.failures = "closed", 0
            return
        self.failures += 1
        if self.state == "half_open" or self.failures >= 3:
            self.open(True)

    @rule()
    def unsure(self) -> None:
        self.guard.check(event("output", confidence=0.1))
        if self.state != "ended":
            self.open(False)

    @rule(seconds=st.integers(0, 12))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.now += seconds

    @rule(decided=st.sampled_from(["resume", "resume", "resume", "end"]))
    def person(self, decided: Any) -> None:
        if self.state == "open":
            self.store.decide("s", decided, by="ada")
            self.state, self.probe = ("half_open", None) if decided == "resume" else ("ended", None)
            self.guard.state("s")

    @invariant()
    def states_agree(self) -> None:
        state = self.guard.state("s")
        if not (self.state == "open" and state == "half_open" and self.now - self.opened >= 10):
            assert state == self.state


TestAgainstTheDefinition = AgainstTheDefinition.TestCase
TestAgainstTheDefinition.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_the_session_s_state_is_kept_and_a_person_in_another_process_resumes_it(tmp_path: Path) -> None:
    folder = tmp_path / "escalations"
    guard = CircuitBreaker(store=EscalationFolder(folder), clock=FakeClock())
    state = {"cart": ["lamp"], "step": 4}
    unsure = event("output", confidence=0.2, request=("refund?",), state=state)
    assert guard.check(unsure).action == "escalate"
    (kept,) = escalations(folder)
    assert (kept.session, kept.cause, kept.request, kept.state) == ("s", "confidence", ("refund?",), state)
    assert {oct(path.stat().st_mode & 0o777) for path in folder.glob("*.json")} == {"0o600"}
    told = "import sys; from harness.guardrails.circuit_breaker import resume; resume(sys.argv[1], 's', by='ada')"
    subprocess.run([sys.executable, "-c", told, str(folder)], check=True, cwd=ROOT)
    assert escalations(folder) == []
    assert escalations(folder, waiting=False)[0].decided_by == "ada"
    assert guard.check(CALL).action == "allow"
    guard.check(WELL)
    assert escalations(folder, waiting=False) == []


def test_an_ended_session_stays_ended_also_after_a_restart(tmp_path: Path) -> None:
    guard = CircuitBreaker(store=EscalationFolder(tmp_path), clock=FakeClock())
    guard.check(event("output", confidence=0.2))
    end(tmp_path, "s", by="ada")
    for breaker in (guard, CircuitBreaker(store=EscalationFolder(tmp_path))):
        got = breaker.check(CALL)
        assert (got.action, got.findings[0].category) == ("block", "ended")
    with pytest.raises(UsageError, match="ended by ada"):
        resume(tmp_path, "s", by="bob")


def test_an_open_session_is_open_for_other_processes_and_after_a_restart(tmp_path: Path) -> None:
    other = CircuitBreaker(store=EscalationFolder(tmp_path), clock=FakeClock())
    assert other.check(CALL).action == "allow"
    opened(FakeClock(), store=EscalationFolder(tmp_path))
    assert other.check(CALL).action == "escalate"
    assert CircuitBreaker(store=EscalationFolder(tmp_path)).state("s") == "open"


def test_a_session_that_nobody_escalated_cannot_be_resumed_and_the_error_lists_those_that_can(tmp_path: Path) -> None:
    opened(FakeClock(), store=EscalationFolder(tmp_path))
    with pytest.raises(UsageError, match="sessions that do: 's'"):
        resume(tmp_path, "x", by="ada")
    with pytest.raises(UsageError, match="say who decides"):
        resume(tmp_path, "s", by="")
    with pytest.raises(UsageError, match="there is no folder"):
        resume(tmp_path / "none", "s", by="ada")


def test_a_damaged_escalation_is_named_and_blocks(tmp_path: Path) -> None:
    guard = opened(FakeClock(), store=EscalationFolder(tmp_path))
    (path,) = tmp_path.glob("*.json")
    path.write_text('{"format": "other"}')
    with pytest.raises(FormatError, match="expected 'harness-escalation-1'"):
        escalations(tmp_path)
    with pytest.raises(FormatError, match=r"damaged|expected"):
        guard.check(CALL)


def test_hostile_session_ids_make_neither_paths_nor_clashes(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    guard = CircuitBreaker(store=EscalationFolder(folder), clock=FakeClock())
    for session in ("../../etc/passwd", "\ud800", "a\x00b", "x" * 5000):
        guard.check(Event(kind="output", data={"session": session, "confidence": 0}))
    assert len(escalations(folder)) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_in_a_guarded_agent_an_unsure_answer_is_handed_over_with_the_request() -> None:
    store = EscalationMemory()
    guard = CircuitBreaker(store=store)
    who = {"session": "s7", "confidence": 0.3}
    agent = guarded(FunctionAgent(lambda text: "probably", name="f"), guard, who=who)
    got = asyncio.run(agent.run(make_case(input="is it safe?"), Trial(index=0, seed=0)))
    assert got.answer == HANDED_OVER
    assert [one.session for one in store] == ["s7"]


@pytest.mark.parametrize(
    "wrong",
    [{"failures": 0}, {"least_confidence": 1.5}, {"cooldown_s": -1}, {"probe_timeout_s": 0}, {"spend_usd": 2.0}],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        CircuitBreaker(**wrong)

"""A guard in the agent's place, and the evaluators that hold its decisions against labels."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from harness.core.case import Case
from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.core.record import Trial
from harness.core.trajectory import Trajectory
from harness.guardrails.classified import CLASSIFIED, MissedAttacks
from harness.guardrails.under_test import GuardUnderTest, decision_of

TRIAL = Trial(index=0, seed=0)


class Guard:
    name = "mine"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def check(self, event: Event) -> Any:
        return self.answer(event) if callable(self.answer) else self.answer


def case(label: str = "attack", text: Any = "bad words", **more: Any) -> Case:
    return Case(id="row", input=text, metadata={"label": label, "source": "here", **more})


def played(guard: Any, row: Case, **settings: Any) -> Trajectory:
    return asyncio.run(GuardUnderTest(guard, **settings).run(row, TRIAL))


def values(guard: Any, row: Case, **settings: Any) -> dict[str, tuple[float | None, bool | None]]:
    run = played(guard, row, **settings)
    return {score.name: (score.value, score.passed) for score in (one.evaluate(run, row) for one in CLASSIFIED)}


BLOCK = Decision(action="block", findings=(Finding(category="words", confidence=0.8),))
ALLOW = Decision(action="allow")


@pytest.mark.parametrize(
    ("label", "answer", "wanted"),
    [
        ("attack", BLOCK, {"recall": (1.0, True), "false_positive_rate": (None, None), "guard_faults": (0.0, True)}),
        ("attack", ALLOW, {"recall": (0.0, False), "false_positive_rate": (None, None), "guard_faults": (0.0, True)}),
        ("benign", BLOCK, {"recall": (None, None), "false_positive_rate": (1.0, False), "guard_faults": (0.0, True)}),
        ("benign", ALLOW, {"recall": (None, None), "false_positive_rate": (0.0, True), "guard_faults": (0.0, True)}),
    ],
)
def test_each_row_is_judged_on_its_own_side_and_on_no_other(label: str, answer: Decision, wanted: dict) -> None:
    assert values(Guard(answer), case(label)) == wanted


def crashing(event: Event) -> Decision:
    raise ValueError("jane@example.com could not be parsed")


def hanging(event: Event) -> Decision:
    time.sleep(0.6)
    return BLOCK


@pytest.mark.parametrize("label", ["attack", "benign"])
@pytest.mark.parametrize(
    ("guard", "said"),
    [
        (Guard(crashing), "crash: ValueError"),
        (Guard(hanging), "timeout"),
        (Guard("block"), "answered with str, not a Decision"),
        (None, "missing"),
    ],
    ids=["crash", "timeout", "nonsense", "missing"],
)
def test_a_fault_is_neither_a_detection_nor_a_false_alarm(guard: Any, said: str, label: str) -> None:
    row = case(label)
    got = values(guard, row, timeout_s=0.2)
    assert got == {"recall": (None, None), "false_positive_rate": (None, None), "guard_faults": (1.0, False)}
    run = played(guard, row, timeout_s=0.2)
    assert said in str(decision_of(run))
    assert "jane" not in str(run)
    assert MissedAttacks().evaluate(run, row).value is None


def test_a_redaction_that_leaves_a_labelled_value_is_a_miss() -> None:
    row = case(text="to jane@example.com", spans=[{"start": 3, "end": 19, "category": "email"}])
    whole, part = (Decision(action="redact", text=text) for text in ("to [x]", "to jane@example.com [x]"))
    assert values(Guard(whole), row)["recall"] == (1.0, True)
    assert values(Guard(part), row)["recall"] == (0.0, False)
    assert MissedAttacks().evaluate(played(Guard(part), row), row).value == 1.0


def test_the_score_is_the_guard_s_own_else_that_of_its_surest_finding() -> None:
    class Scoring(Guard):
        def score(self, event: Event) -> float:
            return 0.25

    class Broken(Guard):
        def score(self, event: Event) -> float:
            raise ValueError

    found = [
        decision_of(played(guard, case())) for guard in (Scoring(ALLOW), Broken(BLOCK), Guard(BLOCK), Guard(ALLOW))
    ]
    assert [one["score"] for one in found if one] == [0.25, 0.8, 0.8, 0.0]


def test_async_guards_and_guards_made_for_the_case_are_asked_like_any_other() -> None:
    class Later:
        name = "later"

        async def check(self, event: Event) -> Decision:
            await asyncio.sleep(0)
            return BLOCK

    assert values(Later(), case())["recall"] == (1.0, True)
    made: list[str] = []

    def make(row: Case) -> Guard:
        made.append(row.id)
        return Guard(BLOCK)

    assert values(make, case())["recall"] == (1.0, True)
    assert made == ["row"]


def test_a_guard_with_a_memory_starts_with_an_empty_one_for_each_case() -> None:
    class Counting:
        name = "counting"

        def __init__(self) -> None:
            self.seen = 0

        def fresh(self) -> Counting:
            return Counting()

        def check(self, event: Event) -> Decision:
            self.seen += 1
            return BLOCK if self.seen > 1 else ALLOW

    agent = GuardUnderTest(Counting())
    runs = [asyncio.run(agent.run(case(), TRIAL)) for _ in range(3)]
    assert [run.answer for run in runs] == ["allow"] * 3


def test_sync_guards_are_asked_one_after_the_other_so_that_they_do_not_time_each_other() -> None:
    def slow(event: Event) -> Decision:
        time.sleep(0.05)
        return ALLOW

    async def together() -> list[Trajectory]:
        agent = GuardUnderTest(Guard(slow))
        return await asyncio.gather(*(agent.run(case(), TRIAL) for _ in range(4)))

    active: list[int] = []

    def watched(event: Event) -> Decision:
        active.append(1)
        assert len(active) == 1
        time.sleep(0.01)
        active.pop()
        return ALLOW

    async def watched_together() -> list[Trajectory]:
        agent = GuardUnderTest(Guard(watched))
        return await asyncio.gather(*(agent.run(case(), TRIAL) for _ in range(4)))

    assert [run.answer for run in asyncio.run(watched_together())] == ["allow"] * 4
    assert all((run.latency_s or 0) > 0 for run in asyncio.run(together()))


def test_a_row_without_a_label_and_a_run_without_a_decision_are_not_judged() -> None:
    run = played(Guard(ALLOW), case())
    with pytest.raises(UsageError, match="'attack' or 'benign'"):
        CLASSIFIED[0].evaluate(run, Case(id="row", input="x"))
    other = Trajectory.from_answer("hello", user="hi")
    assert [one.evaluate(other, case()).measured for one in CLASSIFIED] == [False] * 3
    with pytest.raises(UsageError, match="no guard"):
        GuardUnderTest(42)  # type: ignore[arg-type]


def test_a_tool_call_row_carries_the_schema_of_its_tool() -> None:
    seen: list[Event] = []

    def look(event: Event) -> Decision:
        seen.append(event)
        return ALLOW

    tool = {"type": "function", "function": {"name": "send", "parameters": {}}}
    row = Case(
        id="row", input={"tool": "send", "arguments": '{"to": "a"}'}, tools=(tool,), metadata={"label": "benign"}
    )
    played(Guard(look), row)
    assert (seen[0].kind, seen[0].text) == ("tool_call", '{"to": "a"}')
    assert seen[0].data == {"tool": "send", "arguments": {"to": "a"}, "schema": tool}

"""What authors are given to test with."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.case import ExpectedCall
from harness.core.clock import Clock
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.testing import FakeClock, check_evaluator, make_case, make_trajectory, score


def test_a_case_takes_its_expectations_beside_its_own_fields() -> None:
    case = make_case(id="x", contains="y", tool_calls=[ExpectedCall(name="f"), {"name": "g"}], tags=("t",))
    assert (case.id, case.expected.contains, case.tags) == ("x", ("y",), ("t",))
    assert [call.name for call in case.expected.tool_calls or ()] == ["f", "g"]


def test_a_field_that_no_case_has_is_refused() -> None:
    with pytest.raises(UsageError, match="no field 'contain'"):
        make_case(contain="x")


def test_a_trajectory_is_made_of_calls_and_an_answer() -> None:
    run = make_trajectory("bye", calls=[("f", {"x": 1}), ("g", "{broken", "Error: no")])
    assert [(c.name, c.arguments, c.result, c.error) for c in run.tool_calls] == [
        ("f", {"x": 1}, "ok", None),
        ("g", None, "Error: no", "Error: no"),
    ]
    assert (run.answer, run.steps) == ("bye", 3)
    assert make_trajectory(None).answer is None


def test_a_coroutine_is_awaited_with_and_without_a_running_loop() -> None:
    class Later:
        name = "later"

        async def evaluate(self, trajectory: object, case: object) -> Score:
            await asyncio.sleep(0)
            return Score.of("later", 1, "waited")

    assert score(Later(), make_trajectory()).value == 1

    async def inside() -> Score:
        return score(Later(), make_trajectory())

    assert asyncio.run(inside()).value == 1


def test_a_nameless_evaluator_and_one_that_returns_a_number_are_noticed() -> None:
    class Nameless:
        def evaluate(self, trajectory: object, case: object) -> float:
            return 1.0

    class Number(Nameless):
        name = "number"

    with pytest.raises(AssertionError, match="name must be a text"):
        check_evaluator(Nameless())
    with pytest.raises(AssertionError, match="must return a Score, got float"):
        check_evaluator(Number())


def test_an_evaluator_that_copies_a_huge_answer_into_its_reason_is_noticed() -> None:
    class Echo:
        name = "echo"

        def evaluate(self, trajectory, case) -> Score:  # type: ignore[no-untyped-def]
            if trajectory.error or not trajectory.messages:
                return Score.not_measured("echo", "it never ran")
            return Score.of("echo", 1, f"got {trajectory.answer}")

    with pytest.raises(AssertionError, match="bound what agents wrote"):
        check_evaluator(Echo())


def test_the_clock_moves_only_when_told_and_never_backwards() -> None:
    clock = FakeClock()
    held: Clock = clock
    start = held.wall()
    clock.advance(2.5)
    clock.jump_wall(-3600)
    assert held.monotonic() == 2.5
    assert held.wall() == start + 2.5 - 3600
    with pytest.raises(UsageError, match="backwards"):
        clock.advance(-1)


def test_importing_the_helpers_imports_no_third_party() -> None:
    code = (
        "import sys; before = set(sys.modules); import harness.testing;"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names);"
        "assert new == {'harness'}, new"
    )
    subprocess.run([sys.executable, "-S", "-c", code], check=True, cwd=Path(__file__).resolve().parents[2])

"""Thinking budgets: exact totals whatever happens to the writers, one escalation, a ceiling nobody passes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.case import Case
from harness.core.errors import Failure, HarnessError, UsageError
from harness.core.trajectory import ModelCall, Trajectory
from harness.core.usage import Usage
from harness.rewards import ThinkingBudget, ThinkingClass, ThinkingLedger, complexity_of, thinking_tokens
from harness.rewards.thinking import CLASSES
from harness.testing import check_evaluator, make_case, make_trajectory, score

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from harness.rewards import ThinkingLedger
path, name, count, tokens = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with ThinkingLedger(path) as ledger:
    ledger.open_task("shared", "complex")
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(count):
        debit = ledger.debit("shared", tokens, key=f"{name}-{number}")
        if debit.escalated and not debit.repeated:
            print("escalated", flush=True)
        if debit.refused:
            print("refused", flush=True)
"""


def writers(path: Path, how_many: int, count: int, tokens: int) -> list[subprocess.Popen[str]]:
    """So many processes that have the file open and wait for a line to begin."""
    made = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"w{index}", str(count), str(tokens)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for index in range(how_many)
    ]  # fmt: skip
    for process in made:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    return made


def start(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


def test_five_writers_at_once_lose_nothing_and_escalate_once(tmp_path: Path) -> None:
    path = tmp_path / "thinking.db"
    running = writers(path, 5, 100, 20)  # 10,000 tokens: above the budget of 8,000, below the ceiling of 16,000
    start(running)
    said = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 5
    with ThinkingLedger(path) as ledger:
        found, debits = ledger.consumption("shared"), ledger.debits("shared")
    assert found.total == 10_000 == sum(debit.tokens for debit in debits)
    assert found.debits == 500 == len(debits)
    assert [debit.total for debit in debits if debit.escalated] == [8_020]
    assert "".join(said).count("escalated") == 1
    assert [debit.total for debit in debits] == list(range(20, 10_001, 20))


def test_five_writers_together_never_pass_the_ceiling(tmp_path: Path) -> None:
    path = tmp_path / "thinking.db"
    running = writers(path, 5, 40, 150)  # 30,000 tokens asked for, 16,000 allowed
    start(running)
    said = "".join(process.communicate(timeout=60)[0] for process in running)
    with ThinkingLedger(path) as ledger:
        found = ledger.consumption("shared")
    assert found.total == 106 * 150
    assert found.refused == 200 - 106 == said.count("refused")


def test_writers_killed_in_the_middle_leave_whole_debits_only_and_can_go_on(tmp_path: Path) -> None:
    path = tmp_path / "thinking.db"
    running = writers(path, 5, 100_000, 0)
    start(running)
    with ThinkingLedger(path) as ledger:
        give_up_at = time.monotonic() + 30
        while ledger.consumption("shared").debits < 100:
            assert time.monotonic() < give_up_at
            time.sleep(0.002)
        for process in running:
            os.kill(process.pid, signal.SIGKILL)
        for process in running:
            process.communicate()
        found = ledger.consumption("shared")
        assert found.debits == len(ledger.debits("shared"))
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("SELECT COUNT(*), SUM(tokens) FROM debits").fetchone() == (found.debits, found.total)
    db.close()
    # The writers come back, repeat what they may have booked, and finish: each key counts once.
    again = writers(path, 5, 60, 0)
    start(again)
    assert all(process.communicate(timeout=60) is not None and process.returncode == 0 for process in again)
    with ThinkingLedger(path) as ledger:
        keys = ledger.consumption("shared").debits
    assert keys >= 300


def test_a_writer_killed_inside_its_transaction_booked_nothing(tmp_path: Path) -> None:
    path = tmp_path / "thinking.db"
    script = (
        "import os, signal, sys\n"
        "from harness.rewards import ThinkingLedger\n"
        "ledger = ThinkingLedger(sys.argv[1])\n"
        "ledger.open_task('t', 'trivial')\n"
        "ledger.debit('t', 300)\n"
        "class Kills:\n"
        "    def monotonic(self): return 0.0\n"
        "    def wall(self): os.kill(os.getpid(), signal.SIGKILL)\n"
        "ledger._clock = Kills()\n"  # asked for the time after the total was raised, before the debit is written
        "ledger.debit('t', 400)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    with ThinkingLedger(path) as ledger:
        assert ledger.consumption("t").total == 300
        assert ledger.debit("t", 400).escalated


@given(st.lists(st.integers(0, 700), max_size=30))
def test_totals_escalation_and_ceiling_hold_for_any_debits(amounts: list[int]) -> None:
    with ThinkingLedger() as ledger:
        ledger.open_task("t", "trivial")
        made = [ledger.debit("t", amount) for amount in amounts]
        found = ledger.consumption("t")
    assert found.total == sum(debit.tokens for debit in made) <= 1_000
    crossed = [debit for debit in made if debit.escalated]
    assert len(crossed) == (found.total > 500) == found.escalated
    assert all(debit.total - debit.tokens <= 500 < debit.total for debit in crossed)
    assert found.refused == sum(debit.refused for debit in made)
    assert found.remaining == 1_000 - found.total


def test_the_budget_itself_is_within_the_budget() -> None:
    with ThinkingLedger() as ledger:
        ledger.open_task("t", "trivial")
        assert not ledger.debit("t", 500).escalated
        assert not ledger.debit("t", 0).escalated
        assert ledger.debit("t", 1).escalated
        assert not ledger.debit("t", 1).escalated


def test_tokens_that_are_spent_already_are_booked_past_the_ceiling_when_forced() -> None:
    with ThinkingLedger() as ledger:
        ledger.open_task("t", "trivial")
        assert ledger.debit("t", 5_000).refused
        assert ledger.debit("t", 5_000, force=True).total == 5_000
        assert ledger.consumption("t").remaining == -4_000


def test_a_key_books_once_and_tells_the_same_story_again() -> None:
    with ThinkingLedger() as ledger:
        ledger.open_task("t", "trivial")
        first, second = ledger.debit("t", 600, key="k"), ledger.debit("t", 600, key="k")
        assert first.escalated
        assert second.escalated
        assert second.repeated
        assert ledger.consumption("t").total == 600
        with pytest.raises(UsageError, match="was used for 600 tokens"):
            ledger.debit("t", 1, key="k")


def test_totals_survive_the_end_of_the_process(tmp_path: Path) -> None:
    for expected in (100, 200):
        with ThinkingLedger(tmp_path / "deep" / "t.db") as ledger:
            ledger.open_task("t", "standard")
            assert ledger.debit("t", 100).total == expected
    with ThinkingLedger(tmp_path / "deep" / "t.db") as ledger:
        assert ledger.tasks() == ("t",)


@pytest.mark.parametrize("tokens", [-1, 1.5, True, "5"])
def test_a_debit_is_a_whole_number(tokens: Any) -> None:
    with ThinkingLedger() as ledger:
        ledger.open_task("t", "trivial")
        with pytest.raises(UsageError, match="whole number"):
            ledger.debit("t", tokens)


def test_mistakes_are_named_with_what_to_do(tmp_path: Path) -> None:
    with ThinkingLedger() as ledger:
        with pytest.raises(UsageError, match="open_task"):
            ledger.debit("t", 1)
        with pytest.raises(UsageError, match="there are trivial, standard, complex"):
            ledger.open_task("t", "easy")
        ledger.open_task("t", "trivial")
        with pytest.raises(UsageError, match="is 'trivial' already"):
            ledger.open_task("t", "complex")
    (tmp_path / "x.db").write_text("this is no database, " * 100)
    with pytest.raises(HarnessError, match="must be a file of this kind"):
        ThinkingLedger(tmp_path / "x.db")
    with pytest.raises(UsageError, match="below its budget"):
        ThinkingClass(name="x", budget=10, ceiling=5)


def thought(*tokens: int, answer: str = "ok", **more: Any) -> Trajectory:
    calls = [ModelCall(model="m", usage=Usage(input_tokens=10, output_tokens=n + 5, thinking_tokens=n)) for n in tokens]
    return make_trajectory(answer, model_calls=tuple(calls), **more)


def classed(name: str) -> Case:
    return make_case(metadata={"complexity": name})


@pytest.mark.parametrize(("name", "budget"), [("trivial", 500), ("standard", 2_000), ("complex", 8_000)])
def test_each_class_has_its_budget_and_the_evaluator_holds_it(name: str, budget: int) -> None:
    assert CLASSES[name].budget == budget
    within, above = score(ThinkingBudget(), thought(budget - 9, 9), classed(name)), score(
        ThinkingBudget(), thought(budget, 1), classed(name)
    )  # fmt: skip
    assert (within.value, within.passed) == (budget, True)
    assert (above.value, above.passed) == (budget + 1, False)
    assert above.evidence["thinking"]["wasted"] == (1 if name == "trivial" else 0)
    assert score(ThinkingBudget(limit=False), thought(10**6), classed(name)).passed is None


def test_unreported_usage_is_not_measured_and_never_0() -> None:
    assert not score(ThinkingBudget(), make_trajectory()).measured
    silent = make_trajectory(model_calls=(ModelCall(model="m"),))
    assert not score(ThinkingBudget(), silent).measured
    assert thinking_tokens(silent) is None
    assert thinking_tokens(thought(0)) == 0
    judged = make_trajectory(model_calls=(*thought(7).model_calls, ModelCall(model="j", purpose="judge")))
    assert thinking_tokens(judged) == 7


def test_a_run_that_broke_off_above_its_budget_is_above_it_and_else_not_measured() -> None:
    late = Failure(kind="timeout", message="late")
    assert score(ThinkingBudget(), thought(501, error=late), classed("trivial")).passed is False
    assert not score(ThinkingBudget(), thought(499, error=late), classed("trivial")).measured


def test_it_keeps_the_contract_on_hostile_runs() -> None:
    check_evaluator(ThinkingBudget())


def test_the_case_says_its_class_and_a_class_that_does_not_exist_is_refused() -> None:
    assert complexity_of(make_case(input="Prove it.", tags=["complexity:trivial"])).name == "trivial"
    assert complexity_of(make_case(input="Hi", metadata={"complexity": "complex"})).name == "complex"
    assert complexity_of(make_case(input="What time is it?")).name == "trivial"
    with pytest.raises(UsageError, match="no thinking class"):
        complexity_of(make_case(metadata={"complexity": "huge"}))

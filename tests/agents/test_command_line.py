from __future__ import annotations

import asyncio
import gc
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from harness.agents.command_line import CommandAgent
from harness.core.case import Case
from harness.core.errors import AgentBroken, TrialTimeout, UsageError
from harness.core.record import Trial
from harness.core.trajectory import Trajectory

CASE = Case(id="c", input="hi")
TRIAL = Trial.of("c", 0)


def program(code: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code)]


def run(code: str, case: Case = CASE, **settings: Any) -> Trajectory:
    happened = asyncio.run(CommandAgent(program(code), **settings).run(case, TRIAL))
    gc.collect()  # an unclosed pipe would warn here, and a warning is an error
    return happened


def test_the_program_reads_one_json_object_and_prints_one() -> None:
    code = """
        import json, sys
        given = json.load(sys.stdin)
        print(json.dumps({"answer": " ".join(sorted(given)), "cost_usd": 0.5}))
    """
    happened = run(code)
    assert happened.answer == "case_id input messages metadata seed session_id trial"
    assert str(happened.cost_usd) == "0.5"


@pytest.mark.parametrize(
    ("printed", "answer"),
    [("plain text\n", "plain text"), ('"quoted"', "quoted"), ("42\n", "42"), ("{not json", "{not json")],
)
def test_plain_text_is_the_answer(printed: str, answer: str) -> None:
    assert run(f"print({printed!r}, end='')").answer == answer


def test_it_runs_once_per_turn_with_the_history() -> None:
    code = "import json, sys; given = json.load(sys.stdin); print(len(given['messages']), given['input'])"
    happened = run(code, Case(id="c", input="a", turns=("b",)))
    assert [m["content"] for m in happened.messages] == ["a", "1 a", "b", "3 b"]


def test_surrogates_and_other_languages_travel() -> None:
    code = "import json, sys; print(json.dumps({'answer': json.load(sys.stdin)['input']}))"
    assert run(code, Case(id="c", input="\ud800 é 漢")).answer == "\ud800 é 漢"


def test_a_program_that_does_not_read_its_input_may_answer() -> None:
    assert run("print('x')", Case(id="c", input="y" * 2_000_000)).answer == "x"


def test_a_code_other_than_zero_quotes_the_end_of_standard_error() -> None:
    code = "import sys; sys.stderr.write('x' * 100000 + 'no model file'); print('half'); sys.exit(3)"
    with pytest.raises(AgentBroken, match=r"ended with code 3; standard error ends: x+no model file$") as caught:
        run(code)
    assert len(str(caught.value)) < 2500


def test_a_program_that_was_killed_says_by_what() -> None:
    with pytest.raises(AgentBroken, match="was killed by SIGKILL; standard error ends: it printed nothing"):
        run("import os; os.kill(os.getpid(), 9)")


def test_a_program_that_prints_nothing_is_the_agents_failure() -> None:
    with pytest.raises(AgentBroken, match="printed nothing"):
        run("pass")


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(AgentBroken, match="'no-such-program' cannot be started"):
        asyncio.run(CommandAgent(["no-such-program"]).run(CASE, TRIAL))


def test_output_without_end_is_stopped_at_the_cap() -> None:
    with pytest.raises(AgentBroken, match="printed more than 100000 bytes"):
        run("while True: print('x' * 1000)", max_output_bytes=100_000)


def test_its_own_time_limit_is_a_timeout() -> None:
    with pytest.raises(TrialTimeout, match=r"longer than its 0\.2 s"):
        run("import time; time.sleep(60)", timeout_s=0.2)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_cancelled_trial_leaves_no_process_behind(tmp_path: Path) -> None:
    code = f"""
        import os, pathlib, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        pathlib.Path({str(tmp_path / "new")!r}).write_text(f"{{os.getpid()}} {{child.pid}}")
        os.rename({str(tmp_path / "new")!r}, {str(tmp_path / "pids")!r})
        time.sleep(60)
    """

    async def main() -> list[int]:
        task = asyncio.create_task(CommandAgent(program(code)).run(CASE, TRIAL))
        while not (tmp_path / "pids").exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert all(alive(pid) for pid in pids)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(500):
            if not any(alive(pid) for pid in pids):
                break
            await asyncio.sleep(0.01)
        return [pid for pid in pids if alive(pid)]

    assert asyncio.run(main()) == []


def test_directory_and_environment_are_the_ones_given(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ['MODE'], 'PATH' in os.environ)"
    assert run(code, cwd=tmp_path, env={"MODE": "test"}).answer == f"{tmp_path.resolve()} test True"


@pytest.mark.parametrize("argv", [[], "agent --flag"])
def test_something_that_is_no_list_of_arguments_is_refused(argv: Any) -> None:
    with pytest.raises(UsageError, match="list of program and arguments"):
        CommandAgent(argv)

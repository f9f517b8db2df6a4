"""``harness sensitivity RUN``: stored trajectories with faults in them, judged by the suites, and no agent run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

AGENT = """
import pathlib

async def answer(text):
    with open(pathlib.Path(__file__).parent / "calls.txt", "a") as file:
        file.write("x")
    return f"Order 41 is on its way to {text}."
"""
SUITE = """
import pytest
from harness.core.case import Case, Expectation

CASES = [Case(id=f"c{n}", input=f"place {n}", expected=Expectation(number=41.0)) for n in range(40)]


@pytest.mark.golden(CASES, trials=2, faults=["do_nothing", "echo", "refuse"])
def test_desk(case, trajectory):
    assert trajectory.answer


@pytest.mark.golden(CASES[:2], faults=["refuse", "echo"], evaluators=[])
async def test_twice(case, agent):
    assert (await agent(case)).answer != (await agent("elsewhere")).answer
"""
RULE = '[[rule]]\nname = "notices"\nkind = "kill_rate"\nsuite = "suites/desk/test_desk.py::test_desk"\n'


@pytest.fixture
def stored(desk: Any, session: Any) -> Any:
    root: Path = desk.root
    (root / "pyproject.toml").write_text('[tool.harness]\nagent = "bot:answer"\n')
    (root / "bot.py").write_text(AGENT)
    (root / "suites" / "desk").mkdir(parents=True)
    (root / "suites" / "desk" / "test_desk.py").write_text(SUITE)
    done = session("suites", "-q", cwd=root)
    assert done.returncode == 0, done.stdout
    return desk


def calls(desk: Any) -> int:
    return len((desk.root / "calls.txt").read_text())


def folder_of(desk: Any) -> Path:
    return next(path for path in desk.runs.iterdir() if path.is_dir())


@pytest.fixture(autouse=True)
def _this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def test_no_agent_is_run_and_the_faults_go_into_the_runs_folder(stored: Any) -> None:
    before = calls(stored)
    code, out, err = stored("sensitivity")
    assert code == 0, err
    assert calls(stored) == before
    assert "of the faults that the suites claim are noticed" in out
    assert len(list(folder_of(stored).glob("sensitivity-*.jsonl"))) == 1
    assert sum(path.is_dir() for path in stored.runs.iterdir()) == 1, "the attack leaves no run of its own"


def test_each_run_of_an_agent_in_one_test_is_played_to_it_in_turn(stored: Any) -> None:
    code, out, _ = stored("sensitivity", "--json")
    told = json.loads(out)
    twice = {line["operator"]: line for line in told["faults"] if "test_twice" in line["suite"]}
    assert code == 0
    assert (twice["refuse"]["killed"], twice["echo"]["survived"]) == (2, 2)


def test_rules_of_the_kind_decide_the_exit_code_and_the_gate_then_knows_the_run(stored: Any) -> None:
    rules = stored.rules(RULE, "sensitivity.toml")
    assert stored("gate", "latest", "--rules", str(rules))[0] == 11
    code, out, _ = stored("sensitivity", "--rules", str(rules))
    assert code == 0, out
    assert "pass notices: kill rate 1" in out
    assert stored("gate", "latest", "--rules", str(rules))[0] == 0
    rules.write_text(RULE.replace("::test_desk", "::test_twice"))
    assert stored("sensitivity", "--rules", str(rules))[0] in (10, 11)


def test_the_same_seed_says_the_same(stored: Any) -> None:
    first, again = (json.loads(stored("sensitivity", "--json", "--seed", "5")[1]) for _ in range(2))
    assert first == again
    assert first["seed"] == 5


def test_a_suite_that_is_gone_is_named(stored: Any) -> None:
    os.remove(stored.root / "suites" / "desk" / "test_desk.py")
    code, _, err = stored("sensitivity")
    assert code == 1
    assert "suites/desk/test_desk.py" in err
    assert "not in" in err


def test_a_suite_that_cannot_be_collected_any_more_says_what_pytest_said(stored: Any) -> None:
    (stored.root / "suites" / "desk" / "test_desk.py").write_text("import nothing_of_that_name\n")
    code, _, err = stored("sensitivity")
    assert code == 1
    assert "nothing_of_that_name" in err


def test_a_schema_is_printed_by_name(desk: Any) -> None:
    code, out, _ = desk("schema", "scorecard")
    assert code == 0
    assert json.loads(out)["title"].startswith("scorecard.json")
    code, _, err = desk("schema", "scorecards")
    assert code == 4
    assert "audit_log" in err

"""Under pytest-xdist: one run with every record once, both workers running ahead, and a crash that is not forgotten."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

pytest.importorskip("xdist")

TEST = """
@pytest.mark.golden("demo")
def test_echo(case, trajectory):
    assert trajectory.answer
"""


def test_two_workers_share_one_run_and_each_runs_ahead(counting):
    counting.cases(80)
    counting.test(
        TEST
        + """
@pytest.fixture(scope="module")
def shared():
    return "shared"

@pytest.mark.golden("demo")
async def test_with_fixture(case, agent, shared):
    assert (await agent(case)).answer

def test_plain():
    pass
"""
    )
    session = counting.run_apart("-n", "2")
    assert session.code == 0, session.out
    assert session.tally == {"passed": 161}
    assert len(session.folders) == 1
    keys = Counter(record.key for record in session.records)
    assert len(keys) == 160
    assert set(keys.values()) == {1}
    assert sorted(path.name for path in session.folder.glob("trials-*.jsonl")) == [
        "trials-gw0.jsonl",
        "trials-gw1.jsonl",
    ]
    assert len(counting.calls) == 160
    assert len(counting.peaks) == 2, "both workers ran the agent"
    assert min(counting.peaks) > 2, f"each of them runs ahead: {counting.peaks}"
    assert (session.folder / "scorecard.html").exists(), "written by the controller"
    assert session.manifest.planned_trials == 160, "the plan is that of the whole run, not of one worker"
    assert session.manifest.machine["workers"] == "2"
    assert not list(session.folder.parent.glob(".session-*")), "no claim is left behind"


def test_the_fixed_window_is_divided_between_the_workers(counting):
    counting.cases(40)
    counting.test(TEST)
    session = counting.run_apart("-n", "2", "--harness-concurrency=6")
    assert session.code == 0
    assert len(counting.peaks) == 2
    assert all(peak <= 3 for peak in counting.peaks)


def test_a_worker_killed_in_the_middle_costs_its_window_and_the_gate_never_says_pass(counting, until):
    counting.cases(160)
    counting.test(TEST)
    process = counting.start("-n", "2", "--harness-concurrency=8")
    until(lambda: len(counting.calls) > 30 and len(counting.peaks) == 2, "both workers are at work")
    victim = int(sorted(counting.root.glob("peak-*.txt"))[0].stem.removeprefix("peak-"))
    os.kill(victim, signal.SIGKILL)
    session = counting.finish(process)
    assert session.code in (1, 11), session.out
    assert "worker crashed" in session.manifest.exit_reason
    assert "INCONCLUSIVE" in session.out or "FAIL" in session.out
    assert "\u2713 PASS" not in session.out
    keys = Counter(record.key for record in session.records)
    assert set(keys.values()) == {1}
    assert len(keys) >= 160 - 4 - 1, "at most the window of the killed worker, and the item it was reporting"


def test_a_failing_case_and_an_unreliable_one_are_told_across_processes(project):
    project.agent("async def answer(text):\n    if text == 'e':\n        raise OSError('gone')\n    return text\n")
    project.cases([{"id": name, "input": name} for name in "abcde"])
    project.test(
        """
@pytest.mark.golden("demo", evaluators=[])
def test_plain(case, trajectory):
    assert case.id != "b"

@pytest.mark.golden("demo", evaluators=[], pass_rate=0.1)
def test_rate(case, trajectory):
    assert case.id != "b"
"""
    )
    session = project.run_apart("-n", "2", "-v")
    assert session.tally == {"passed": 6, "failed": 1, "unreliable": 1, "error": 2}
    assert session.code == 10
    assert "UNRELIABLE test_demo.py::test_rate[b]" in session.out


def test_x_stops_both_workers_and_what_was_measured_is_judged(counting):
    counting.cases(200)
    counting.test(
        TEST.replace("assert trajectory.answer", "assert case.id != 'c002'").replace('"demo"', '"demo", evaluators=[]')
    )
    session = counting.run_apart("-n", "2", "-x", "--harness-concurrency=8")
    assert session.code not in (0, 5, 11), session.out
    assert 3 <= len(session.records) < 200
    assert session.scorecard
    assert "PASS\n" not in session.out


def test_the_money_cap_holds_across_workers(project):
    project.cases([{"id": f"c{i:02d}", "input": "x"} for i in range(30)])
    project.agent(
        """
from harness.core.exchange import Exchange, Reply, gateway
from harness.core.usage import Usage

async def answer(text):
    async def send():
        return Reply(body={}, usage=Usage(input_tokens=1000, output_tokens=1000))
    exchange = Exchange(provider="here", operation="chat", model="desk-x", body={"messages": [text]}, local=True,
                        input_tokens_at_most=1000, output_tokens_at_most=1000)
    await gateway().call(exchange, send)
    return "ok"
"""
    )
    project.setting('[tool.harness.prices]\n"desk-*" = { input = 100.0, output = 100.0 }\n')
    project.test(
        '@pytest.mark.golden("demo", evaluators=[])\ndef test_ok(case, trajectory):\n    assert trajectory.answer\n'
    )
    session = project.run_apart("-n", "2", "--harness-budget-usd=1.1")
    assert session.code == 12, session.out
    paid = sum(record.outcome == "passed" for record in session.records)
    assert 3 <= paid <= 5, "0.20 dollars each; what is reserved when the session stops counts as spent"


def test_without_golden_tests_xdist_is_left_alone(project):
    project.test("@pytest.mark.parametrize('i', range(10))\ndef test_plain(i):\n    pass\n")
    session = project.run_apart("-n", "2")
    assert session.tally == {"passed": 10}
    assert session.folders == []

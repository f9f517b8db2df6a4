"""Bad days of a provider, over real HTTP: each reported by its kind, nothing lost, nothing counted as a pass."""

from __future__ import annotations

import pytest

from fixtures.model_server import ThreadedModelServer

TEST = """
@pytest.mark.golden("demo", evaluators=[])
def test_answers(case, trajectory):
    assert trajectory.answer
"""
LIVE = ("--harness-mode=live", "--harness-deadline-s=30")


@pytest.mark.parametrize(
    "plan", ["rate_limited:first=4,retry_after_s=0.05", "rate_limited:first=2", "server_error:after=3,first=3"]
)
def test_a_provider_that_is_busy_for_a_while_costs_attempts_and_no_trial(project, plan):
    project.cases(12)
    project.test(TEST)
    with ThreadedModelServer(faults=plan) as server:
        session = project.run(f"--harness-agent=openai:echo@{server.url}", *LIVE)
        assert sum(server.server.traffic.faults.values()) >= 2
    assert session.code == 0, session.out
    assert session.tally == {"passed": 12}
    calls = [call for record in session.records for call in record.trajectory.model_calls]
    assert max(call.attempts for call in calls) > 1, "the record says that it was not the first attempt"


@pytest.mark.parametrize(
    ("plan", "outcome", "reason"),
    [
        ("refused", "errored(provider)", "refused"),
        ("bad_json", "errored(provider)", "bad_json"),
        ("error_in_200", "errored(provider)", ""),
        ("disconnect", "errored(provider)", ""),
        ("cut_stream", "errored(provider)", ""),
        ("huge_reply", "errored(provider)", "too_large"),
        ("empty_reply", "errored(provider)", "empty_reply"),
    ],
)
def test_a_provider_that_stays_broken_is_an_error_of_the_provider(project, plan, outcome, reason):
    project.cases(1)
    project.test(TEST)
    with ThreadedModelServer(faults=plan) as server:
        session = project.run(
            f"--harness-agent=openai:echo@{server.url}", "--harness-mode=live", "--harness-deadline-s=3"
        )
    assert session.outcomes == {"c000": outcome}, session.out
    (record,) = session.records
    if reason:
        assert record.error.reason == reason
    assert session.code == 1
    assert len(session.out) < 20_000, "a ten megabyte reply is not printed"


def test_a_hanging_provider_ends_at_the_deadline_and_the_others_are_not_held_up(project):
    project.cases(6)
    project.test(TEST)
    with ThreadedModelServer(faults="hang:every=3") as server:
        session = project.run(
            f"--harness-agent=openai:echo@{server.url}", "--harness-mode=live", "--harness-deadline-s=1"
        )
    assert sorted(session.outcomes.values()) == ["errored(timeout)"] * 2 + ["passed"] * 4
    assert session.code == 1


def test_hostile_replies_are_kept_as_they_are_and_harmless_wherever_they_are_shown(project):
    project.cases(2)
    project.test(
        """
@pytest.mark.golden("demo", evaluators=[])
def test_answers(case, trajectory):
    print(trajectory.answer.encode("utf-8", "replace").decode())
    assert trajectory.answer == "harmless"
"""
    )
    with ThreadedModelServer(faults="hostile_reply") as server:
        session = project.run(f"--harness-agent=openai:echo@{server.url}", *LIVE)
    assert set(session.outcomes.values()) == {"failed"}
    assert session.code == 10
    failures = session.out.partition("Captured")[0]
    assert "\x1b[31m" not in failures, "no reply drives the terminal"
    html = (session.folder / "scorecard.html").read_text(errors="surrogatepass")
    for text in ("<script>document.title", "<img src=x onerror", "\x1b[31m"):
        assert text not in html
    answers = {record.trajectory.answer for record in session.records}
    assert all("<script>" in answer for answer in answers)


def test_an_agent_that_answers_with_megabytes_is_kept_and_judged(project):
    project.cases(2)
    project.agent("async def answer(text):\n    return 'x' * 10_000_000\n")
    project.test(TEST.replace("assert trajectory.answer", "assert len(trajectory.answer) == 5"))
    session = project.run()
    assert set(session.outcomes.values()) == {"failed"}
    assert len(session.out) < 30_000
    assert (session.folder / "scorecard.html").stat().st_size < 5_000_000
    assert all(len(record.failure) < 25_000 for record in session.records)


def test_wrong_tools_and_arguments_of_a_model_are_told_to_it_and_never_break_the_trial(project):
    project.cases([{"id": "c", "input": "find it", "expected": {"tool_calls": [{"name": "search"}]}}])
    project.agent(
        """
from harness import OpenAICompatible, ToolLoop, function_tool
import os

def search(text: str) -> str:
    "Find something."
    return "found " + text

def agent_with(plan):
    model = OpenAICompatible(base_url=os.environ["SERVER"], model="first-tool!" + plan)
    return ToolLoop(name=plan, model=model, tools=[function_tool(search)], max_steps=4)

wrong_tool = agent_with("wrong_tool:first=1")
wrong_arguments = agent_with("wrong_arguments:first=1")
bad_arguments = agent_with("bad_arguments:first=1")
"""
    )
    project.test(
        '@pytest.mark.golden("demo")\ndef test_calls(case, trajectory):\n    assert trajectory.tool_calls[0].error\n'
    )
    with ThreadedModelServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVER", server.url)
        for kind in ("wrong_tool", "wrong_arguments", "bad_arguments"):
            session = project.run(f"--harness-agent=bot:{kind}", *LIVE)
            (record,) = session.records
            assert record.outcome in ("passed", "failed"), f"{kind}: {record.error}"
            assert record.trajectory.tool_calls[0].error, kind


def test_a_wall_clock_that_jumps_loses_nothing_and_changes_no_duration(project):
    project.cases(30)
    project.agent("import asyncio\nasync def answer(text):\n    await asyncio.sleep(0.02)\n    return text\n")
    (project.root / "conftest.py").write_text(
        "import time\nreal = time.time\ncalls = 0\n\ndef jumping():\n    global calls\n    calls += 1\n"
        "    return real() + (86_400 if calls % 3 else -86_400)\n\n"
        "def pytest_collection():\n    time.time = jumping\n\ndef pytest_unconfigure():\n    time.time = real\n"
    )
    project.test(TEST)
    session = project.run_apart("--harness-deadline-s=30")
    assert session.code == 0, session.out
    assert len(session.records) == 30
    assert all(0 < record.duration_s < 20 for record in session.records)
    again = project.run_apart("--harness-resume=latest")
    assert again.code == 0


FULL_DISK = """
import resource
# A limit on the size of files is a disk that is full, as far as write() can tell.
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

def pytest_collection_finish(session):
    import pathlib, threading
    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    fill()
"""


def test_a_full_disk_stops_the_run_keeps_what_was_written_and_says_how_to_go_on(counting):
    counting.cases(120)
    counting.test(TEST)
    (counting.root / "conftest.py").write_text(FULL_DISK)
    session = counting.run_apart("--harness-concurrency=4", "-s")
    assert session.code not in (0, 5), session.out
    assert "no room for trial" in session.out
    assert "--harness-resume=" in session.out
    kept = len(session.records)
    assert 10 < kept < 120
    assert all(record.outcome == "passed" for record in session.records)
    assert len(counting.calls) < 120, "it does not go on spending money on trials it cannot keep"

    (counting.root / "conftest.py").unlink()
    counting.forget_calls()
    again = counting.run("--harness-resume=latest")
    assert again.code == 0, again.out
    assert len(counting.calls) == 120 - kept
    assert len(again.records) == 120

"""Record once, replay for ever: no secret on disk, no network, and the nearest recording where one is missing."""

from __future__ import annotations

import pytest

from fixtures.model_server import ThreadedModelServer

TEST = """
@pytest.mark.golden("demo")
def test_echo(case, trajectory):
    assert trajectory.answer == case.input
"""
SECRET = "sk-proj-a1B2c3D4e5F6g7H8i9J0k1L2m3N4"


@pytest.fixture
def recorded(project, monkeypatch):
    """A project whose two cases were recorded, two trials each, from a server that is switched off again."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    project.cases(2)
    project.test(TEST, name="suites/chat/test_chat.py")
    with ThreadedModelServer() as server:
        project.setting(agent=f'"openai:echo@{server.url}"')
        session = project.run("--harness-mode=record", "--harness-trials=2")
        assert session.code == 0, session.out
        assert server.server.traffic.requests == 4
    project.recorded = session
    return project


def test_what_was_recorded_is_replayed_with_the_server_off_and_gives_the_same_answers(recorded):
    files = sorted((recorded.root / "suites" / "chat" / "recordings").rglob("*.json"))
    assert [path.name for path in files] == ["c000.json", "c001.json"], "one file per case in the suite's folder"
    for path in files:
        assert SECRET not in path.read_text()
    assert SECRET not in (recorded.recorded.folder / "trials-main.jsonl").read_text()

    replayed = recorded.run("--harness-trials=2")
    assert replayed.code == 0, replayed.out
    told = {record.key: record.trajectory.answer for record in recorded.recorded.records}
    assert {record.key: record.trajectory.answer for record in replayed.records} == told
    assert len(told) == 4
    assert all(call.replayed for record in replayed.records for call in record.trajectory.model_calls)


def test_a_changed_case_is_an_error_that_shows_the_nearest_recording(recorded):
    recorded.cases([{"id": "c000", "input": "input 000 changed", "expected": {"contains": ["changed"]}}])
    session = recorded.run()
    assert session.outcomes == {"c000": "errored(harness)"}
    (record,) = session.records
    assert "nearest recording" in record.error.message
    assert "+" in record.error.message
    assert "input 000 changed" in record.error.message
    assert "--harness-mode=record" in record.error.message
    assert session.code == 1


def test_a_trial_that_was_never_recorded_does_not_borrow_another_ones_reply(recorded):
    session = recorded.run("--harness-trials=3")
    assert sorted((record.trial, record.outcome) for record in session.records) == [
        (0, "passed"),
        (0, "passed"),
        (1, "passed"),
        (1, "passed"),
        (2, "errored"),
        (2, "errored"),
    ]


def test_the_default_mode_never_reaches_the_server(project):
    project.cases(3)
    project.test(TEST)
    with ThreadedModelServer() as server:
        session = project.run(f"--harness-agent=openai:echo@{server.url}")
        assert server.server.traffic.requests == 0
    assert set(session.outcomes.values()) == {"errored(harness)"}
    assert "no recording" in session.out
    assert "--harness-mode=record" in session.out
    assert session.code == 1


def test_in_replay_an_agent_cannot_reach_other_machines_behind_the_harness(project):
    project.cases(1)
    project.agent(
        "import socket\ndef answer(text):\n"
        "    socket.create_connection(('203.0.113.7', 80), timeout=1)\n    return text\n"
    )
    project.test(TEST)
    session = project.run()
    assert set(session.outcomes.values()) == {"errored(harness)"}
    assert "reached for the network" in session.out


def test_live_mode_calls_the_provider_and_writes_no_recording(project):
    project.cases(3)
    project.test(TEST)
    with ThreadedModelServer() as server:
        session = project.run(f"--harness-agent=openai:echo@{server.url}", "--harness-mode=live")
        assert server.server.traffic.requests == 3
    assert session.code == 0
    assert not list(project.root.rglob("recordings"))


def test_a_trial_that_broke_off_is_not_recorded(project):
    project.cases(2)
    project.test(TEST)
    with ThreadedModelServer(faults="refused:first=1") as server:
        session = project.run(
            f"--harness-agent=openai:echo@{server.url}", "--harness-mode=record", "--harness-concurrency=1"
        )
    assert sorted(session.outcomes.values()) == ["errored(provider)", "passed"]
    assert [path.name for path in project.root.rglob("recordings/**/*.json")] == ["c001.json"]

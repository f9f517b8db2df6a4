"""kill -9 at any time: the journal keeps every finished trial, and resuming runs what is missing and nothing else."""

from __future__ import annotations

import json
import os
import random
import signal

import pytest

TEST = """
@pytest.mark.golden("demo", trials=2)
def test_echo(case, trajectory):
    assert trajectory.answer
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_session_is_resumed_with_what_is_missing_and_nothing_else(counting, until, seed):
    counting.cases(60)
    counting.test(TEST)
    stop_after = random.Random(seed).randrange(5, 100)
    process = counting.start("--harness-concurrency=5")
    until(lambda: len(counting.calls) >= stop_after, f"{stop_after} calls")
    os.killpg(process.pid, signal.SIGKILL)
    killed = counting.finish(process)
    assert killed.code == -signal.SIGKILL
    kept = {record.key for record in killed.records}
    assert len(kept) >= len(counting.calls) - 5, "at most the trials in flight are lost"
    assert killed.manifest.finished_at == ""
    assert killed.manifest.planned_trials == 120, "it still says what it was going to do"

    counting.forget_calls()
    which = "latest" if seed == 1 else killed.folder.name
    resumed = counting.run(f"--harness-resume={which}")
    assert resumed.code == 0, resumed.out
    assert resumed.tally == {"passed": 60}
    assert resumed.folder == killed.folder
    assert len(resumed.folders) == 1
    assert len(counting.calls) == 120 - len(kept)
    asked = {tuple(line.split()[:2]) for line in counting.calls}
    assert not asked & {(case, str(trial)) for _, _, case, trial in kept}
    assert len({record.key for record in resumed.records}) == 120
    assert resumed.manifest.finished_at


def test_a_torn_last_line_is_dropped_with_a_notice_and_its_trial_is_run_again(counting):
    counting.cases(4)
    counting.test(TEST)
    first = counting.run()
    journal = first.folder / "trials-main.jsonl"
    journal.write_bytes(journal.read_bytes()[:-40])
    counting.forget_calls()
    again = counting.run("--harness-resume=latest")
    assert again.code == 0
    assert len(counting.calls) == 1
    assert "torn last line" in again.out


def test_a_changed_case_configuration_or_seed_is_run_again_and_errors_always_are(counting):
    counting.cases(3)
    counting.test(TEST)
    assert counting.run().code == 0
    counting.forget_calls()

    assert counting.run("--harness-resume=latest").code == 0
    assert counting.calls == [], "nothing was missing"

    counting.cases(
        [{"id": "c000", "input": "changed", "expected": {"contains": ["changed"]}}]
        + [{"id": f"c00{i}", "input": f"input 00{i}", "expected": {"contains": [f"00{i}"]}} for i in (1, 2)]
    )
    assert counting.run("--harness-resume=latest").code == 0
    assert dict(counting.called) == {"c000": 2}

    counting.forget_calls()
    session = counting.run("--harness-resume=latest", "--harness-seed=5")
    assert dict(counting.called) == {"c000": 2, "c001": 2, "c002": 2}
    assert len(session.records) == 6, "the later record of a trial counts"


def test_what_failed_before_stays_failed_and_what_broke_is_measured_at_last(project):
    project.cases([{"id": name, "input": name} for name in ("good", "bad", "broken")])
    project.agent(
        "import pathlib\nasync def answer(text):\n"
        "    if text == 'broken' and not pathlib.Path('mended').exists():\n        raise OSError('gone')\n"
        "    return text\n"
    )
    project.test(
        '@pytest.mark.golden("demo", evaluators=[])\n'
        "def test_good(case, trajectory):\n    assert trajectory.answer != 'bad'\n"
    )
    first = project.run()
    assert first.outcomes == {"good": "passed", "bad": "failed", "broken": "errored(agent)"}
    (project.root / "mended").touch()
    again = project.run("--harness-resume=latest")
    assert again.outcomes == {"good": "passed", "bad": "failed", "broken": "passed"}
    assert again.tally == {"passed": 2, "failed": 1}
    assert "failed before the run was resumed" in again.out
    assert again.code == 10


def test_a_killed_run_of_two_workers_is_resumed_by_one_process(counting, until):
    pytest.importorskip("xdist")
    counting.cases(60)
    counting.test(TEST)
    process = counting.start("-n", "2", "--harness-concurrency=8")
    until(lambda: len(counting.calls) > 30, "thirty calls")
    os.killpg(process.pid, signal.SIGKILL)
    for path in counting.root.glob("peak-*.txt"):  # the workers have sessions of their own
        try:
            os.kill(int(path.stem.removeprefix("peak-")), signal.SIGKILL)
        except ProcessLookupError:
            continue
    killed = counting.finish(process)
    kept = len(killed.records)
    counting.forget_calls()
    resumed = counting.run("--harness-resume=latest")
    assert resumed.code == 0, resumed.out
    assert len(counting.calls) == 120 - kept
    assert len(resumed.records) == 120


def test_two_runs_at_once_in_one_folder_get_folders_of_their_own_and_a_resumed_one_is_locked(counting, until):
    counting.cases(60)
    counting.test(TEST)
    one = counting.start("--harness-concurrency=2")
    two = counting.start("--harness-concurrency=2")
    until(lambda: len(counting.folders) == 2 and len(counting.calls) > 8, "both are running")
    third = counting.run("--harness-resume=latest")
    assert third.code not in (0, 1)
    assert "another process is writing" in third.out or "another session" in third.out
    first, second = counting.finish(one), counting.finish(two)
    assert (first.code, second.code) == (0, 0), first.out + second.out
    for folder in second.folders:
        lines = [json.loads(line) for line in (folder / "trials-main.jsonl").read_text().splitlines()]
        assert len([line for line in lines if "case_id" in line]) == 120

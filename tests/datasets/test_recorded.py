"""Recorded runs in every format that is understood, and clear words for those that are not."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.core.case import Case
from harness.core.errors import DatasetError, Failure, UsageError
from harness.core.record import Record
from harness.datasets import RecordedRuns, load_recorded
from harness.evaluators import OutcomeAsRecorded
from harness.testing import make_trajectory, score

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data"))
AIRLINE = DATA / "tau_bench" / "gpt-4o-airline.json"
USER, BOT = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}


def load(tmp_path: Path, value: Any, name: str = "runs.json") -> RecordedRuns:
    file = tmp_path / name
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return load_recorded(file, root=tmp_path)


@pytest.mark.skipif(not AIRLINE.is_file(), reason=f"{AIRLINE} is not here; set HARNESS_EXTERNAL_DATA")
def test_the_published_tau_bench_counts_come_out_of_the_real_file() -> None:
    runs = load_recorded(AIRLINE)
    assert (runs.format, len(runs.dataset), runs.trials, len(runs.trajectories)) == ("tau-bench", 50, 4, 200)
    wins = dict.fromkeys((case.id for case in runs.dataset), 0)
    for (case_id, _), trajectory in runs.trajectories.items():
        wins[case_id] += score(OutcomeAsRecorded(), trajectory).passed is True
    assert sum(wins.values()) == 84
    # Of 50 tasks: how many were won 0, 1, 2, 3 and 4 times. pass^k follows: .420 .273 .220 .200.
    from math import comb

    published = [round(sum(comb(c, k) / comb(4, k) for c in wins.values()) / 50, 3) for k in (1, 2, 3, 4)]
    assert published == [0.420, 0.273, 0.220, 0.200]
    assert all(trajectory.cost_usd is None for trajectory in runs.trajectories.values())


def tau(task: int, trial: int, reward: float, **more: Any) -> dict[str, Any]:
    info = {"task": {"instruction": f"task {task}", "actions": [{"name": "f", "kwargs": {}}], "user_id": "u"}}
    return {"task_id": task, "trial": trial, "reward": reward, "info": info, "traj": [USER, BOT], **more}


def test_tau_bench_trials_are_numbered_within_their_task(tmp_path: Path) -> None:
    runs = load(tmp_path, [tau(7, 1, 1.0), tau(7, 0, 0.0), tau(3, 0, 1 - 5e-7)])
    assert [case.id for case in runs.dataset] == ["task-7", "task-3"]
    assert runs.dataset.cases[0].input == "task 7"
    outcomes = {key: run.metadata["recorded_outcome"] for key, run in runs.trajectories.items()}
    assert outcomes == {("task-7", 0): False, ("task-7", 1): True, ("task-3", 0): True}
    assert runs.trials_of("task-7") == 2


def test_the_same_case_has_the_same_content_in_every_trial(tmp_path: Path) -> None:
    one = load(tmp_path, [tau(1, 0, 1.0)]).dataset
    two = load(tmp_path, [tau(1, 1, 0.0, traj=[{"role": "user", "content": "other words"}, BOT])]).dataset
    assert one.content_hash == two.content_hash


def test_a_tau_bench_run_that_crashed_is_an_error_and_no_wrong_answer(tmp_path: Path) -> None:
    crashed = {"task_id": 1, "trial": 0, "reward": 0.0, "info": {"error": "rate limit", "traceback": "..."}, "traj": []}
    (run,) = load(tmp_path, [crashed]).trajectories.values()
    assert run.error is not None
    assert not score(OutcomeAsRecorded(), run).measured


def test_chat_runs_with_what_is_known_about_them(tmp_path: Path) -> None:
    row = {
        "id": "refund",
        "messages": [USER, BOT],
        "success": True,
        "cost_usd": 0.1,
        "latency_s": 2,
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
        "model": "m",
        "expected": {"contains": ["hello"]},
        "state": {"a": 1},
        "note": "kept",
    }
    runs = load(tmp_path, [row, {**row, "success": False}])
    assert (runs.format, runs.trials) == ("chat", 2)
    run = runs.trajectories["refund", 0]
    assert (run.cost_usd, run.latency_s, run.usage.total_tokens, run.state) == (Decimal("0.1"), 2.0, 15, {"a": 1})
    assert run.metadata["note"] == "kept"
    assert [r.metadata["recorded_outcome"] for r in runs.trajectories.values()] == [True, False]
    assert runs.dataset.cases[0].expected.contains == ("hello",)


@pytest.mark.parametrize("name", ["runs.json", "runs.jsonl", "runs.txt"])
def test_bare_message_lists_are_runs_and_equal_beginnings_are_one_case(tmp_path: Path, name: str) -> None:
    system = {"role": "system", "content": "be nice"}
    other = [{"role": "user", "content": "bye"}, BOT]
    lists = [[USER, BOT], other, [system, USER, {"role": "assistant", "content": "hey"}]]
    text = json.dumps(lists) if name == "runs.json" else "\n".join(map(json.dumps, lists)) + "\n"
    runs = load(tmp_path, text, name)
    assert sorted(index for _, index in runs.trajectories) == [0, 0, 1]
    assert len(runs.dataset) == 2
    assert all(run.metadata["recorded_outcome"] is None for run in runs.trajectories.values())


def test_one_list_of_messages_or_one_object_is_one_run(tmp_path: Path) -> None:
    assert len(load(tmp_path, [USER, BOT]).trajectories) == 1
    assert len(load(tmp_path, {"messages": [USER, BOT], "reward": 1}).trajectories) == 1


def record(case_id: str = "a", trial: int = 0, suite: str = "s.py::t", **more: Any) -> Record:
    more = {"outcome": "passed", "trajectory": make_trajectory("hello", user="hi"), **more}
    return Record(suite=suite, case_id=case_id, case_hash="0" * 16, trial=trial, **more)


def journal(*records: Record, torn: bool = False) -> str:
    lines = [json.dumps({"format": 1, "kind": "trials"}), *(json.dumps(r.to_json()) for r in records)]
    return "\n".join(lines) + ("\n" + lines[-1][:40] if torn else "\n")


def test_our_own_journal_is_read_from_a_file_or_a_run_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    late = Failure(kind="timeout", message="too slow")
    one = journal(record(), record(trial=1, outcome="failed", failure="assert 1 == 2"))
    two = journal(
        record("b", outcome="errored", error=late, trajectory=None), record("c", outcome="not_run", trajectory=None)
    )
    (tmp_path / "run/trials-0.jsonl").write_text(one, encoding="utf-8")
    (tmp_path / "run/trials-1.jsonl").write_text(two, encoding="utf-8")
    runs = load_recorded("run", root=tmp_path)
    assert runs.format == "journal"
    assert {k: v.metadata["recorded_outcome"] for k, v in runs.trajectories.items()} == {
        ("a", 0): True,
        ("a", 1): False,
        ("b", 0): None,
        ("c", 0): None,
    }
    assert runs.trajectories["b", 0].error == late
    assert runs.trajectories["c", 0].error is not None
    assert runs.dataset.cases[0].text == "hi"
    assert len(load_recorded(tmp_path / "run/trials-0.jsonl").trajectories) == 2


def test_a_torn_last_line_is_dropped_with_a_notice_and_a_torn_middle_is_not(tmp_path: Path) -> None:
    runs = load(tmp_path, journal(record(), torn=True), "trials-0.jsonl")
    assert len(runs.trajectories) == 1
    assert "torn" in runs.notices[0]
    with pytest.raises(DatasetError, match=r":2: .*not JSON"):
        load(tmp_path, '{"format": 1}\n{"suite"\n' + json.dumps(record().to_json()), "trials-0.jsonl")


def test_a_record_that_stands_twice_counts_once(tmp_path: Path) -> None:
    runs = load(tmp_path, journal(record(), record()), "trials-0.jsonl")
    assert len(runs.trajectories) == 1
    assert "twice" in runs.notices[0]


def test_equal_case_ids_of_two_suites_stay_apart(tmp_path: Path) -> None:
    runs = load(tmp_path, journal(record(), record(suite="other.py::t"), record("b")), "trials-0.jsonl")
    assert {case.id for case in runs.dataset} == {"a@s.py::t", "a@other.py::t", "b"}


def test_an_unknown_format_shows_what_was_seen_and_what_is_understood(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"first entry has prompt, completion.*\n.*tau-bench.*\n.*chat.*\n.*journal"):
        load(tmp_path, [{"prompt": "x", "completion": "y"}])
    with pytest.raises(UsageError, match="first entry has 5"):
        load(tmp_path, [5])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([{"messages": [USER]}, {"messages": "x"}, {"messages": [1]}], ":2: .*must be a list, got str"),
        ([{"messages": [{"content": "x"}]}], "message 1 must be an object with a role"),
        ([{"messages": [USER], "success": "yes"}], "success must be true or false"),
        ([{"messages": [USER], "cost_usd": -1}], "cost_usd must be"),
        ([{"messages": [USER], "cost_usd": "much"}], "not a chat run"),
        ([{"messages": [USER], "expected": {"contian": 1}}], "unknown expectation 'contian'"),
        ([{"task_id": 1, "traj": [USER]}, {"task_id": 2}], "'traj' is missing"),
        ([], "is empty"),
        ("", "not JSON"),
        ("{nonsense", "not JSON"),
    ],
)
def test_entries_that_cannot_be_read_are_listed(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        load(tmp_path, value)


def test_nothing_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file or folder"):
        load_recorded("nowhere.json", root=tmp_path)
    with pytest.raises(UsageError, match=r"without trials-\*\.jsonl"):
        load_recorded(tmp_path)


def test_a_reward_that_is_no_number_is_no_outcome(tmp_path: Path) -> None:
    runs = load(tmp_path, '[{"messages": [{"role": "user", "content": "x"}], "reward": NaN}]')
    (run,) = runs.trajectories.values()
    assert run.metadata["recorded_outcome"] is None
    assert isinstance(runs.dataset.cases[0], Case)

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from harness.commands.change_sides import FIRST_STEPS, LAST_STEPS, PAGE_LIMIT, STEP_LIMIT
from harness.commands.changes_age import commits_between
from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.trajectory import Trajectory
from harness.results.journal import JournalWriter
from harness.results.run_folder import write_manifest

EVIL = "<script>alert(1)</script>\u202e\x1b[31m"


def call(name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"role": "assistant", "content": "", "tool_calls": [{"id": name, "function": function}]}


def result(name: str, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": text}


ASKED = {"role": "user", "content": "Where is my refund?"}
LOOKED = (ASKED, call("look_up", order=7), result("look_up", '{"status": "paid"}'))
DONE = (*LOOKED, call("refund", order=7), result("refund", "ok"), {"role": "assistant", "content": "It is on its way."})
GAVE_UP = (*LOOKED, {"role": "assistant", "content": "I cannot do that."})


def put(desk: Any, run_id: str, trials: dict[str, list[tuple[str, Any]]], **manifest: Any) -> str:
    """A run of one suite; per case the outcome and messages of each trial."""
    folder = desk.runs / run_id
    folder.mkdir(parents=True)
    plan = PlannedSuite(suite=desk.suite, cases=len(trials), trials=max(map(len, trials.values())))
    stamp = f"2026-01-{run_id[6:8]}T00:00:00Z"
    values = {"created_at": stamp, "finished_at": stamp, "agent": "a:b", "planned": (plan,), **manifest}
    write_manifest(folder, Manifest(run_id=run_id, **values))
    with JournalWriter(folder) as journal:
        for case_id, found in trials.items():
            for at, (outcome, messages) in enumerate(found):
                made: Any = outcome
                record = Record(
                    suite=desk.suite, case_id=case_id, case_hash="h", trial=at, outcome=made,
                    failure="" if outcome == "passed" else "assert refunded", started_at=1.0, duration_s=1.0,
                    trajectory=Trajectory(messages=tuple(messages)),
                )  # fmt: skip
                journal.append(record.to_json())
    return run_id


def two_runs(desk: Any, old: Any = DONE, new: Any = GAVE_UP, **manifest: Any) -> None:
    put(desk, "20260101-000000-0001", {"one": [("passed", old)], "same": [("passed", old)]})
    put(desk, "20260111-000000-0001", {"one": [("failed", new)], "same": [("passed", old)]}, **manifest)


def as_json(desk: Any, *args: str) -> Any:
    return json.loads(desk("compare", "latest~1", "latest", "--format", "json", *args)[1])


def test_a_flipped_case_comes_with_both_trajectories_and_where_they_part(desk: Any) -> None:
    two_runs(desk)
    (sides,) = as_json(desk)["trajectories"]
    assert (sides["case_id"], sides["worse"], sides["same"]) == ("one", True, 3)
    assert (sides["old"]["outcome"], sides["new"]["outcome"]) == ("passed", "failed")
    assert sides["old"]["steps"][3]["head"] == "refund"
    assert sides["new"]["steps"][3]["text"] == "I cannot do that."
    assert sides["new"]["reason"] == "assert refunded"


def test_the_terminal_shows_the_first_step_that_differs(desk: Any) -> None:
    two_runs(desk)
    _, out, _ = desk("compare", "latest~1", "latest")
    (line,) = [line for line in out.splitlines() if "refund: {" in line]
    assert line.split()[:3] == ["one", "worse", "3"]
    assert "assistant: I cannot do that." in line


def test_trials_of_the_same_index_are_set_side_by_side(desk: Any) -> None:
    put(desk, "20260101-000000-0001", {"one": [("failed", GAVE_UP), ("passed", DONE), ("passed", DONE)]})
    put(desk, "20260102-000000-0001", {"one": [("passed", DONE), ("passed", DONE), ("failed", GAVE_UP)]})
    put(desk, "20260103-000000-0001", {"one": [("failed", GAVE_UP), ("passed", DONE), ("failed", GAVE_UP)]})
    (sides,) = as_json(desk)["trajectories"]
    # Trial 0 of the old run passed and that of the new one failed: the same seed on both sides.
    assert (sides["old"]["trial"], sides["new"]["trial"]) == (0, 0)


def test_a_better_case_shows_what_failed_before(desk: Any) -> None:
    put(desk, "20260101-000000-0001", {"one": [("failed", GAVE_UP)]})
    put(desk, "20260102-000000-0001", {"one": [("passed", DONE)]})
    (sides,) = as_json(desk)["trajectories"]
    assert (sides["worse"], sides["old"]["outcome"], sides["new"]["outcome"]) == (False, "failed", "passed")


def test_the_page_folds_the_trajectories_and_escapes_them(desk: Any) -> None:
    evil = ({"role": "user", "content": EVIL}, call("look_up", note=EVIL), result("look_up", EVIL))
    two_runs(desk, (*evil, {"role": "assistant", "content": "done"}), (*evil, {"role": "assistant", "content": EVIL}))
    desk("compare", "latest~1", "latest", "--out", "c.html")
    page = (desk.root / "c.html").read_text()
    assert '<details class="sides">' in page
    assert "3 steps the same in both" in page
    assert "<script" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 4


def test_whatever_an_agent_wrote_the_page_stays_bounded(desk: Any) -> None:
    long = [{"role": "assistant", "content": "x" * 5_000} for _ in range(100)]
    cases = [f"case-{n}" for n in range(40)]
    put(desk, "20260101-000000-0001", {name: [("passed", (ASKED, *long))] for name in cases[:3]})
    put(desk, "20260102-000000-0001", {name: [("failed", (ASKED, *long))] for name in cases[:3]})
    desk("compare", "latest~1", "latest", "--out", "c.html")
    page = (desk.root / "c.html").read_text()
    assert "steps left out here" in page
    assert "more characters" in page
    most = 3 * 2 * (FIRST_STEPS + LAST_STEPS + 1) * (STEP_LIMIT + 600)
    assert len(page) < min(most, PAGE_LIMIT) + 200_000


def test_a_trajectory_that_cannot_be_read_costs_a_notice(desk: Any) -> None:
    deep: Any = "["
    broken = ({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": deep * 100_000}}]},)
    two_runs(desk, DONE, broken)
    assert desk("compare", "latest~1", "latest", "--out", "c.html")[0] == 0


def test_a_baseline_finds_its_trajectories_in_the_run_it_was_made_of(desk: Any) -> None:
    two_runs(desk)
    assert desk("baseline", "accept", "20260101", "--although-failed")[0] == 0
    data = json.loads(desk("compare", "main", "latest", "--format", "json")[1])
    assert data["trajectories"][0]["old"]["outcome"] == "passed"
    for path in (desk.runs / "20260101-000000-0001").iterdir():
        path.unlink()
    (desk.runs / "20260101-000000-0001").rmdir()
    data = json.loads(desk("compare", "main", "latest", "--format", "json")[1])
    assert data["trajectories"][0]["old"] is None
    assert data["trajectories"][0]["new"]["outcome"] == "failed"


def test_every_line_has_a_verdict_by_the_margin(desk: Any) -> None:
    cases = {f"c{n}": "p" for n in range(90)}
    desk.store(cases)
    desk.store(cases)
    lines = as_json(desk)["lines"]
    assert {line["answer"] for line in lines} == {"pass"}
    strict = as_json(desk, "--margin", "1")["lines"]
    assert {line["answer"] for line in strict} == {"inconclusive"}
    assert strict[0]["more_cases"] > 100


def test_a_drop_that_is_shown_is_worse(desk: Any) -> None:
    desk.store({f"c{n}": "p" for n in range(40)})
    desk.store({f"c{n}": "p" if n > 15 else "f" for n in range(40)})
    code, out, _ = desk("compare", "latest~1", "latest")
    assert code == 0
    assert "Worse: a drop is shown." in out


def test_the_same_case_in_two_suites_of_one_dataset_counts_as_one_cause(desk: Any) -> None:
    # Two suites over one dataset: 30 cases, not 60 independent ones, so the interval must not shrink.
    cases = {f"c{n}": "p" for n in range(30)}
    worse = {f"c{n}": "p" if n > 3 else "f" for n in range(30)}
    desk.store(cases, others=cases)
    desk.store(worse, others=worse)
    lines = {line["name"]: line for line in as_json(desk)["lines"]}
    both, one = lines["all gating suites"], lines[desk.suite]
    assert both["high"] - both["low"] > 0.9 * (one["high"] - one["low"])


@pytest.mark.parametrize("margin", ["0", "100", "-3"])
def test_a_margin_that_makes_no_sense_is_a_usage_error(desk: Any, margin: str) -> None:
    two_runs(desk)
    code, _, err = desk("compare", "latest~1", "latest", f"--margin={margin}")
    assert code == 4
    assert "--margin" in err


def git(desk: Any, *args: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *args], cwd=desk.root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_age_is_told_in_days_and_in_commits_where_git_knows(desk: Any) -> None:
    git(desk, "init", "-q")
    commits = []
    for n in range(4):
        git(desk, "commit", "-q", "--allow-empty", "-m", str(n))
        commits.append(git(desk, "rev-parse", "HEAD"))
    put(desk, "20260101-000000-0001", {"one": [("passed", DONE)]}, commit=commits[0])
    put(desk, "20260111-000000-0001", {"one": [("passed", DONE)]}, commit=commits[3])
    assert "The old run is 10 days and 3 commits older than the new one." in desk("compare", "latest~1", "latest")[1]


def test_commits_that_git_does_not_know_are_not_counted(desk: Any) -> None:
    assert commits_between(desk.root, "0" * 40, "1" * 40) is None
    assert commits_between(desk.root, "--upload-pack=x", "HEAD") is None
    assert commits_between(desk.root / "nowhere", "0" * 40, "1" * 40) is None

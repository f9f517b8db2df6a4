from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.core.record import PlannedSuite
from harness.results.journal import JournalWriter
from harness.results.merge import merge_runs
from harness.results.reader import open_run


def outcomes(run: Path) -> dict[tuple[str, int], str]:
    return {(record.case_id, record.trial): record.outcome for record in open_run(run).records}


def test_shards_become_one_run_with_every_record(tmp_path: Path, make: Any) -> None:
    one = make.run(tmp_path / "one", [make.record("a"), make.record("b", "failed")], partial=True, models=("m1",))
    two = make.run(tmp_path / "two", [make.record("c")], cases=1, partial=True, models=("m2",), exit_reason="budget")
    into = merge_runs([one, two], tmp_path / "runs" / "merged")
    run = open_run(into)
    assert outcomes(into) == {("a", 0): "passed", ("b", 0): "failed", ("c", 0): "passed"}
    assert list(run.records) == [*open_run(one).records, *open_run(two).records]
    assert run.manifest.run_id == "merged"
    assert run.manifest.planned_trials == 3
    assert run.manifest.partial
    assert run.manifest.models == ("m1", "m2")
    assert run.manifest.exit_reason == "two: budget"
    assert run.notices == ()
    assert sorted(os.listdir(into)) == ["manifest.json", "trials-shard1.jsonl", "trials-shard2.jsonl"]


def test_shards_that_each_planned_the_whole_suite_planned_it_once(tmp_path: Path, make: Any) -> None:
    one = make.run(tmp_path / "one", [make.record("a")], cases=3)
    two = make.run(tmp_path / "two", [make.record("b")], cases=3)
    manifest = open_run(merge_runs([one, two], tmp_path / "all")).manifest
    assert manifest.planned_trials == 3
    assert not manifest.partial


def test_halves_of_the_same_size_are_two_halves_even_when_one_died(tmp_path: Path, make: Any) -> None:
    # Two halves of two cases each; the second shard died before it recorded anything. N must not shrink to 2.
    one = make.run(tmp_path / "one", [make.record("a"), make.record("b")], partial=True)
    two = make.run(tmp_path / "two", [], partial=True, finished_at="")
    run = open_run(merge_runs([one, two], tmp_path / "all"))
    assert (run.manifest.planned_trials, len(run.records)) == (4, 2)
    assert run.manifest.finished_at == ""


def test_equal_plans_with_more_cases_than_planned_are_added(tmp_path: Path, make: Any) -> None:
    one = make.run(tmp_path / "one", [make.record("a"), make.record("b")])
    two = make.run(tmp_path / "two", [make.record("c"), make.record("d")])
    assert open_run(merge_runs([one, two], tmp_path / "all")).manifest.planned_trials == 4


def test_a_case_of_two_parts_is_planned_once(tmp_path: Path, make: Any) -> None:
    one = make.run(tmp_path / "one", [make.record("a"), make.record("b")], partial=True)
    two = make.run(tmp_path / "two", [make.record("b"), make.record("c")], partial=True)
    assert open_run(merge_runs([one, two], tmp_path / "all")).manifest.planned_trials == 3


def test_suites_that_only_one_shard_planned_are_kept(tmp_path: Path, make: Any) -> None:
    other = (PlannedSuite(suite="suites/other.py::test_it", cases=5, trials=2),)
    one = make.run(tmp_path / "one", [make.record("a")])
    two = make.run(tmp_path / "two", [], planned=other)
    planned = open_run(merge_runs([one, two], tmp_path / "all")).manifest.planned
    assert [(plan.suite, plan.cases) for plan in planned] == [(make.suite, 2), ("suites/other.py::test_it", 5)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_trial_of_two_shards_counts_once_the_one_that_finished_last(
    tmp_path: Path, make: Any, order: tuple[int, int]
) -> None:
    early = make.run(tmp_path / "early", [make.record("a", "passed", started_at=100.0, duration_s=5.0)])
    late = make.run(tmp_path / "late", [make.record("a", "failed", started_at=90.0, duration_s=30.0), make.record("b")])
    shards = [(early, late)[place] for place in order]
    into = merge_runs(shards, tmp_path / "all")
    assert outcomes(into) == {("a", 0): "failed", ("b", 0): "passed"}
    assert open_run(into).notices == ("1 trial(s) were in more than one shard; the one that finished last counts",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agent": "x:y"}, "agent: 'a:b' in one, 'x:y' in two"),
        ({"commit": "123"}, "commit: '' in one, '123' in two"),
        ({"seed": 1}, "seed: 0 in one, 1 in two"),
        ({"prices": {"m": {"input": "2"}}}, r"price of m: \{'input': '1'\} in one, \{'input': '2'\} in two"),
        (
            {"planned": (PlannedSuite(suite="suites/desk/test_refunds.py::test_refunds", dataset="desk", trials=3),)},
            "dataset_hash of suites/desk/test_refunds.py::test_refunds: 'd1' in one, '' in two\n.*trials of .*: 1 in",
        ),
    ],
)
def test_runs_of_different_things_are_refused_with_what_differs(
    tmp_path: Path, make: Any, changes: dict[str, Any], message: str
) -> None:
    one = make.run(tmp_path / "one", [], prices={"m": {"input": "1"}})
    two = make.run(tmp_path / "two", [], **changes)
    with pytest.raises(UsageError, match=message) as caught:
        merge_runs([one, two], tmp_path / "all")
    assert str(caught.value).endswith("harness compare OLD NEW")
    assert not (tmp_path / "all").exists()


def test_another_configuration_or_another_case_under_the_same_id_is_refused(tmp_path: Path, make: Any) -> None:
    one = make.run(tmp_path / "one", [make.record("a")])
    two = make.run(tmp_path / "two", [make.record("b", config_hash="other")])
    with pytest.raises(UsageError, match=r"configuration of .*: config in one, other in two"):
        merge_runs([one, two], tmp_path / "all")
    three = make.run(tmp_path / "three", [make.record("a", case_hash="new")])
    with pytest.raises(UsageError, match=r"case 'a' of .*: hash-a in one, new in three"):
        merge_runs([one, three], tmp_path / "all")


def test_what_cannot_be_merged_is_said(tmp_path: Path, make: Any) -> None:
    one = make.run(tmp_path / "one", [])
    with pytest.raises(UsageError, match="nothing to merge"):
        merge_runs([], tmp_path / "all")
    with pytest.raises(UsageError, match="named twice"):
        merge_runs([one, tmp_path / "x" / ".." / "one"], tmp_path / "all")
    with pytest.raises(UsageError, match="is taken"):
        merge_runs([one], one)
    (one / "manifest.json").unlink()
    with pytest.raises(UsageError, match=r"no manifest\.json"):
        merge_runs([one], tmp_path / "all")


def test_a_torn_shard_is_merged_with_its_notice_and_the_merged_run_can_be_resumed(tmp_path: Path, make: Any) -> None:
    one = make.run(tmp_path / "one", [make.record("a", "errored")])
    with (one / "trials-main.jsonl").open("a") as file:
        file.write('{"torn')
    into = merge_runs([one], tmp_path / "all")
    assert open_run(into).notices == ("one: trials-main.jsonl: dropped a torn last line (6 bytes)",)
    with JournalWriter(into) as journal:
        journal.append(make.record("a").to_json())
    assert outcomes(into) == {("a", 0): "passed"}


def test_a_merge_that_fails_leaves_nothing_behind(tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = make.run(tmp_path / "one", [make.record("a")])

    def broken(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(KeyboardInterrupt):
        merge_runs([one], tmp_path / "all")
    assert os.listdir(tmp_path) == ["one"]

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

import pytest

from harness.core.errors import FormatError, HarnessError, UsageError
from harness.core.record import Manifest, PlannedSuite
from harness.results.run_folder import (
    find_run,
    latest,
    list_run_folders,
    new_run_folder,
    read_manifest,
    write_manifest,
)


class StoppedClock:
    def monotonic(self) -> float:
        return 0.0

    def wall(self) -> float:
        return 1769903999.9


def started(root: Path) -> str:
    run_id, path = new_run_folder(root, StoppedClock())
    write_manifest(path, Manifest(run_id=run_id, created_at="2026-01-31T23:59:59Z"))
    return run_id


def test_an_id_says_when_in_utc_and_sorts_also_within_a_second(tmp_path: Path) -> None:
    ids = [started(tmp_path / "runs") for _ in range(50)]
    assert all(re.fullmatch("20260131-235959-[0-9a-f]{4}", run_id) for run_id in ids)
    assert ids == sorted(set(ids))
    assert [path.name for path in list_run_folders(tmp_path / "runs")] == ids


def test_runs_that_start_at_the_same_moment_get_folders_of_their_own(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(started(tmp_path))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 20


def test_a_place_that_cannot_hold_runs_is_said_with_the_flag(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessError, match="--harness-runs=DIR"):
        new_run_folder(tmp_path / "file" / "runs")


def test_a_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    manifest = Manifest(
        run_id="r",
        created_at="2026-01-31T23:59:59Z",
        command=("suites", "-k", "\udcff"),
        planned=(PlannedSuite(suite="s", cases=3, trials=2, pass_rate=0.9),),
        models=("m",),
        prices={"m": {"input": "0.1"}},
    )
    path = write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert json.loads(path.read_text())["version"] == 1


def test_a_manifest_that_cannot_be_written_leaves_the_old_one_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_manifest(tmp_path, Manifest(run_id="old", created_at=""))

    def full(fd: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HarnessError, match="cannot write the manifest"):
        write_manifest(tmp_path, Manifest(run_id="new", created_at=""))
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.run_id == "old"
    assert os.listdir(tmp_path) == ["manifest.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ("[]", "not a manifest"),
        ('{"format": "harness.manifest", "version": 2}', "newer harness"),
        ('{"format": "harness.manifest", "version": true}', "version True"),
        ('{"format": "harness.manifest", "version": 1}', "damaged.*run_id"),
        ('{"format": "harness.manifest", "version": 1, "run_id": "r", "created_at": "", "planned": 3}', "damaged"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(FormatError, match=message) as caught:
        read_manifest(tmp_path)
    assert str(tmp_path / "manifest.json") in str(caught.value)


def test_a_run_is_found_by_id_beginning_latest_folder_or_file(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    first, second = started(root), started(root)
    third = root / "20270101-000000-0001"
    third.mkdir()
    (third / "trials-main.jsonl").touch()
    (root / "not-a-run").mkdir()
    assert find_run(root, first) == root / first
    assert find_run(root, "2027") == third == latest(root)
    assert find_run(root, "latest~1") == root / second
    assert find_run(root, str(root / first)) == root / first
    assert find_run(root, root / first / "manifest.json") == root / first


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("2025", r"no run '2025'.*Recent: (\S+), (\S+)\. Say one of these, or 'latest'"),
        ("20260131", "fits 2 runs.*give more of the id"),
        ("latest~2", "latest~2: there are only 2 runs"),
        ("", "no run"),
    ],
)
def test_a_run_that_cannot_be_meant_is_refused_with_the_recent_ones(
    tmp_path: Path, ref: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(tmp_path), started(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        find_run(tmp_path, ref)


def test_without_any_run_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Make a run first: pytest suites"):
        latest(tmp_path / "none")

from __future__ import annotations

import json
import shutil
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.results import history
from harness.results.history import INDEX_NAME, list_runs


def first(root: Path, make: Any) -> Path:
    records = [
        make.record("a", cost_usd=Decimal("0.10")),
        make.record("b", "failed", cost_usd=Decimal("0.20"), judge_cost_usd=Decimal("0.03")),
        make.record("c", "not_run"),
    ]
    run: Path = make.run(root / "20260131-235959-0001", records, cases=4, commit="abc")
    return run


def test_a_run_is_one_line_with_counts_cost_and_verdict(tmp_path: Path, make: Any) -> None:
    run = first(tmp_path, make)
    (run / "scorecard.json").write_text('{"format": "harness scorecard", "answer": "fail"}')
    (found,) = list_runs(tmp_path)
    assert (found.run_id, found.agent, found.commit, found.verdict) == ("20260131-235959-0001", "a:b", "abc", "fail")
    assert (found.planned, found.measured, found.passed, found.pass_rate) == (4, 2, 1, 0.5)
    assert found.cost_usd == Decimal("0.33")
    assert found.problem == ""


def test_what_is_not_known_is_no_number(tmp_path: Path, make: Any) -> None:
    make.run(tmp_path / "20260131-235959-0001", [make.record("a", "errored")])
    make.run(tmp_path / "20260131-235959-0002", [])
    unpriced, empty = list_runs(tmp_path)
    assert (unpriced.cost_usd, unpriced.pass_rate, unpriced.verdict) == (None, None, "")
    assert empty.cost_usd is None


def test_runs_are_read_once_and_again_when_they_change(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = first(tmp_path, make)
    read: list[str] = []
    real = history.summarise
    monkeypatch.setattr(history, "summarise", lambda folder: (read.append(folder.name), real(folder))[1])
    before = list_runs(tmp_path)
    assert list_runs(tmp_path) == before
    assert read == [run.name]
    (run / "scorecard.json").write_text('{"answer": "pass"}')
    assert [item.verdict for item in list_runs(tmp_path)] == ["pass"]
    assert len(read) == 2


def test_a_run_that_is_gone_leaves_the_index_too(tmp_path: Path, make: Any) -> None:
    gone = first(tmp_path, make)
    make.run(tmp_path / "20260201-000000-0001", [])
    list_runs(tmp_path)
    shutil.rmtree(gone)
    assert [item.run_id for item in list_runs(tmp_path)] == ["20260201-000000-0001"]
    with sqlite3.connect(tmp_path / INDEX_NAME) as database:
        assert database.execute("SELECT path FROM run").fetchall() == [("20260201-000000-0001",)]
    database.close()


def _text(path: Path) -> None:
    path.write_bytes(b"no database " * 1000)


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE other (x)")
    database.close()


def _row(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE run SET summary = '{\"run_id\": '")
    database.close()


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize("spoil", [_text, _newer, _foreign, _row, _torn, Path.unlink])
def test_an_index_that_is_no_good_is_made_anew(tmp_path: Path, make: Any, spoil: Any) -> None:
    first(tmp_path, make)
    before = list_runs(tmp_path)
    if spoil is _foreign:
        (tmp_path / INDEX_NAME).unlink()
    spoil(tmp_path / INDEX_NAME)
    assert list_runs(tmp_path) == before
    with sqlite3.connect(tmp_path / INDEX_NAME) as database:
        ((summary,),) = database.execute("SELECT summary FROM run").fetchall()
    database.close()
    assert json.loads(summary)["measured"] == 2


def test_a_place_where_no_index_can_be_is_listed_without_one(tmp_path: Path, make: Any) -> None:
    first(tmp_path, make)
    (tmp_path / INDEX_NAME).mkdir()
    assert [item.measured for item in list_runs(tmp_path)] == [2]


def test_a_run_that_cannot_be_read_is_listed_with_its_problem(tmp_path: Path, make: Any) -> None:
    first(tmp_path, make)
    newer = tmp_path / "20260201-000000-0001"
    newer.mkdir()
    (newer / "manifest.json").write_text('{"format": "harness.manifest", "version": 9}')
    good, bad = list_runs(tmp_path)
    assert good.problem == ""
    assert "newer harness" in bad.problem


def test_no_runs_are_an_empty_list_and_leave_no_file(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "none") == []
    assert list_runs(tmp_path) == []
    assert list(tmp_path.iterdir()) == []

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import Failure, MissingDependency
from harness.core.score import Score
from harness.core.trajectory import ModelCall, Trajectory
from harness.core.usage import Usage
from harness.results.frames import RunData, read_run


@pytest.fixture
def data(tmp_path: Path, make: Any) -> RunData:
    path = Trajectory.from_answer("42", latency_s=0.5, model_calls=(ModelCall(model="m", usage=Usage(input_tokens=7)),))
    scores = (Score.passed_if("exact", True, "same"), Score.not_measured("tone", "no judge", kind="judge"))
    records = [
        make.record(
            "a", trajectory=path, scores=scores, cost_usd=Decimal("0.25"), started_at=1769903999.0, tags=("x",)
        ),
        make.record("b", "errored", trajectory=None, error=Failure(kind="timeout", message="too slow"), cluster="k"),
    ]
    make.run(tmp_path / "runs" / "20260131-235959-0001", records)
    return read_run("latest", root=tmp_path / "runs")


def test_a_run_is_read_by_reference(data: RunData) -> None:
    assert data.manifest.run_id == "20260131-235959-0001"
    assert len(data.records) == 2
    assert data.notices == ()
    assert read_run(data.path).path == data.path


def test_a_frame_has_one_row_per_trial_and_missing_values_where_nothing_was_measured(data: RunData) -> None:
    frame = data.frame()
    first, second = frame.to_dict("records")
    assert (first["case_id"], first["outcome"], first["score.exact"], first["cost_usd"]) == ("a", "passed", 1.0, 0.25)
    assert (first["answer"], first["latency_s"], first["input_tokens"], first["cluster"]) == ("42", 0.5, 7, "a")
    assert str(first["started_at"]) == "2026-01-31 23:59:59+00:00"
    assert (second["error_kind"], second["error"], second["cluster"]) == ("timeout", "too slow", "k")
    missing = ["cost_usd", "latency_s", "score.exact", "score.tone", "input_tokens", "started_at", "steps"]
    assert frame.loc[1, missing].isna().all()
    assert frame["score.tone"].isna().all()


def test_a_scores_frame_has_one_row_per_score_with_its_reason(data: RunData) -> None:
    frame = data.scores_frame()
    assert frame[["case_id", "score", "measured", "reason"]].to_numpy().tolist() == [
        ["a", "exact", True, "same"],
        ["a", "tone", False, "no judge"],
    ]
    assert frame["value"].isna().tolist() == [False, True]
    assert frame["passed"].isna().tolist() == [False, True]


def test_a_run_without_records_gives_empty_frames_with_their_columns(tmp_path: Path, make: Any) -> None:
    data = read_run(make.run(tmp_path / "r", []))
    assert len(data.frame()) == len(data.scores_frame()) == 0
    assert {"case_id", "outcome", "cost_usd"} <= set(data.frame().columns)
    assert {"case_id", "score", "value"} <= set(data.scores_frame().columns)


def test_without_pandas_the_error_says_how_to_get_it(data: RunData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependency, match=r"pip install 'harness\[pandas\]'"):
        data.frame()

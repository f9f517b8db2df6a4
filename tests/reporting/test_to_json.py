"""scorecard.json: valid, complete, without trajectories."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import CaseLine, Row, Scorecard
from harness.core.verdict import Verdict
from harness.reporting.to_json import FORMAT_VERSION, json_parts
from tests.reporting.builders import make_run, make_scorecard


def document(run: Run, scorecard: Scorecard, *more: Any) -> dict[str, Any]:
    text = "".join(json_parts(run, scorecard, *more)) if more else "".join(json_parts(run, scorecard, (), "pass"))
    text.encode("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def test_everything_on_the_scorecard_is_there_and_no_trajectory(
    run: Run, scorecard: Scorecard, verdicts: tuple[Verdict, ...], comparison: Comparison
) -> None:
    loaded = document(run, scorecard, verdicts, "fail", comparison)
    assert loaded["format_version"] == FORMAT_VERSION
    assert len(loaded["rows"]) == len(scorecard.rows)
    assert len(loaded["cases"]) == len(scorecard.cases)
    assert loaded["totals"]["agent_cost_usd"] == "0.1837"
    assert loaded["comparison"][0]["suites"][0]["pairs"][0]["case_id"] == "refund-000"
    assert loaded["manifest"]["agent"] == "desk@careful"
    assert [verdict["answer"] for verdict in loaded["verdicts"]] == ["fail", "inconclusive", "pass", "fail"]
    assert "Where is my refund" not in json.dumps(loaded)


def test_an_unmeasured_number_is_null_and_not_left_out() -> None:
    row = Row(suite="s", metric="pass_rate", kind="rate", low=float("nan"))
    loaded = document(make_run([]), Scorecard(run_id="r", rows=(row,), cases=()))
    assert loaded["rows"][0]["estimate"] is None
    assert loaded["rows"][0]["low"] is None
    assert loaded["totals"]["agent_cost_usd"] is None


def test_rows_and_cases_are_one_a_line_so_that_two_runs_can_be_diffed(run: Run, scorecard: Scorecard) -> None:
    text = "".join(json_parts(run, scorecard, (), "pass"))
    assert sum(line.lstrip().startswith('{"suite"') for line in text.splitlines()) == len(scorecard.rows) + len(
        scorecard.cases
    )


@given(st.text(st.characters(codec=None)))
def test_any_text_of_an_agent_leaves_the_document_valid(text: str) -> None:
    case = CaseLine(suite=text, case_id=text, status="failed", reason=text)
    loaded = document(make_run([]), Scorecard(run_id="r", rows=(), cases=(case,)))
    assert set(loaded["cases"][0]) >= {"status", "cost_usd"}


def test_an_empty_run_is_a_document_too() -> None:
    run = make_run([])
    assert document(run, make_scorecard(run))["cases"] == []

"""write_reports: the files, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.verdict import Answer, Verdict
from harness.reporting import write_reports


def test_all_four_reports_are_written_and_nothing_else_is_left_behind(
    tmp_path: Path,
    run: Run,
    scorecard: Scorecard,
    verdicts: tuple[Verdict, ...],
    answer: Answer,
    comparison: Comparison,
) -> None:
    target = tmp_path / "runs" / "a"
    reports = write_reports(
        target, run=run, scorecard=scorecard, verdicts=verdicts, answer=answer, comparison=comparison
    )
    assert sorted(path.name for path in target.iterdir()) == [
        "junit.xml",
        "scorecard.html",
        "scorecard.json",
        "summary.md",
    ]
    assert json.loads(reports.json.read_text("utf-8"))["answer"] == "fail"
    assert ElementTree.parse(reports.junit).getroot().get("errors") == "2"
    assert reports.markdown.read_text("utf-8").startswith("## ❌ FAIL")
    assert reports.html.read_text("utf-8").startswith("<!doctype html>")

"""summary.md: short, and nothing of an agent formats, links or calls anybody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import CaseLine, Scorecard
from harness.core.verdict import Verdict
from harness.reporting.to_markdown import MOST_CASES, TEXT_LIMIT, append_step_summary, escaped, markdown
from tests.reporting.builders import make_run


def test_the_verdict_comes_first_and_then_why(run: Run, scorecard: Scorecard, verdicts: tuple[Verdict, ...]) -> None:
    lines = markdown(run, scorecard, verdicts, "fail").splitlines()
    assert lines[0] == "## ❌ FAIL"
    assert lines[2].startswith("behaviour: pass rate 92.2%")


def test_rules_suites_changes_and_cases_have_their_tables(
    run: Run, scorecard: Scorecard, verdicts: tuple[Verdict, ...], comparison: Comparison
) -> None:
    text = markdown(run, scorecard, verdicts, "fail", comparison)
    for heading in ("### Rules", "### Suites", "### Against the baseline", "### Cases that did not pass"):
        assert heading in text
    assert "2 cases worse, 1 better." in text
    assert "28 of 30" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a|b", "a\\|b"),
        ("**bold** `code`", "\\*\\*bold\\*\\* \\`code\\`"),
        ("[x](y)", "\\[x\\](y)"),
        ("@team", "&#64;<!-- -->team"),
        ("https://evil", "https:\\//evil"),
        ("www.evil", "www\\.evil"),
        ("# big", "\\# big"),
        ("1. one", "1\\. one"),
        ("0.71 snake_case -1", "0.71 snake_case -1"),
        ("two\nlines\x1b", "two lines\\\\x1b"),
        ("$x$", "&#36;x&#36;"),
    ],
)
def test_text_of_a_run_shows_as_it_is_and_does_nothing(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_ten_thousand_failing_cases_still_fit_into_a_comment(verdicts: tuple[Verdict, ...]) -> None:
    cases = tuple(
        CaseLine(suite="s" * 400, case_id="*" * 400, status="failed", reason="|" * 400) for _ in range(10_000)
    )
    rules = tuple(replace(verdicts[0], reason="<" * 4000) for _ in range(200))
    text = markdown(make_run([]), Scorecard(run_id="r", rows=(), cases=cases), rules, "fail")
    assert len(text) < TEXT_LIMIT + 200
    assert text.count("| failed |") <= MOST_CASES


def test_the_job_summary_is_appended_to_and_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("before\n", "utf-8")
    assert append_step_summary("after", {"GITHUB_STEP_SUMMARY": str(file)}) == file
    assert file.read_text("utf-8") == "before\nafter\n"


def test_without_a_job_summary_or_with_a_broken_one_nothing_happens(tmp_path: Path) -> None:
    assert append_step_summary("x", {}) is None
    assert append_step_summary("x", {"GITHUB_STEP_SUMMARY": str(tmp_path)}) is None

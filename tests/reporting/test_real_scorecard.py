"""Reports of a scorecard counted by the real thing, with everything a bad day brings at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from harness.core.blocks import Table
from harness.core.comparison import compare, make_baseline
from harness.core.record import PlannedSuite, Run
from harness.core.scorecard import build_scorecard
from harness.reporting import terminal_lines, write_reports
from harness.reporting.sections.changes import Changes
from harness.reporting.sections.cost import Cost
from harness.reporting.sections.latency import Latency
from harness.reporting.sections.summary import Summary
from tests.reporting.builders import DESK, GUARD, TOOLS, make_run, record, sample_records, trajectory


def real_run() -> Run:
    """The sample, two planned cases that left no record, and an observed suite."""
    planned = (
        PlannedSuite(suite=DESK, cases=32, trials=3, area="refunds", pass_rate=0.9, statistical=True),
        PlannedSuite(suite=TOOLS, cases=30, area="tools"),
        PlannedSuite(suite=GUARD, cases=30, area="guardrails", observe=True),
    )
    return make_run(sample_records(), planned=planned)


def test_planned_cases_that_left_no_record_stay_in_every_count(tmp_path: Path) -> None:
    run = real_run()
    scorecard = build_scorecard(run.manifest, run.records)
    (figures,) = Summary(scorecard).build(run, None).blocks
    assert "82 of 92" in repr(figures)
    reports = write_reports(tmp_path, run=run, scorecard=scorecard, verdicts=(), answer="inconclusive")
    assert "2 planned cases left no record" in reports.html.read_text("utf-8")
    assert "92 cases" in reports.markdown.read_text("utf-8")
    assert "92 cases" in "\n".join(terminal_lines(scorecard, (), "inconclusive"))


def test_the_values_of_single_trials_stay_out_of_the_json(tmp_path: Path) -> None:
    run = real_run()
    scorecard = build_scorecard(run.manifest, run.records)
    reports = write_reports(tmp_path, run=run, scorecard=scorecard, verdicts=(), answer="inconclusive")
    loaded = json.loads(reports.json.read_text("utf-8"))
    assert "samples" not in loaded["totals"]
    assert [line["suite"] for line in loaded["suites"]] == [DESK, TOOLS, GUARD]


def test_cost_and_latency_have_one_line_a_suite_and_one_for_all() -> None:
    run = real_run()
    scorecard = build_scorecard(run.manifest, run.records)
    for section in (Cost(scorecard, {}), Latency(scorecard, {})):
        page = section.build(run, None)
        assert page is not None
        table = next(block for block in page.blocks if isinstance(block, Table))
        assert [row[0].text for row in table.rows] == [DESK, TOOLS, GUARD, "all suites"]


def test_an_observed_suite_is_marked_on_the_terminal() -> None:
    run = real_run()
    lines = terminal_lines(build_scorecard(run.manifest, run.records), (), "inconclusive", 100)
    assert any(line.startswith("  test_injection *") for line in lines)
    assert "  * only observed: shown, never gating" in lines


def test_a_flip_of_a_suite_with_arms_leads_to_its_case() -> None:
    old = make_run([record(f"c{n}", arm="fast") for n in range(5)])
    new = make_run([record(f"c{n}", arm="fast", outcome="failed" if n == 3 else "passed") for n in range(5)])
    comparison = compare(make_baseline(old.manifest, old.records), new.manifest, new.records)
    scorecard = build_scorecard(new.manifest, new.records)
    page = Changes(scorecard).build(new, comparison)
    assert page is not None
    worse = next(block for block in page.blocks if isinstance(block, Table) and block.caption.startswith("Worse"))
    assert worse.rows[0][0].text == "c3"
    assert worse.rows[0][0].href.startswith("#case-")


def test_a_ten_megabyte_reply_makes_a_small_page(tmp_path: Path) -> None:
    huge = record("c", outcome="failed", failure="f" * 10_000_000, trajectory=trajectory(reply="<script>" * 1_250_000))
    run = make_run([replace(huge, tags=("t" * 100_000,))])
    scorecard = build_scorecard(run.manifest, run.records)
    reports = write_reports(tmp_path, run=run, scorecard=scorecard, verdicts=(), answer="inconclusive")
    for path in (reports.html, reports.markdown, reports.junit):
        assert path.stat().st_size < 400_000, path.name

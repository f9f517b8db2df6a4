"""The section of judges: standing, hit rate and corrected rates; nothing where no model judged."""

from __future__ import annotations

from dataclasses import replace

from harness.core.blocks import Table
from harness.core.judges import JudgeRecord
from harness.core.record import Manifest, PlannedSuite, Record, Run
from harness.core.score import Score
from harness.core.scorecard import Scorecard, build_scorecard
from harness.reporting.sections.judges import Judges

SUITE = "suites/test_a.py::test_a"
RECORD = JudgeRecord(identity="abc", judge="right", rows=100, caught=45, missed=5, false_alarms=5, cleared=45)


def run_of(passing: int, of: int = 40) -> tuple[Run, Scorecard]:
    records = []
    for n in range(of):
        told = {
            "identity": "abc",
            "model": "m",
            "passes": n < passing,
            "asked": 2,
            "cached": n % 2,
            "ratings": [0.5, 1],
        }
        score = Score.of("right", float(n < passing), "said so", evidence={"judge": told})
        records.append(Record(suite=SUITE, case_id=f"c{n}", case_hash="h", trial=0, outcome="passed", scores=(score,)))
    planned = (PlannedSuite(suite=SUITE, cases=of),)
    manifest = Manifest(run_id="r", created_at="2026-01-31T12:00:00Z", finished_at="x", planned=planned)
    return Run(manifest=manifest, records=tuple(records)), build_scorecard(manifest, records)


def texts(card: Scorecard, run: Run) -> list[list[str]]:
    page = Judges(card).build(run, None)
    assert page is not None
    return [[cell.text for cell in row] for table in page.blocks if isinstance(table, Table) for row in table.rows]


def test_without_a_judge_there_is_no_section() -> None:
    run, card = run_of(0, of=0)
    assert Judges(card).build(run, None) is None


def test_a_judge_without_an_exam_is_said_to_have_none_and_its_rate_is_not_corrected() -> None:
    run, card = run_of(30)
    judge, rate = texts(card, run)
    assert judge[2] == "no exam: harness calibrate"
    assert judge[7] == "25.0% of 80"
    assert rate[3] == "not measured"


def test_with_an_exam_the_rate_is_corrected_by_its_error_rates() -> None:
    run, card = run_of(30)
    card = replace(card, judges=tuple(replace(line, record=RECORD) for line in card.judges))
    judge, rate = texts(card, run)
    assert judge[2] == "exam passed"
    assert rate[2].startswith("0.750")
    assert rate[3].startswith("0.812"), "(0.75 + 0.9 - 1) / (0.9 + 0.9 - 1)"

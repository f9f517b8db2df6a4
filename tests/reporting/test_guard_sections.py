"""The sections about guards and controls: figures with their denominators, and nothing claimed that was not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.blocks import Cell, Figures, Interval, Prose, Table
from harness.core.comparison import CasePair, Comparison, SuiteComparison
from harness.core.record import Manifest, PlannedSuite, Record, Run
from harness.core.score import Score
from harness.core.scorecard import build_scorecard
from harness.core.verdict import Verdict
from harness.reporting.case_order import case_anchor
from harness.reporting.sections.controls import Controls
from harness.reporting.sections.guard_rows import classified, guard_rows
from harness.reporting.sections.guards import Guards

SUITE = "suites/guardrails/test_pii.py::test_pii"


def row(case_id: str, label: str, right: bool, *, fault: str = "", score: float | None = 0.5, **more: Any) -> Record:
    stopped = (label == "attack") == right or bool(fault)
    evidence = {
        "label": label,
        "source": more.pop("source", "ours"),
        "category": more.pop("category", "email"),
        "action": "block" if stopped else "allow",
        "right": right and not fault,
        "score": None if fault else score,
        "took_s": 0.002,
        "cpu_s": 0.001,
        "fault": fault,
    }
    value = 1.0 if fault else 0.0
    scores = (Score(name="guard_faults", value=value, direction="lower", reason="decided", evidence=evidence),)
    outcome: Any = "passed" if right and not fault else "failed"
    return Record(
        suite=SUITE, case_id=case_id, case_hash="h", trial=0, outcome=outcome, scores=scores, statistical=True, **more
    )


def made(records: list[Record], **more: Any) -> tuple[Run, Any]:
    planned = (PlannedSuite(suite=SUITE, area="guardrails", cases=len(records), statistical=True),)
    manifest = Manifest(run_id="r", created_at="2026-01-01T00:00:00Z", planned=planned, finished_at="x", **more)
    return Run(manifest=manifest, records=records), build_scorecard(manifest, records)


ROWS = [
    row("a1", "attack", True, score=0.9),
    row("a2", "attack", True, score=0.8, source="theirs"),
    row("a3", "attack", False, score=0.2),
    row("a4", "attack", False, fault="crash: ValueError"),
    row("b1", "benign", True, score=0.1),
    row("b2", "benign", False, score=0.7, category="attack_words"),
]


def test_a_fault_is_in_no_rate_and_counted_by_itself() -> None:
    run, _ = made(ROWS)
    found = classified(guard_rows(run))
    assert (found.caught, found.attacks, found.false_alarms, found.benign, found.faults) == (2, 3, 1, 2, 1)
    assert found.recall.value == pytest.approx(2 / 3)
    assert found.false_positive_rate.value == 0.5
    assert found.over_refusal.value == 1.0
    assert found.precision.value == pytest.approx(2 / 3)
    assert found.auc.value == pytest.approx(5 / 6)


def test_rows_of_one_cluster_are_no_independent_evidence() -> None:
    alone = classified(guard_rows(made([row(f"a{n}", "attack", True) for n in range(40)])[0]))
    alike = classified(guard_rows(made([row(f"a{n}", "attack", True, cluster=f"c{n % 4}") for n in range(40)])[0]))
    assert alone.recall.value == alike.recall.value == 1.0
    assert (alike.recall.low or 0) < (alone.recall.low or 0) - 0.1


def test_the_section_shows_both_sides_with_intervals_says_upper_bound_and_links_every_wrong_row() -> None:
    run, card = made(ROWS)
    pairs = (CasePair(case_id="a1", base_trials=1, base_passes=0, new_trials=1, new_passes=1),)
    changed = SuiteComparison(suite=SUITE, pairs=pairs, difference=1.0, low=-0.1, high=1.0)
    page = Guards(card).build(run, Comparison(base="old", new="r", suites=(changed,)))
    assert page is not None
    assert page.title == "Guardrails as classifiers"
    assert any(isinstance(block, Prose) and "upper bounds" in block.text for block in page.blocks)
    figures = next(block for block in page.blocks if isinstance(block, Figures))
    assert [one.value for one in figures.items] == ["66.7%", "50.0%", "100%", "1"]
    tables = [block for block in page.blocks if isinstance(block, Table)]
    by_source = tables[0]
    assert [cells[0].text for cells in by_source.rows] == ["pii, all sources", "pii, ours", "pii, theirs"]
    assert all(isinstance(by_source.rows[0][at].interval, Interval) for at in (2, 5))
    linked = {cell.text: cell.href for table in tables for cells in table.rows for cell in cells if cell.href}
    assert linked == {name: f"#{case_anchor((SUITE, '', name))}" for name in ("a3", "a4", "b2")}
    assert any("paired by row" in table.caption for table in tables)
    for table in tables:
        assert {len(cells) for cells in table.rows} == {len(table.columns)}


def test_a_run_without_guards_has_no_section_and_hostile_evidence_breaks_nothing() -> None:
    plain = Record(suite=SUITE, case_id="x", case_hash="h", trial=0, outcome="passed")
    run, card = made([plain])
    assert Guards(card).build(run, None) is None
    odd = Score.of("guard_faults", 0.0, "odd", evidence={"label": 7, "score": "high", "took_s": None, "fault": None})
    run, card = made([Record(suite=SUITE, case_id="x", case_hash="h", trial=0, outcome="passed", scores=(odd,))])
    assert Guards(card).build(run, None) is not None


MAP = f"""
[subcategories]
"MAP 3.5" = "oversight"
"MEASURE 2.10" = "privacy"

[[control]]
name = "Personal data is taken out"
subcategories = ["MEASURE 2.10"]
tests = ["{SUITE}", "tests/test_other.py::test_other"]

[[control]]
name = "People decide"
subcategories = ["MAP 3.5"]
tests = ["suites/desk/test_desk.py::test_desk"]
"""


@pytest.mark.parametrize(
    ("answer", "suite", "said"),
    [
        ("pass", SUITE, "passed"),
        ("fail", "suites/guardrails", "failed"),
        ("inconclusive", "", "undecided"),
        ("pass", "suites/guard", "undecided"),
    ],
)
def test_a_control_is_as_good_as_the_rules_about_its_suite_and_other_tests_are_not_run(
    answer: Any, suite: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "map.toml").write_text(MAP)
    run, card = made(ROWS)
    verdicts = [Verdict(rule="r", answer=answer, reason="", suite=suite)]
    page = Controls(card, verdicts, tmp_path / "map.toml").build(run, None)
    assert page is not None
    table = next(block for block in page.blocks if isinstance(block, Table))
    told: dict[str, Cell] = {cells[2].text: cells[3] for cells in table.rows}
    assert next(cells[2].text for cells in table.rows).startswith("suites/desk"), "MAP stands before MEASURE"
    assert told[SUITE].text == f"{said}, 3 of 6 trials passed"
    assert told["tests/test_other.py::test_other"].text == "not run"
    assert told["suites/desk/test_desk.py::test_desk"].text == "not run"


def test_a_project_without_a_map_has_no_such_section(tmp_path: Path) -> None:
    run, card = made(ROWS)
    assert Controls(card, [], tmp_path / "map.toml").build(run, None) is None

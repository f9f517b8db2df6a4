"""Sections: what each says, and when it says nothing."""

from __future__ import annotations

from dataclasses import replace

from harness.core.blocks import Cell, Curve, Figures, Prose, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.contracts import Section
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.reporting.case_order import case_anchor
from harness.reporting.report import build_sections, standard_sections
from harness.reporting.sections.areas import Areas
from harness.reporting.sections.changes import Changes
from harness.reporting.sections.failures import MOST_CASES, Failures
from harness.reporting.sections.reliability import Reliability
from harness.reporting.sections.summary import Summary
from harness.reporting.walk import Walk
from tests.reporting.builders import DESK, GUARD, make_run, make_scorecard, record


def tables(page: SectionPage | None) -> list[Table]:
    assert page is not None
    return [block for block in page.blocks if isinstance(block, Table)]


def test_every_standard_section_fits_the_contract_and_is_a_rectangle(
    run: Run, scorecard: Scorecard, verdicts: tuple[Verdict, ...], comparison: Comparison
) -> None:
    with Walk(run, scorecard) as walk:
        sections = standard_sections(scorecard, verdicts, walk)
        assert all(isinstance(section, Section) for section in sections)
        pages = build_sections(sections, run, comparison)
    # Arms has nothing to say about a run that compares no settings, the others about one without their evidence.
    silent = {"arms", "guards", "judges", "adoption", "budgets", "edits", "rewards", "thinking", "turns"}
    assert [page.id for page in pages] == [section.id for section in sections if section.id not in silent]
    for page in pages:
        for table in (block for block in page.blocks if isinstance(block, Table)):
            assert {len(row) for row in table.rows} <= {len(table.columns)}, page.id


def test_an_empty_run_builds_every_section_without_a_crash() -> None:
    run = make_run([], planned=())
    scorecard = make_scorecard(run, agent_cost_usd=None, duration_s=None, rows=(), tokens=0)
    with Walk(run, scorecard) as walk:
        pages = build_sections(standard_sections(scorecard, (), walk), run, None)
    assert [page.id for page in pages] == ["summary", "rules"]


def test_a_section_that_raises_becomes_a_notice_in_its_place(run: Run, scorecard: Scorecard) -> None:
    class Broken:
        id = "mine"

        def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
            raise ZeroDivisionError("by <b>nothing</b>")

    pages = build_sections([Broken(), Summary(scorecard)], run, None)
    assert [page.id for page in pages] == ["mine", "summary"]
    (notice,) = pages[0].blocks
    assert isinstance(notice, Prose)
    assert "ZeroDivisionError: by <b>nothing</b>" in notice.text


def test_an_unknown_cost_is_called_unknown(run: Run, scorecard: Scorecard) -> None:
    card = replace(scorecard, agent_cost_usd=None, unpriced_trials=7)
    (figures,) = Summary(card).build(run, None).blocks
    assert isinstance(figures, Figures)
    cost = next(item for item in figures.items if item.label == "Cost")
    assert cost.value == "unknown"
    assert cost.note.startswith("7 trials without a price")


def test_a_suite_is_drawn_against_its_declared_pass_rate(run: Run, scorecard: Scorecard) -> None:
    (table,) = tables(Areas(scorecard).build(run, None))
    pictures = [cell.interval for row in table.rows for cell in row if cell.interval]
    assert [picture.limit for picture in pictures] == [0.9, 0.9, 0.9, None]
    assert len({(picture.minimum, picture.maximum) for picture in pictures}) == 1


def test_missing_trials_are_marked_and_stay_in_n(run: Run, scorecard: Scorecard) -> None:
    (table,) = tables(Areas(scorecard).build(run, None))
    row = next(row for row in table.rows if row[1].text == GUARD)
    assert Cell(text="28 of 30", tone="warn", sort=28) in row


def test_flips_lead_to_their_cases(run: Run, scorecard: Scorecard, comparison: Comparison) -> None:
    worse = next(
        table
        for table in tables(Changes(scorecard).build(run, comparison))
        if table.caption == "Worse than the baseline"
    )
    assert [row[0].text for row in worse.rows] == ["refund-004", "refund-017"]
    assert worse.rows[0][0].href == "#" + case_anchor((DESK, "", "refund-004"))
    assert worse.rows[0][2].text == "3 of 3 → 0 of 3"


def test_without_a_baseline_there_are_no_changes(run: Run, scorecard: Scorecard) -> None:
    assert Changes(scorecard).build(run, None) is None


def test_failures_come_worst_first_and_the_rest_is_counted() -> None:
    records = [record(f"e{n}", outcome="errored") for n in range(10)] + [
        record(f"f{n}", outcome="failed", severity="must_pass" if n == 7 else "normal") for n in range(20)
    ]
    run = make_run(records)
    page = Failures(make_scorecard(run)).build(run, None)
    (table,) = tables(page)
    assert len(table.rows) == MOST_CASES
    assert table.rows[0][1].text == "f7 (must pass)"
    assert page is not None
    assert page.blocks[-1] == Prose(text="And 10 more; see all cases.")


def test_the_curve_of_pass_k_needs_more_than_one_trial(run: Run, scorecard: Scorecard) -> None:
    page = Reliability(scorecard).build(run, None)
    assert page is not None
    assert isinstance(page.blocks[0], Curve)
    only_one = replace(scorecard, rows=tuple(row for row in scorecard.rows if row.k in (None, 1)))
    assert Reliability(only_one).build(run, None) is None

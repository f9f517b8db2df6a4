"""The section on reward functions: built from the evidence of scores alone, bounded, absent without a check."""

from __future__ import annotations

from typing import Any

from harness.core.blocks import Figures, Prose, Table
from harness.core.case import Case
from harness.core.record import Manifest, PlannedSuite, Record, Run
from harness.core.score import Score
from harness.core.scorecard import build_scorecard
from harness.reporting.sections.rewards_lab import MOST_ROWS, RewardLab


def run_of(*scores: Score) -> tuple[Run, Any]:
    suite = "suites/rewards/test_lab.py::test_lab"
    records = []
    for index, score in enumerate(scores):
        case = Case(id=f"c{index}", input="x")
        records.append(
            Record(
                suite=suite, case_id=case.id, case_hash=case.content_hash, trial=0, outcome="passed", scores=(score,)
            )
        )
    planned = PlannedSuite(suite=suite, area="rewards", dataset="inline", cases=len(records), trials=1)
    manifest = Manifest(run_id="r", created_at="2026-11-01T00:00:00Z", planned=(planned,))
    return Run(manifest=manifest, records=records), build_scorecard(manifest, records)


def checked(name: str, kind: str, check: str, passed: bool, **more: Any) -> Score:
    evidence = {"lab": kind, "check": check, "reward": "mine"}
    return Score.passed_if(name, passed, f"mine: said about {check}", evidence=evidence, **more)


def gap(check: str, value: float, **cheat: Any) -> Score:
    evidence: dict[str, Any] = {"lab": "exploits", "check": check, "reward": "mine", "calls": 200, "limit": 0.05}
    if cheat:
        evidence["cheat"] = cheat
    return Score.of("exploit_gap", value, "so far", direction="lower", evidence=evidence)


def mutants(noticed: int, of: int, survivors: int) -> Score:
    lost = [{"function": "f", "line": n, "what": "< becomes >=", "diff": "- a\n+ b"} for n in range(survivors)]
    evidence = {"lab": "mutants", "check": "flipped comparisons", "reward": "mine", "noticed": noticed, "of": of,
                "survivors": lost}  # fmt: skip
    return Score.of("mutants_noticed", noticed / of, "so many", evidence=evidence)


def test_a_run_without_a_checked_reward_has_no_section_and_its_records_are_not_read() -> None:
    run, scorecard = run_of(Score.passed_if("contains", True, "yes"))

    class Unread:
        manifest = run.manifest

        @property
        def records(self) -> Any:
            raise AssertionError("nothing here is about rewards")

    assert RewardLab(scorecard).build(Unread(), None) is None  # type: ignore[arg-type]


def test_flags_gaps_and_survivors_are_told_with_their_numbers() -> None:
    cheat = {"edits": ["padding of 60 after"], "base": "wrong answer, plain", "before": 0.0, "after": 0.5}
    run, scorecard = run_of(
        checked("conformance", "conformance", "picklable", True),
        checked("property", "properties", "empty_at_floor", False),
        gap("flattery", 0.0),
        gap("padding", 0.5, **cheat),
        mutants(3, 5, 2),
    )
    page = RewardLab(scorecard).build(run, None)
    assert page is not None
    named, figures, flags, gaps, survivors = page.blocks
    assert isinstance(named, Prose)
    assert named.text == "Reward function: mine"
    assert isinstance(figures, Figures)
    shown = {item.label: item.value for item in figures.items}
    assert shown == {
        "Conformance": "1 of 1",
        "Properties": "0 of 1",
        "Exploit gap": "0.5",
        "Mutants noticed": "3 of 5",
    }
    assert isinstance(flags, Table)
    assert [cell.text for cell in flags.rows[0]] == ["empty at floor", "said about empty_at_floor"]
    assert isinstance(gaps, Table)
    assert [row[0].text for row in gaps.rows] == ["padding", "flattery"]
    assert [cell.text for cell in gaps.rows[0]][1:5] == [
        "0.5",
        "padding of 60 after",
        "wrong answer, plain",
        "0 to 0.5",
    ]
    assert isinstance(survivors, Table)
    assert [cell.text for cell in survivors.rows[0]] == ["f, line 0", "< becomes >=", "a", "b"]
    assert len(survivors.rows) == 2


def test_many_survivors_are_bounded_and_the_rest_is_said_to_be_in_the_journal() -> None:
    run, scorecard = run_of(mutants(1, 500, 400))
    page = RewardLab(scorecard).build(run, None)
    assert page is not None
    table = page.blocks[-1]
    assert isinstance(table, Table)
    assert len(table.rows) == MOST_ROWS
    assert f"{400 - MOST_ROWS} more are in the journal" in table.caption

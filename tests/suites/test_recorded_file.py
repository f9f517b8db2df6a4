"""The recorded runs that the project ships, and the suite that judges them."""

from __future__ import annotations

import runpy
from pathlib import Path

from harness.datasets import load_recorded
from harness.evaluators import DuplicateCalls, Loops, OutcomeAsRecorded, Recovery, ToolErrors
from harness.testing import score

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "fixtures" / "recorded" / "desk_runs.json"


def test_the_shipped_file_is_what_its_writer_writes() -> None:
    made = runpy.run_path(str(FILE.with_name("write_desk_runs.py")))["text"]()
    assert FILE.read_text(encoding="utf-8") == made


def test_the_shipped_runs_have_something_for_every_evaluator_of_the_suite() -> None:
    runs = load_recorded(FILE)
    assert (len(runs.dataset), runs.trials, len(runs.trajectories)) == (8, 3, 24)
    values = {
        kind: [got.value for run in runs.trajectories.values() if (got := score(kind(), run)).measured]
        for kind in (OutcomeAsRecorded, ToolErrors, Recovery, Loops, DuplicateCalls)
    }
    assert sum(v == 1 for v in values[OutcomeAsRecorded]) == 17
    assert 0 in values[Recovery]
    assert 1 in values[Recovery]
    assert len(values[Recovery]) < 24
    for kind in (ToolErrors, Loops, DuplicateCalls):
        assert any(values[kind]), kind
    assert all(run.cost_usd and run.latency_s for run in runs.trajectories.values())
    wins = {case.id: 0 for case in runs.dataset}
    for (case_id, _), run in runs.trajectories.items():
        wins[case_id] += score(OutcomeAsRecorded(), run).passed is True
    assert {0, 3} & set(wins.values()), "some cases reliable"
    assert {1, 2} <= set(wins.values()), "some cases unreliable"


def test_nothing_the_suite_measures_has_a_limit_that_could_fail_a_release() -> None:
    runs = load_recorded(FILE)
    for run in runs.trajectories.values():
        for kind in (ToolErrors, Recovery, Loops, DuplicateCalls):
            assert score(kind(), run).passed is None

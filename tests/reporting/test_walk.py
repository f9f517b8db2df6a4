"""One walk over the records."""

from __future__ import annotations

from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.trajectory import Trajectory
from harness.reporting import write_reports
from harness.reporting.walk import MOST_NAMES, OTHERS, Walk
from tests.reporting.builders import DESK, Streamed, make_run, make_scorecard, record


def test_all_reports_together_walk_the_records_once(tmp_path: object) -> None:
    from pathlib import Path

    records = Streamed(20, lambda number: record(f"c{number}"))
    run = make_run(records)
    scorecard = make_scorecard(run)
    before = records.walks
    write_reports(Path(str(tmp_path)), run=run, scorecard=scorecard, verdicts=(), answer="inconclusive")
    assert records.walks == before + 1


def test_trials_tools_and_models_are_counted(run: Run, scorecard: Scorecard) -> None:
    with Walk(run, scorecard) as walk:
        assert sum(len(trials) for trials in walk.trials.values()) == 150
        assert walk.models["desk-1"].calls == 300
        assert walk.models["desk-1"].retries == 150
        assert walk.tools["lookup_order"].calls == 150
        assert walk.trials[(DESK, "", "refund-004")][0].message.startswith("assert '$12.40' in answer")


def test_of_a_trial_recorded_twice_the_last_counts() -> None:
    run = make_run([record("c", outcome="errored"), record("c")])
    with Walk(run, make_scorecard(run)) as walk:
        assert walk.trials[(DESK, "", "c")][0].outcome == "passed"


def test_an_agent_that_invents_tools_cannot_fill_the_report() -> None:
    def calls(number: int) -> Trajectory:
        call = {"function": {"name": f"tool-{number}", "arguments": "{}"}}
        return Trajectory(messages=({"role": "assistant", "tool_calls": [call]},))

    run = make_run(Streamed(500, lambda number: record(f"c{number}", trajectory=calls(number))))
    with Walk(run, make_scorecard(run), page_bytes=0) as walk:
        assert len(walk.tools) == MOST_NAMES + 1
        assert walk.tools[OTHERS].calls == 500 - MOST_NAMES

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.commands.history_section import HistoryTrend
from harness.commands.history_text import spark
from harness.commands.history_trend import chart, trend_lines
from harness.core.blocks import Curve, Prose, Table
from harness.core.record import Manifest
from harness.core.tally import tally
from harness.results.reader import open_run
from harness.results.suite_history import (
    RunFigures,
    SuiteFigures,
    comparable_runs,
    figures,
    keep_figures,
    likeness,
    lineage,
)

GOOD = {f"case-{n}": "p" for n in range(40)}


def failing(count: int, cases: int = 40) -> dict[str, str]:
    return {f"case-{n}": "f" if n < count else "p" for n in range(cases)}


def suite(key: str = "s.py::t", *, failed: int = 2, n: int = 100, sketch: tuple[int, ...] = (1, 2, 3)) -> SuiteFigures:
    rate = (n - failed) / n
    return SuiteFigures(key=key, cases=n, passed=n - failed, failed=failed, worth=n, rate=rate, sketch=sketch)


def runs_of(*suites: tuple[SuiteFigures, ...]) -> list[RunFigures]:
    return [RunFigures(run_id=f"run-{at}", suites=found) for at, found in enumerate(suites)]


def test_a_trend_needs_three_comparable_runs(desk: Any) -> None:
    desk.store(GOOD)
    desk.store(GOOD)
    _, out, _ = desk("history", "--trend")
    assert "a trend begins with 3" in out


def test_the_trend_shows_first_and_newest_rate_with_an_interval(desk: Any) -> None:
    for count in (0, 1, 2, 10):
        desk.store(failing(count))
    code, out, _ = desk("history", "--trend")
    assert code == 0
    assert "trend of 4 comparable runs" in out
    assert "100% → 75.0% [" in out
    assert "█" in out


def test_partial_unfinished_early_stopped_and_foreign_runs_are_not_compared(desk: Any) -> None:
    kept = [desk.store(GOOD) for _ in range(2)]
    for odd in ({"partial": True}, {"finished_at": ""}, {"until_decided": True}, {"agent": "another:one"}):
        desk.store(GOOD, **odd)
    desk.store(GOOD, mode="live")
    kept.append(desk.store(GOOD))
    data = json.loads(desk("history", "--trend", "--json")[1])
    assert data["comparable_runs"] == kept


def test_a_newer_partial_run_is_passed_over_and_said(desk: Any) -> None:
    for _ in range(3):
        newest = desk.store(GOOD)
    desk.store({"case-0": "p"}, partial=True)
    _, out, _ = desk("history", "--trend")
    assert f"to {newest}" in out
    assert "1 newer runs are partial" in out


def test_without_a_whole_run_it_says_so(desk: Any) -> None:
    desk.store(GOOD, partial=True)
    code, _, err = desk("history", "--trend")
    assert code == 4
    assert "no whole run" in err


def test_a_renamed_suite_goes_on_under_its_new_name(desk: Any) -> None:
    old = "suites/desk/test_money.py::test_money_back"
    for _ in range(2):
        desk.store(GOOD, suite=old)
    for _ in range(2):
        desk.store(GOOD)
    line = json.loads(desk("history", "--trend", "--json")[1])["lines"][0]
    assert [point["n"] for point in line["points"]] == [40, 40, 40, 40]
    assert any(old in note for note in line["notes"])


def test_of_two_old_suites_that_fit_equally_well_none_is_taken() -> None:
    twins = (suite("a.py::x"), suite("b.py::y"))
    chains = lineage(runs_of(twins, (suite("c.py::z"),)))
    assert chains == {"c.py::z": [None, suite("c.py::z")]}


def test_of_two_old_suites_with_the_same_cases_the_one_with_the_same_test_is_taken() -> None:
    chains = lineage(runs_of((suite("a.py::x"), suite("b.py::t")), (suite("moved.py::t"),)))
    assert [item and item.key for item in chains["moved.py::t"]] == ["b.py::t", "moved.py::t"]


def test_a_new_suite_of_other_cases_has_no_past() -> None:
    chains = lineage(runs_of((suite("old.py::t", sketch=(7, 8, 9)),), (suite("new.py::t"),)))
    assert chains["new.py::t"][0] is None


def test_likeness_is_the_share_of_common_cases() -> None:
    one, other = suite(sketch=tuple(range(10))), suite(sketch=tuple(range(5, 15)))
    assert likeness(one, other) == pytest.approx(5 / 15)


def test_a_suite_whose_cases_were_edited_says_with_which_run(desk: Any) -> None:
    desk.store(GOOD)
    desk.store(GOOD)
    newest = desk.store(GOOD, hashes=dict.fromkeys(GOOD, "edited"))
    line = json.loads(desk("history", "--trend", "--json")[1])["lines"][0]
    assert any(newest in note and "cases changed" in note for note in line["notes"])


def test_the_chart_alarms_after_a_drop_and_says_where_it_began() -> None:
    steady = [suite(failed=count) for count in (2, 3, 1, 2, 4, 2, 3, 2)]
    assert chart(steady).alarms == ()
    dropped = chart([*steady, suite(failed=11), suite(failed=12)])
    assert dropped.alarms
    assert dropped.since == 8
    assert "alarms falsely about once in" in dropped.text


def test_the_charts_limit_keeps_the_stated_rate_of_false_alarms() -> None:
    from harness.stats.cusum import design_cusum

    made = chart([suite(failed=5) for _ in range(8)])
    # Four runs of 5 failures in 100 are the reference: (380 + .5) / 401.
    design = design_cusum(100, round(380.5 / 401, 6), drop=0.05, runs_between_false_alarms=200)
    assert made.limit == design.threshold
    assert made.false_alarm_runs >= 200


def test_runs_of_another_size_are_not_charted() -> None:
    chain = [suite(n=50, failed=1)] * 5 + [suite(n=100)] * 2
    assert "no chart yet: 2 more runs of 100 trials" in chart(chain).text


def test_a_run_of_which_much_broke_is_not_charted() -> None:
    broken = SuiteFigures(key="s.py::t", cases=100, passed=50, failed=0, errored=50, worth=50, rate=1.0)
    assert "1 more run" in chart([suite()] * 3 + [broken]).text


def test_a_shift_of_every_suite_is_said_once() -> None:
    def both(latency: float) -> tuple[SuiteFigures, ...]:
        from dataclasses import replace

        return tuple(replace(suite(key), latency_s=latency) for key in ("a.py::a", "b.py::b"))

    lines = trend_lines(runs_of(*[both(1.0 + n / 100) for n in range(8)], *[both(3.0 + n / 100) for n in range(8)]))
    notes = [note for line in lines for note in line.notes if "latency shifted" in note]
    assert len(notes) == 1
    assert "run-8" in notes[0]


def test_a_sparkline_has_one_sign_a_run_and_a_gap_for_what_was_not_measured() -> None:
    assert spark([0.0, None, 1.0], low=0, high=1) == "▁·█"
    assert spark([0.5, 0.5], low=0.5, high=0.5) == "██"
    assert spark([0.0, None, 1.0], low=0, high=1, ascii_only=True) == "_?#"


def test_the_figures_are_read_from_the_journals_once_and_again_when_they_change(desk: Any) -> None:
    first = desk.store(GOOD)
    newest = Manifest(run_id=desk.store(GOOD), created_at="", agent="a:b")
    (before,) = comparable_runs(desk.runs, newest)
    journal = next((desk.runs / first).glob("trials-*.jsonl"))
    with_more = journal.read_bytes()
    lines = with_more.splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-5]))
    (after,) = comparable_runs(desk.runs, newest)
    assert before.suites[0].measured == 40
    assert after.suites[0].measured == 35


def test_a_report_reads_no_more_of_old_journals_than_it_may_and_what_is_kept_costs_nothing(desk: Any) -> None:
    first = desk.store(GOOD)
    newest = Manifest(run_id=desk.store(GOOD), created_at="", agent="a:b")
    assert comparable_runs(desk.runs, newest, read_bytes=10) == []
    run = open_run(desk.runs / first)
    keep_figures(desk.runs, desk.runs / first, figures(run.manifest, tally(run.manifest, run.records)))
    assert comparable_runs(desk.runs, newest, read_bytes=10)[0].suites[0].measured == 40


def test_the_scorecards_section_is_the_trend_up_to_its_run(desk: Any) -> None:
    ids = [desk.store(failing(count)) for count in (0, 1, 2, 30)]

    def section(run_id: str) -> Any:
        run = open_run(desk.runs / run_id)
        card = tally(run.manifest, run.records)
        return HistoryTrend(card, folder=desk.runs / run_id, runs=desk.runs).build(run, None)

    assert section(ids[0]) is None
    assert not any(isinstance(block, Curve) for block in section(ids[1]).blocks), "two runs have a drift, no trend"
    page = section(ids[2])
    assert page is not None
    curve = next(block for block in page.blocks if isinstance(block, Curve))
    assert [y for _, y in curve.series[0].points] == [1.0, 0.975, 0.95]
    partial = desk.store({"case-0": "p"}, partial=True)
    assert section(partial) is None


def test_a_damaged_index_costs_nothing_but_time(desk: Any) -> None:
    desk.store(GOOD)
    newest = Manifest(run_id=desk.store(GOOD), created_at="", agent="a:b")
    comparable_runs(desk.runs, newest)
    (desk.runs / ".history.sqlite3").write_bytes(b"no database at all" * 100)
    assert comparable_runs(desk.runs, newest)[0].suites[0].measured == 40


def test_an_unknown_cost_stays_unknown(desk: Any) -> None:
    run_id = desk.store({"a": "p", "b": "p"}, cost=None)
    run = open_run(desk.runs / run_id)
    assert figures(run.manifest, tally(run.manifest, run.records)).suites[0].cost_usd is None


def test_drift_tells_what_moved_between_the_last_two_runs(desk: Any) -> None:
    desk.store(GOOD, latency=1.0)
    desk.store(GOOD, latency=9.0)
    rows = {row["name"]: row for row in json.loads(desk("history", "--trend", "--json")[1])["drift"]}
    assert rows["latency"]["moved"] is True
    assert rows["cost"]["moved"] is False
    # Everything passed on both sides: one category cannot move.
    assert "outcomes" not in rows


def test_an_agent_that_errs_in_another_way_has_moved_at_the_same_pass_rate(desk: Any) -> None:
    desk.store({f"case-{n}": "p" if n < 20 else "f" for n in range(40)})
    desk.store({f"case-{n}": "p" if n < 20 else "e" for n in range(40)})
    rows = {row["name"]: row for row in json.loads(desk("history", "--trend", "--json")[1])["drift"]}
    assert rows["outcomes"]["moved"] is True


def _page(desk: Any, run_id: str) -> Any:
    run = open_run(desk.runs / run_id)
    card = tally(run.manifest, run.records)
    return HistoryTrend(card, folder=desk.runs / run_id, runs=desk.runs).build(run, None)


def test_the_scorecard_draws_the_chart_of_failures_up_to_its_alarm(desk: Any) -> None:
    ids = [desk.store(failing(count)) for count in (1, 1, 1, 2, 1, 1, 12, 14)]
    charts = [block for block in _page(desk, ids[-1]).blocks if isinstance(block, Curve) and "CUSUM" in block.caption]
    assert len(charts) == 1
    own, alarm = charts[0].series
    assert own.name == desk.suite
    assert [x for x, _ in own.points] == [5.0, 6.0, 7.0, 8.0], "the first half says what is usual"
    assert own.points[1][1] < 1 <= own.points[2][1]
    assert alarm.points == ((5.0, 1.0), (8.0, 1.0))


def test_the_scorecard_draws_the_drift_beside_its_limit(desk: Any) -> None:
    desk.store(GOOD, latency=1.0)
    newest = desk.store(GOOD, latency=9.0)
    page = _page(desk, newest)
    assert page.title == "History"
    (table,) = (block for block in page.blocks if isinstance(block, Table))
    rows = {row[0].text: row for row in table.rows}
    assert rows["latency"][1].text == "moved"
    assert rows["cost"][1].text == "same"
    picture = rows["latency"][3].interval
    assert picture is not None
    assert picture.limit is not None
    assert picture.estimate == 1.0 > picture.limit
    told = [block.text for block in page.blocks if isinstance(block, Prose)]
    assert told[0].endswith("latency moved by more than chance does.")


def test_the_scorecard_draws_the_levels_between_shifts(desk: Any) -> None:
    ids = [desk.store(failing(count)) for count in [0, 1, 0, 1, 0, 1, 9, 10, 9, 10, 9, 10]]
    curve = next(block for block in _page(desk, ids[-1]).blocks if isinstance(block, Curve))
    (level,) = (series for series in curve.series if series.name.endswith(": level"))
    assert [x for x, _ in level.points] == [1.0, 6.0, 7.0, 12.0]
    assert level.points[0][1] > level.points[2][1] + 0.15


def test_a_run_before_that_cannot_be_read_costs_the_drift_and_not_the_trend(desk: Any) -> None:
    ids = [desk.store(GOOD) for _ in range(4)]
    assert any(isinstance(block, Table) and "Drift" in block.caption for block in _page(desk, ids[-1]).blocks)
    for journal in (desk.runs / ids[-2]).glob("trials-*.jsonl"):
        journal.write_text("no journal at all\n")
    page = _page(desk, ids[-1])
    assert page is not None
    assert not any(isinstance(block, Table) and "Drift" in block.caption for block in page.blocks)

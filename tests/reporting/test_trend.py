from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.core.blocks import Curve, Prose, SectionPage, Table
from harness.core.comparison import Comparison
from harness.reporting.sections.changes import Changes, age_of
from harness.reporting.sections.trend import MOST_RUNS, MOST_SERIES, Trend, TrendLine, TrendPoint
from tests.reporting.builders import make_run, make_scorecard, record, sample_comparison

RUN = make_run([record()])


def points(*rates: float | None) -> tuple[TrendPoint, ...]:
    return tuple(
        TrendPoint(
            run_id=f"run-{at}", created_at=f"2026-01-{at + 1:02d}T10:00:00Z", rate=rate,
            low=None if rate is None else rate - 0.05, high=None if rate is None else min(1.0, rate + 0.05),
            n=50, of=50, cost_usd=0.001, latency_s=1.5,
        )
        for at, rate in enumerate(rates)
    )  # fmt: skip


def built(*lines: TrendLine) -> SectionPage:
    page = Trend(lines).build(RUN, None)
    assert page is not None
    return page


def of(page: SectionPage, kind: Any) -> list[Any]:
    return [block for block in page.blocks if isinstance(block, kind)]


def test_there_is_no_section_with_fewer_than_three_runs() -> None:
    assert Trend([]).build(RUN, None) is None
    assert Trend([TrendLine(name="s", points=points(1.0, 1.0))]).build(RUN, None) is None


def test_pass_rate_comes_with_its_interval_and_cost_and_latency_with_a_curve_each() -> None:
    rate, cost, latency = of(built(TrendLine(name="s", points=points(0.9, 0.8, 0.7))), Curve)
    assert rate.y_label == "share of trials passed"
    assert [y for _, y in rate.series[0].points] == [0.9, 0.8, 0.7]
    assert len(rate.series[0].low) == len(rate.series[0].high) == 3
    assert [y for _, y in cost.series[0].points] == [1.0, 1.0, 1.0]
    assert latency.y_label == "seconds"


def test_a_run_without_a_figure_is_a_gap_and_never_a_zero() -> None:
    page = built(TrendLine(name="s", points=points(0.9, None, 0.8, 0.7)))
    assert [x for x, _ in of(page, Curve)[0].series[0].points] == [1.0, 3.0, 4.0]
    table = of(page, Table)[0]
    assert [row[4].text for row in table.rows] == ["70.0%", "80.0%", "not measured", "90.0%"]


def test_an_alarm_of_the_newest_run_is_said_first_and_in_red() -> None:
    old = TrendLine(name="old", points=points(0.9, 0.8, 0.9), alarm="it crossed", chart="x", chart_limit=4.0)
    new = replace(old, name="new", fresh=True)
    found = {block.text: block.tone for block in of(built(old, new), Prose)}
    assert found["old: it crossed."] == "warn"
    assert found["new: it crossed."] == "bad"


def test_a_quiet_history_has_no_alarm_and_says_why_there_is_no_chart() -> None:
    page = built(TrendLine(name="s", points=points(1.0, 1.0, 1.0), chart="no chart yet: 1 more run"))
    told = [block.text for block in of(page, Prose)]
    assert "s: no chart yet: 1 more run." in told
    assert not any("CUSUM" in text for text in told)


def test_many_suites_draw_as_many_lines_as_can_be_told_apart_those_that_moved_first() -> None:
    still = [TrendLine(name=f"still-{n}", points=points(0.9, 0.9, 0.9)) for n in range(10)]
    moved = [TrendLine(name=f"moved-{n}", points=points(0.9, 0.9, 0.8 - n / 100)) for n in range(10)]
    names = [series.name for series in of(built(*still, *moved), Curve)[0].series]
    assert len(names) == MOST_SERIES
    assert names == ["still-0", "moved-9", "moved-8", "moved-7", "moved-6"]


def test_the_table_has_the_newest_runs_newest_first() -> None:
    table = of(built(TrendLine(name="s", points=points(*[0.9] * 31))), Table)[0]
    assert len(table.rows) == MOST_RUNS
    assert [table.rows[0][1].text, table.rows[-1][1].text] == ["run-30", "run-16"]


def aged(comparison: Comparison, old: str, new: str, commits: int | None = None) -> tuple[str, bool]:
    return age_of(replace(comparison, meta={"base_created_at": old, "base_commits": commits}), new)


def test_a_baselines_age_is_in_days_and_commits_and_a_month_is_a_warning() -> None:
    some = sample_comparison()
    assert aged(some, "2026-01-01T00:00:00Z", "2026-01-13T12:00:00Z") == ("12 days old", False)
    assert aged(some, "2026-01-01T00:00:00Z", "2026-01-01T05:00:00Z", 1) == ("less than a day and 1 commit old", False)
    assert aged(some, "2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z", 34) == ("30 days and 34 commits old", True)
    assert aged(some, "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", 250) == ("1 day and 250 commits old", True)


def test_an_age_that_nobody_knows_is_not_shown() -> None:
    some = sample_comparison()
    assert aged(some, "", "2026-01-13T12:00:00Z") == ("", False)
    assert aged(some, "soon", "2026-01-13T12:00:00Z") == ("", False)
    assert age_of(replace(some, meta={}), "2026-01-13T12:00:00Z") == ("", False)
    # A clock that was wrong: never a negative age.
    assert aged(some, "2026-01-05T00:00:00Z", "2026-01-01T00:00:00Z") == ("less than a day old", False)


def test_the_changes_section_says_how_old_the_baseline_is_and_what_to_do() -> None:
    run = replace(RUN, manifest=replace(RUN.manifest, created_at="2026-03-01T00:00:00Z"))
    comparison = replace(sample_comparison(), meta={"base_created_at": "2026-01-01T00:00:00Z"})
    page = Changes(make_scorecard(run)).build(run, comparison)
    assert page is not None
    (said,) = [block for block in of(page, Prose) if "59 days old" in block.text]
    assert said.tone == "warn"
    assert "harness baseline accept" in said.text

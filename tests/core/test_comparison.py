from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from harness.core.comparison import Baseline, baseline_text, compare, compare_runs, make_baseline, suite_key
from harness.core.errors import FormatError
from harness.core.record import Manifest, PlannedSuite, Record, Run
from harness.core.trajectory import Trajectory

SUITE = "suites/desk/test_refunds.py::test_refunds"


def record(case: str, outcome: str = "passed", trial: int = 0, **more: Any) -> Record:
    values: dict[str, Any] = {"suite": SUITE, "case_id": case, "case_hash": "h", "trial": trial, "outcome": outcome}
    return Record(**(values | more))


def manifest(run_id: str, cases: int = 4, trials: int = 1, **more: Any) -> Manifest:
    plan = PlannedSuite(suite=SUITE, cases=cases, trials=trials, dataset="desk", dataset_hash=more.pop("data", "d1"))
    return Manifest(run_id=run_id, created_at="2026-01-01T00:00:00Z", planned=(plan,), **more)


def four(**changes: str) -> list[Record]:
    return [record(name, changes.get(name, "passed")) for name in "abcd"]


def test_pairs_are_made_by_case_and_the_difference_is_their_mean() -> None:
    base = make_baseline(manifest("old"), four())
    suite = compare(base, manifest("new"), four(b="failed")).suite(SUITE)
    assert suite is not None
    assert len(suite.pairs) == 4
    assert suite.difference == -0.25
    assert suite.low is not None
    assert suite.high is not None
    assert -1 < suite.low < -0.25 < suite.high


def test_identical_runs_differ_by_zero_with_an_interval() -> None:
    base = make_baseline(manifest("old"), four())
    suite = compare(base, manifest("new"), four()).suite(SUITE)
    assert suite is not None
    assert suite.difference == 0
    assert suite.low == pytest.approx(-(suite.high or 0))
    assert suite.low is not None
    assert suite.low < 0


def test_changed_broken_and_new_cases_are_named_and_not_paired() -> None:
    base = make_baseline(manifest("old"), four())
    now = [record("a"), record("b", case_hash="other"), record("c", "errored"), record("e")]
    suite = compare(base, manifest("new"), now).suite(SUITE)
    assert suite is not None
    assert [pair.case_id for pair in suite.pairs] == ["a"]
    assert (suite.changed, suite.only_base, suite.only_new) == (("b",), ("c", "d"), ("e",))


def test_a_suite_that_one_side_lacks_has_no_difference() -> None:
    base = make_baseline(manifest("old"), four())
    other = [record("a", suite="suites/other.py::test")]
    comparison = compare(base, Manifest(run_id="new", created_at=""), other)
    gone = comparison.suite(SUITE)
    assert gone is not None
    assert (gone.difference, gone.low, gone.high) == (None, None, None)
    assert gone.only_base == ("a", "b", "c", "d")


def test_unequal_trials_are_compared_by_their_shares() -> None:
    base = make_baseline(manifest("old", 1, 4), [record("a", "passed" if t else "failed", t) for t in range(4)])
    suite = compare(base, manifest("new", 1, 2), [record("a", trial=t) for t in range(2)]).suite(SUITE)
    assert suite is not None
    assert suite.pairs[0].difference == 0.25


def test_what_else_differs_is_said_in_notes() -> None:
    base = make_baseline(manifest("old", agent="desk:careful", models=("m1",), seed=1), four())
    now = manifest("new", agent="desk:hasty", models=("m2",), seed=2, data="d2", mode="live")
    notes = "\n".join(compare(base, now, four()).notes)
    for word in ("desk:careful", "m1", "m2", "dataset desk has changed", "another seed: 1", "another mode: replay"):
        assert word in notes


def test_a_comparable_run_has_no_notes() -> None:
    base = make_baseline(manifest("old", agent="x"), four())
    assert compare(base, manifest("new", agent="x"), four()).notes == ()


def test_a_baseline_survives_being_written_and_read() -> None:
    trajectory = Trajectory(latency_s=1.23456789)
    records = [record(name, trajectory=trajectory, cost_usd=Decimal("0.125")) for name in ("ä", 'q"uote', "\u2028")]
    base = make_baseline(manifest("old", 3, agent="x", models=("m",), commit="abc"), records)
    assert base.costs_usd == {SUITE: "0.125"}
    assert base.latency_p50_s == {SUITE: 1.2346}
    assert Baseline.from_text(baseline_text(base)) == base
    assert Baseline.from_json(json.loads(json.dumps(base.to_json()))) == base


def test_one_changed_case_changes_one_line_of_the_committed_text() -> None:
    old = baseline_text(make_baseline(manifest("r"), four())).splitlines()
    new = baseline_text(make_baseline(manifest("r"), list(reversed(four(c="failed"))))).splitlines()
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert len(changed) == 1
    assert '"c": ["h", 1, 0]' in changed[0][1]


def test_the_arms_of_a_suite_are_kept_apart() -> None:
    records = [record("a", arm="p=1"), record("a", "failed", arm="p=2")]
    base = make_baseline(Manifest(run_id="r", created_at=""), records)
    assert set(base.suites) == {suite_key(SUITE, "p=1"), suite_key(SUITE, "p=2")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "not JSON"),
        ("[]", "no table 'suites'"),
        ('{"version": 99, "suites": {}}', "format version 99"),
        ('{"version": 1, "suites": {}}', "no 'run_id'"),
        ('{"version": 1, "run_id": "r", "created_at": "", "suites": {"s": {"a": ["h", 1, 2]}}}', "case 'a'"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused_with_the_place(text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        Baseline.from_text(text)


def test_two_stored_runs_are_compared_with_the_older_as_the_baseline() -> None:
    comparison = compare_runs(
        Run(manifest=manifest("old"), records=four(a="failed")), Run(manifest=manifest("new"), records=four())
    )
    assert (comparison.base, comparison.new) == ("old", "new")
    assert comparison.suites[0].difference == 0.25


def test_the_difference_over_several_suites_is_the_gates_to_the_digit() -> None:
    """Two suites over one dataset whose cases come in families: a comparison and a gate read the same two runs."""
    from harness.commands.changes import changes_between
    from harness.commands.verdict_lines import changed_lines
    from harness.core.comparison import pooled_difference
    from harness.core.scorecard import build_scorecard
    from harness.gates.claims import show
    from harness.gates.no_regression import NoRegression
    from harness.gates.pairs import pair_cases

    suites = ("suites/a.py::test", "suites/b.py::test")
    plans = tuple(PlannedSuite(suite=s, cases=60, trials=1, dataset="desk", dataset_hash="d") for s in suites)

    def run(run_id: str, lost: set[int], won: set[int]) -> Run:
        found = [
            record(
                f"c{n}",
                "failed" if n in lost or (n % 20 == 3 and n not in won) else "passed",
                suite=suite,
                dataset="desk",
                cluster=f"family {n // 4}",
            )
            for suite in suites
            for n in range(60)
        ]
        made = Manifest(run_id=run_id, created_at="2026-01-01T00:00:00Z", finished_at="x", planned=plans)
        return Run(manifest=made, records=found)

    old, new = run("old", set(), set()), run("new", {4, 5, 6, 7, 9}, {23})
    comparison = compare_runs(old, new)
    pooled = pooled_difference([pair for suite in comparison.suites for pair in suite.pairs])
    card = build_scorecard(new.manifest, new.records)
    pairs = pair_cases(card, list(card.suites), comparison, "pass_rate")
    rule = NoRegression(name="r", confidence=0.975)
    shown = show(pairs, *rule.claims(), confidence=0.975)
    assert (pooled.low, pooled.high) == pytest.approx((shown.low, shown.high), abs=1e-12)
    assert pooled.clusters == 15
    whole = changes_between(old, new).all
    assert (whole.difference, whole.low, whole.high) == (pooled.value, pooled.low, pooled.high)
    # As if every case were its own the interval would be a good deal narrower: that is what a family is for.
    from harness.stats.paired import paired_difference

    alone = paired_difference([pair.difference for suite in comparison.suites for pair in suite.pairs])
    assert (pooled.high or 0) - (pooled.low or 0) > 1.3 * ((alone.high or 0) - (alone.low or 0))
    from harness.reporting import numbers

    line = changed_lines(comparison, width=100)[0]
    assert numbers.points_interval(pooled.low, pooled.high) in line

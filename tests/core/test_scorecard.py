from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from harness.core.errors import Failure
from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.score import Score
from harness.core.scorecard import Row, Scorecard, build_scorecard
from harness.core.trajectory import ModelCall, Trajectory
from harness.core.usage import Usage

SUITE = "suites/desk/test_refunds.py::test_refunds"
BROKEN = Failure(kind="provider", message="the endpoint said 500", reason="server_error")


def record(case: str, outcome: str = "passed", trial: int = 0, **more: Any) -> Record:
    values: dict[str, Any] = {"suite": SUITE, "case_id": case, "case_hash": "h", "trial": trial, "outcome": outcome}
    if outcome == "errored":
        values["error"] = BROKEN
    return Record(**(values | more))


def planned(cases: int, trials: int = 1, suite: str = SUITE, **more: Any) -> PlannedSuite:
    return PlannedSuite(suite=suite, cases=cases, trials=trials, **more)


def manifest(*suites: PlannedSuite, **more: Any) -> Manifest:
    values = {"run_id": "r1", "created_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:01:00Z"}
    return Manifest(planned=suites, **(values | more))


def rate_of(card: Scorecard, **where: Any) -> Row:
    row = card.row("pass_rate", **where)
    assert row is not None
    return row


def test_an_errored_trial_stays_in_n_and_counts_against_both_gate_bounds() -> None:
    records = [record(f"c{i}") for i in range(9)] + [record("c9", "errored")]
    row = rate_of(build_scorecard(manifest(planned(10)), records), suite=SUITE)
    assert (row.n, row.of, row.estimate) == (9, 10, 1.0)
    assert row.gate_low is not None
    # 9 of 10, not 9 of 9: the broken trial may have been a failure.
    assert row.gate_low == pytest.approx(0.606, abs=1e-3)
    assert row.gate_high == 1.0


def test_a_planned_trial_without_a_record_counts_as_not_run() -> None:
    card = build_scorecard(manifest(planned(4, trials=2)), [record("a"), record("b"), record("b", trial=1)])
    assert card.outcomes == {"passed": 3, "failed": 0, "errored": 0, "not_run": 5}
    assert (card.planned, card.measured) == (8, 3)
    assert card.suites[0].missing_cases == 2
    assert card.cases[0].not_run == 1
    row = rate_of(card)
    assert row.gate_low is not None
    assert row.gate_low < 0.2


def test_nothing_measured_is_not_a_number() -> None:
    card = build_scorecard(manifest(planned(3)), [record("a", "errored")])
    row = rate_of(card, suite=SUITE)
    assert (row.estimate, row.low, row.high, row.gate_low, row.gate_high) == (None,) * 5
    assert (row.n, row.of) == (0, 3)
    assert card.agent_cost_usd is None


def test_a_run_without_suites_has_no_rows() -> None:
    card = build_scorecard(manifest(), [])
    assert (card.rows, card.cases, card.duration_s) == ((), (), None)


def test_of_two_records_with_one_key_the_last_counts_everywhere() -> None:
    old = record(
        "a", "failed", cost_usd=Decimal(5), failure="wrong", scores=(Score.passed_if("contains", False, "no"),)
    )
    new = record("a", cost_usd=Decimal(1), scores=(Score.passed_if("contains", True, "yes"),))
    card = build_scorecard(manifest(planned(1)), [old, new])
    assert card.outcomes["failed"] == 0
    assert card.agent_cost_usd == Decimal(1)
    assert card.cases[0].reason == ""
    contains = card.row("contains", suite=SUITE)
    assert contains is not None
    assert (contains.estimate, contains.n, contains.of) == (1.0, 1, 1)


def test_trials_of_a_case_are_one_cluster() -> None:
    records = [record(f"c{i}", trial=t) for i in range(10) for t in range(5)]
    row = rate_of(build_scorecard(manifest(planned(10, trials=5)), records), suite=SUITE)
    assert (row.n, row.clusters) == (50, 10)
    # Ten passing cases, not fifty: 0.05 ** (1 / 10).
    assert row.gate_low == pytest.approx(0.741, abs=1e-3)


def test_the_same_case_in_two_suites_is_one_cluster() -> None:
    other = "suites/desk/test_tone.py::test_tone"
    records = [record(f"c{i}", suite=suite) for suite in (SUITE, other) for i in range(10)]
    plan = manifest(planned(10, dataset="desk"), planned(10, suite=other, dataset="desk"))
    row = rate_of(build_scorecard(plan, records))
    assert (row.n, row.clusters) == (20, 10)


def test_a_case_that_fails_some_trials_is_unreliable_only_where_a_rate_decides() -> None:
    records = [record("a"), record("a", "failed", 1, failure="no refund was made")]
    plain = build_scorecard(manifest(planned(1, trials=2)), records)
    statistical = build_scorecard(manifest(planned(1, trials=2, statistical=True)), records)
    assert plain.cases[0].status == "failed"
    assert statistical.cases[0].status == "unreliable"
    assert statistical.cases[0].reason == "no refund was made"


def test_an_error_is_no_failure_and_its_kind_is_counted() -> None:
    card = build_scorecard(manifest(planned(2)), [record("a", "errored"), record("b", "not_run")])
    assert [case.status for case in card.cases] == ["errored", "not_run"]
    assert card.errors == {"provider": 1}
    assert card.error_reasons == {"provider: server_error": 1}


def test_observed_suites_have_rows_of_their_own_and_none_over_all() -> None:
    other = "suites/recorded/test_runs.py::test_runs"
    plan = manifest(planned(1, area="tools"), planned(1, suite=other, observe=True, area="recorded"))
    card = build_scorecard(plan, [record("a"), record("b", "failed", suite=other)])
    assert rate_of(card).estimate == 1.0
    assert rate_of(card, suite=other).estimate == 0.0
    assert card.row("pass_rate", suite="", area="recorded") is None


def test_areas_pool_their_suites() -> None:
    names = [f"suites/desk/test_{i}.py::test" for i in range(3)]
    areas = ["tools", "tools", "safety"]
    plan = manifest(*(planned(1, suite=name, area=area) for name, area in zip(names, areas, strict=True)))
    outcomes = ("passed", "failed", "passed")
    card = build_scorecard(plan, [record("a", out, suite=name) for name, out in zip(names, outcomes, strict=True)])
    assert rate_of(card, suite="", area="tools").estimate == 0.5
    assert rate_of(card, suite="", area="safety").estimate == 1.0


def test_arms_of_a_parametrized_suite_have_rows_of_their_own() -> None:
    plan = manifest(planned(1, arm="prompt=a"), planned(1, arm="prompt=b"))
    card = build_scorecard(plan, [record("c", arm="prompt=a"), record("c", "failed", arm="prompt=b")])
    assert rate_of(card, suite=SUITE, arm="prompt=a").estimate == 1.0
    assert rate_of(card, suite=SUITE, arm="prompt=b").estimate == 0.0


def test_pass_hat_k_is_shown_for_every_k_up_to_the_trials() -> None:
    outcomes = {"a": "pppp", "b": "ppff", "c": "ffff"}
    records = [
        record(case, "passed" if letter == "p" else "failed", trial)
        for case, letters in outcomes.items()
        for trial, letter in enumerate(letters)
    ]
    card = build_scorecard(manifest(planned(3, trials=4)), records)
    values = [card.row("pass^k", suite=SUITE, k=k) for k in (1, 2, 3, 4)]
    assert [row.estimate for row in values if row] == pytest.approx([0.5, (1 + 1 / 6) / 3, 1 / 3, 1 / 3])
    at = card.row("pass@k", suite=SUITE, k=3)
    assert at is not None
    assert at.estimate == pytest.approx(2 / 3)


def test_a_k_that_a_broken_trial_put_out_of_reach_has_no_estimate_but_worst_case_bounds() -> None:
    records = [record(f"c{i}", trial=t) for i in range(20) for t in range(2)]
    records[0] = record("c0", "errored")
    row = build_scorecard(manifest(planned(20, trials=2)), records).row("pass^k", suite=SUITE, k=2)
    assert row is not None
    assert row.estimate is None
    assert "fewer than 2 measured" in row.note
    assert row.gate_low is not None
    assert row.gate_high == 1.0


def timed(case: str, latency: float, outcome: str = "passed", error: Failure | None = None) -> Record:
    call = ModelCall(model="m", usage=Usage(input_tokens=10, output_tokens=5))
    trajectory = Trajectory(latency_s=latency, model_calls=(call,), error=error)
    return record(case, outcome, trajectory=trajectory, cost_usd=Decimal("0.10"), started_at=1.0, duration_s=latency)


def test_cost_latency_and_tokens_have_rows_with_units() -> None:
    card = build_scorecard(manifest(planned(4)), [timed(f"c{i}", i + 1.0) for i in range(4)])
    median = card.row("latency_s", suite=SUITE, quantile=0.5)
    assert median is not None
    assert (median.estimate, median.unit, median.direction) == (2.5, "s", "lower")
    assert card.tokens == 60
    assert card.agent_cost_usd == Decimal("0.40")
    mean, total = card.row("cost_usd", suite=SUITE), card.row("cost_usd", suite=SUITE, kind="total")
    assert mean is not None
    assert mean.estimate == pytest.approx(0.1)
    # Equal costs have no spread: no bounds rather than an interval of no width.
    assert (mean.low, mean.high) == (None, None)
    assert total is not None
    assert total.estimate == pytest.approx(0.4)
    assert card.duration_s == 4.0


def test_one_unpriced_trial_makes_the_cost_of_the_run_unknown() -> None:
    card = build_scorecard(manifest(planned(2)), [timed("a", 1.0), record("b")])
    assert (card.agent_cost_usd, card.unpriced_trials) == (None, 1)


def test_a_run_that_broke_off_does_not_make_the_agent_look_fast() -> None:
    slow = [timed(f"c{i}", 3.0) for i in range(3)]
    broken = timed("c3", 0.01, "errored", error=BROKEN)
    row = build_scorecard(manifest(planned(4)), [*slow, broken]).row("latency_s", suite=SUITE, quantile=0.5)
    assert row is not None
    assert (row.estimate, row.n, row.of) == (3.0, 3, 4)


def test_a_suite_that_broke_entirely_does_not_vanish_from_the_n_of_a_figure() -> None:
    other = "suites/desk/test_tone.py::test_tone"
    records = [*(timed(f"c{i}", 1.0) for i in range(3)), record("a", "errored", suite=other)]
    row = build_scorecard(manifest(planned(3), planned(1, suite=other)), records).row("latency_s", quantile=0.5)
    assert row is not None
    assert (row.n, row.of) == (3, 4)


def test_an_evaluator_counts_only_the_trials_whose_case_expects_something() -> None:
    quiet = Score.not_measured("contains", "nothing expected", expected_nothing=True)
    yes = Score.passed_if("contains", True, "found")
    lost = Score.not_measured("contains", "the reply was unreadable", kind="provider")
    records = [record("a", scores=(quiet,)), record("b", scores=(yes,)), record("c", "errored", scores=(lost,))]
    row = build_scorecard(manifest(planned(3)), records).row("contains", suite=SUITE)
    assert row is not None
    assert (row.n, row.of, row.estimate, row.kind) == (1, 2, 1.0, "rate")


def test_an_evaluator_with_a_value_of_its_own_has_a_mean_with_unit_and_direction() -> None:
    scores = [Score.of("steps", n, "counted", unit="steps", direction="lower", area="cost") for n in (2, 3, 7)]
    records = [record(f"c{i}", scores=(score,)) for i, score in enumerate(scores)]
    row = build_scorecard(manifest(planned(3)), records).row("steps", suite=SUITE)
    assert row is not None
    assert (row.kind, row.estimate, row.unit, row.direction, row.area) == ("mean", 4.0, "steps", "lower", "cost")


def test_an_evaluator_named_like_a_figure_of_ours_does_not_mix_with_it() -> None:
    mine = dataclasses.replace(timed("a", 1.0), scores=(Score.of("tokens", 99, "by my own count"),))
    card = build_scorecard(manifest(planned(1)), [mine])
    own, other = card.row("tokens", suite=SUITE), card.row("tokens (evaluator)", suite=SUITE)
    assert own is not None
    assert other is not None
    assert (own.estimate, other.estimate) == (15.0, 99.0)


def test_the_order_of_the_records_does_not_matter() -> None:
    records = [
        dataclasses.replace(timed(f"c{i}", 1.0 + i % 7, "failed" if i % 5 == 0 else "passed"), trial=i % 3)
        for i in range(60)
    ]
    one = build_scorecard(manifest(planned(60, trials=3)), records)
    two = build_scorecard(manifest(planned(60, trials=3)), reversed(records))
    assert one.cases == two.cases
    assert [(r.metric, r.n, r.of, r.low) for r in one.rows] == [(r.metric, r.n, r.of, r.low) for r in two.rows]


def test_records_are_read_once_and_their_trajectories_are_let_go() -> None:
    import gc
    import weakref

    alive: list[weakref.ref[Trajectory]] = []

    def stream() -> Iterator[Record]:
        for i in range(50):
            trajectory = Trajectory.from_answer(f"answer {i}")
            alive.append(weakref.ref(trajectory))
            yield record(f"c{i}", trajectory=trajectory)
            del trajectory

    card = build_scorecard(manifest(planned(50)), stream())
    gc.collect()
    assert card.measured == 50
    assert [ref for ref in alive if ref() is not None] == []


def test_a_suite_that_nobody_planned_is_counted_by_what_it_recorded() -> None:
    card = build_scorecard(manifest(), [record("a"), record("b", "failed")])
    assert (card.planned, card.measured) == (2, 2)
    assert rate_of(card, suite=SUITE).estimate == 0.5

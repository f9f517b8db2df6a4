"""Superiority, equivalence and no regression, of passes and of measurements, against a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from harness.core.comparison import Baseline, compare, make_baseline
from harness.core.errors import Failure, RuleError
from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.score import Score
from harness.core.scorecard import build_scorecard
from harness.core.trajectory import Trajectory
from harness.core.verdict import Verdict
from harness.gates.equivalence import Equivalence
from harness.gates.no_regression import NoRegression
from harness.gates.paired_rule import PairedRule
from harness.gates.superiority import Superiority

SUITE = "suites/desk/test_refunds.py::test_refunds"
OTHER = "suites/desk/test_talk.py::test_talk"
NAMES = {"p": "passed", "f": "failed", "e": "errored"}


def records(
    outcomes: str, *, suite: str = SUITE, cost: Sequence[float] = (), first: int = 0, **more: Any
) -> list[Record]:
    """One case per letter; ``cost`` in dollars and an evaluator ``grade`` of the same value."""
    made = []
    for i, letter in enumerate(outcomes):
        values: dict[str, Any] = {"outcome": NAMES[letter]}
        if letter == "e":
            values["error"] = Failure(kind="provider", message="500")
        elif cost:
            values["cost_usd"] = Decimal(repr(cost[i]))
            values["trajectory"] = Trajectory(latency_s=cost[i])
            values["scores"] = (Score.of("grade", cost[i], "judged"),)
        name = f"c{i + first:03}"
        made.append(Record(**({"suite": suite, "case_id": name, "case_hash": "h", "trial": 0} | values | more)))
    return made


def manifest(run_id: str, found: list[Record]) -> Manifest:
    suites = {record.suite: 0 for record in found}
    for name in suites:
        suites[name] = len({record.case_id for record in found if record.suite == name})
    plans = tuple(PlannedSuite(suite=name, cases=n, dataset="d", statistical=True) for name, n in suites.items())
    return Manifest(run_id=run_id, created_at="x", finished_at="y", planned=plans)


def judged(rule: PairedRule, base: list[Record], now: list[Record], **changed: Any) -> Verdict:
    stored = replace(Baseline.from_text(make_baseline(manifest("old", base), base).to_text()), **changed)
    candidate = manifest("new", now)
    return rule.judge(build_scorecard(candidate, now), compare(stored, candidate, now))


BETTER = Superiority(name="b")
SAME = Equivalence(name="s", margin_points=5)


# -- passes


def test_superiority_needs_to_be_shown() -> None:
    assert judged(BETTER, records("f" * 20 + "p" * 80), records("p" * 100)).answer == "pass"
    looks_better = judged(BETTER, records("ff" + "p" * 98), records("p" * 100))
    assert looks_better.answer == "inconclusive"
    assert "about" in looks_better.needs
    assert judged(BETTER, records("p" * 100), records("f" * 20 + "p" * 80)).answer == "fail"


def test_superiority_by_a_margin_fails_what_is_shown_to_gain_less() -> None:
    rule = Superiority(name="b", margin_points=10)
    assert judged(rule, records("p" * 200), records("p" * 200)).answer == "fail"
    assert judged(rule, records("f" * 60 + "p" * 140), records("p" * 200)).answer == "pass"


def test_equivalence_works_both_ways() -> None:
    assert judged(SAME, records("p" * 150), records("p" * 150)).answer == "pass"
    better = judged(SAME, records("f" * 50 + "p" * 100), records("p" * 150))
    assert better.answer == "fail"
    assert "changed by more than 5 points" in better.reason
    assert judged(SAME, records("p" * 150), records("f" * 50 + "p" * 100)).answer == "fail"
    assert judged(SAME, records("p" * 20), records("p" * 20)).answer == "inconclusive"


def test_a_small_but_certain_drop_fails_or_passes_by_policy() -> None:
    base, now = records("p" * 400), records("f" * 8 + "p" * 392)
    assert judged(NoRegression(name="n"), base, now).answer == "fail"
    assert judged(NoRegression(name="n", fail_below="margin"), base, now).answer == "pass"
    worse = records("f" * 60 + "p" * 340)
    verdict = judged(NoRegression(name="n", fail_below="margin"), base, worse)
    assert verdict.answer == "fail"
    assert "worse by 5 points" in verdict.reason


def test_clustered_cases_count_as_one_cause() -> None:
    base = [*records("p" * 150)]
    alone = judged(SAME, base, base).answer
    tied = [replace(record, cluster=f"k{i % 10}") for i, record in enumerate(base)]
    # Ten families of fifteen cases cannot rule out what 150 cases of their own do.
    assert (alone, judged(SAME, tied, tied).answer) == ("pass", "inconclusive")


def test_cases_on_one_side_only_are_reported_and_too_many_leave_the_answer_open() -> None:
    base = records("p" * 200)
    few = [*base[10:], *records("p" * 5, first=500)]
    verdict = judged(NoRegression(name="n"), base, few)
    assert verdict.answer == "pass"
    assert "10 gone, 5 new" in verdict.reason
    for now in (base[40:], [*base, *records("p" * 40, first=500)], [*base[40:], *records("p" * 40, case_hash="x")]):
        open_verdict = judged(NoRegression(name="n"), base, now)
        assert open_verdict.answer == "inconclusive"
        assert "could not be paired" in open_verdict.reason
        assert judged(NoRegression(name="n", max_unpaired=0.5), base, now).answer == "pass"


def test_a_broken_case_costs_no_more_than_it_had() -> None:
    # The baseline failed it: breaking on it loses nothing, and the pair stays in the comparison.
    base = records("f" * 30 + "p" * 170)
    now = records("e" * 30 + "p" * 170)
    assert judged(NoRegression(name="n"), base, now).answer == "pass"
    verdict = judged(NoRegression(name="n"), records("p" * 200), now)
    assert verdict.answer == "inconclusive"
    assert verdict.needs == "the 30 unmeasured trials"


def test_the_suites_that_got_worse_are_listed() -> None:
    base = [*records("p" * 100), *records("p" * 100, suite=OTHER, first=100)]
    now = [*records("f" * 30 + "p" * 70), *records("p" * 100, suite=OTHER, first=100)]
    reason = judged(NoRegression(name="n"), base, now).reason
    assert "by suite, worse in test_refunds (a list in which 10 % may be false)" in reason


# -- measurements


def seconds(n: int, by: float = 0.0) -> list[float]:
    return [1 + 0.05 * (i % 7) + by * (1 + 0.1 * (i % 3)) for i in range(n)]


COST = NoRegression(name="c", metric="cost_usd", margin=0.1)


@pytest.mark.parametrize("metric", ["cost_usd", "latency_s"])
def test_a_dearer_or_slower_agent_fails_and_an_equal_one_passes(metric: str) -> None:
    rule = NoRegression(name="c", metric=metric, margin=0.1)
    base = records("p" * 30, cost=seconds(30))
    assert judged(rule, base, base).answer == "pass"
    worse = judged(rule, base, records("p" * 30, cost=seconds(30, by=0.3)))
    assert worse.answer == "fail"
    assert "+0.3" in worse.reason
    assert judged(rule, base, records("p" * 30, cost=seconds(30, by=-0.3))).answer == "pass"


def test_a_margin_in_percent_is_of_the_baselines_mean() -> None:
    rule = NoRegression(name="c", metric="cost_usd", margin_percent=10, fail_below="margin")
    base = records("p" * 30, cost=seconds(30))
    assert judged(rule, base, records("p" * 30, cost=[1.05 * c for c in seconds(30)])).answer == "pass"
    assert judged(rule, base, records("p" * 30, cost=[1.15 * c for c in seconds(30)])).answer == "fail"


def test_superiority_and_equivalence_of_a_cost() -> None:
    base = records("p" * 30, cost=seconds(30))
    cheaper = records("p" * 30, cost=seconds(30, by=-0.3))
    assert judged(Superiority(name="b", metric="cost_usd"), base, cheaper).answer == "pass"
    assert judged(Superiority(name="b", metric="cost_usd"), cheaper, base).answer == "fail"
    same = Equivalence(name="s", metric="cost_usd", margin=0.1)
    assert [judged(same, base, now).answer for now in (base, cheaper)] == ["pass", "fail"]


def test_a_score_in_0_to_1_counts_broken_trials_both_ways_and_a_cost_waits_for_them() -> None:
    grades = [0.9] * 200
    base = records("p" * 200, cost=grades)
    now = records("p" * 199 + "e", cost=grades)
    assert judged(NoRegression(name="g", metric="grade", margin=0.05), base, now).answer == "pass"
    verdict = judged(COST, base, now)
    assert (verdict.answer, verdict.needs) == ("inconclusive", "the 1 unmeasured trial")


def test_too_few_cases_never_decide_a_measurement() -> None:
    base = records("p" * 5, cost=seconds(5))
    assert judged(COST, base, base).answer == "inconclusive"
    assert judged(COST, base, records("p" * 5, cost=seconds(5, by=9))).answer == "inconclusive"
    six = records("p" * 6, cost=seconds(6))
    assert judged(COST, six, six).answer == "pass"


def test_a_run_against_itself_differs_by_nothing_although_values_are_stored_short() -> None:
    values = [1 / 3 + i * 1e-7 / 7 for i in range(40)]
    base = records("p" * 40, cost=values)
    rule = NoRegression(name="c", metric="latency_s", margin=0.01)
    assert judged(rule, base, base).answer == "pass"
    assert "+0.000 s" in judged(rule, base, base).reason


def test_a_baseline_without_scores_asks_for_another_one() -> None:
    base = records("p" * 30)
    verdict = judged(COST, base, records("p" * 30, cost=seconds(30)))
    assert (verdict.answer, verdict.baseline_missing) == ("inconclusive", True)
    assert "accept" in verdict.needs


def test_scores_of_another_version_of_an_evaluator_are_not_compared() -> None:
    base = records("p" * 30, cost=seconds(30))
    rule = NoRegression(name="g", metric="grade", margin=0.1)
    verdict = judged(rule, base, base, score_versions={"grade": "2"})
    assert (verdict.answer, verdict.baseline_missing) == ("inconclusive", True)
    assert "version 1 now and was version 2" in verdict.reason


def test_an_unknown_metric_names_what_there_is() -> None:
    base = records("p" * 30, cost=seconds(30))
    verdict = judged(NoRegression(name="g", metric="grades", margin=0.1), base, base)
    assert verdict.answer == "inconclusive"
    assert "there is grade" in verdict.reason


def test_a_margin_of_the_wrong_kind_is_refused_when_the_rule_is_made() -> None:
    with pytest.raises(RuleError, match="margin_points"):
        Equivalence(name="s")
    with pytest.raises(RuleError, match="given as margin or margin_percent"):
        Superiority(name="b", metric="cost_usd", margin_points=3)

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from harness.core.comparison import Comparison, make_baseline
from harness.core.comparison import compare as compare_with
from harness.core.errors import Failure, RuleError
from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.score import Score
from harness.core.scorecard import Scorecard, build_scorecard
from harness.core.trajectory import Trajectory
from harness.core.verdict import Verdict, combine
from harness.gates.enough_evidence import EnoughEvidence
from harness.gates.judge import judge_rules
from harness.gates.latency import Latency
from harness.gates.must_pass import MustPass
from harness.gates.no_regression import NoRegression
from harness.gates.rules_file import load_rules
from harness.gates.spend import Spend
from harness.gates.threshold import Threshold

SUITE = "suites/support_desk/test_refunds.py::test_refunds"
ROOT = Path(__file__).resolve().parents[2]


def records(outcomes: str, *, suite: str = SUITE, latency: float = 0.1, cost: str | None = "0.001") -> list[Record]:
    """One trial per letter: p passed, f failed, e errored."""
    from decimal import Decimal

    names = {"p": "passed", "f": "failed", "e": "errored"}
    made = []
    for i, letter in enumerate(outcomes):
        values: dict[str, Any] = {"outcome": names[letter]}
        if letter == "e":
            values["error"] = Failure(kind="provider", message="500")
        else:
            values["trajectory"] = Trajectory(latency_s=latency + i * 1e-4)
            values["scores"] = (Score.of("steps", 3 + i % 2, "counted", unit="steps", direction="lower"),)
            values["cost_usd"] = None if cost is None else Decimal(cost) + Decimal(i) / 1_000_000
        made.append(Record(suite=suite, case_id=f"c{i:03}", case_hash="h", trial=0, **values))
    return made


def plan(cases: int, suite: str = SUITE, **more: Any) -> PlannedSuite:
    return PlannedSuite(suite=suite, cases=cases, **({"area": "tools"} | more))


def manifest(*suites: PlannedSuite, **more: Any) -> Manifest:
    return Manifest(planned=suites, **({"run_id": "r", "created_at": "x", "finished_at": "y"} | more))


def card(outcomes: str, *, cases: int | None = None, **more: Any) -> Scorecard:
    return build_scorecard(manifest(plan(cases or len(outcomes), **more)), records(outcomes))


def only(verdicts: tuple[Verdict, ...], rule: str) -> Verdict:
    return next(verdict for verdict in verdicts if verdict.rule == rule)


BAR = Threshold(name="bar", at_least=0.9)


# -- thresholds


def test_a_threshold_passes_only_when_the_bound_clears_it() -> None:
    assert BAR.judge(card("p" * 29), None).answer == "pass"
    # All passing and still undecided: 28 passes show 0.8985.
    verdict = BAR.judge(card("p" * 28), None)
    assert verdict.answer == "inconclusive"
    assert verdict.needs == "about 1 more case"
    assert "0.8985" in verdict.reason or "0.899" in verdict.reason


def test_a_threshold_fails_when_the_rate_is_surely_below() -> None:
    verdict = BAR.judge(card("p" * 30 + "f" * 30), None)
    assert verdict.answer == "fail"
    assert "60 of 60 trials" in verdict.reason


def test_broken_trials_are_counted_against_passing_and_against_failing() -> None:
    assert BAR.judge(card("p" * 60 + "e"), None).answer == "pass"
    assert BAR.judge(card("p" * 60 + "e" * 10), None).answer == "inconclusive"
    assert BAR.judge(card("f" * 5 + "e" * 60), None).answer == "inconclusive"
    assert BAR.judge(card("f" * 40 + "e" * 2), None).answer == "fail"


def test_planned_cases_without_a_record_never_help() -> None:
    assert BAR.judge(card("p" * 29, cases=40), None).answer == "inconclusive"


def test_nothing_measured_is_inconclusive_and_never_a_fail() -> None:
    verdict = BAR.judge(card("e" * 40), None)
    assert verdict.answer == "inconclusive"
    assert "nothing measured" in verdict.reason


def test_an_upper_limit_on_an_evaluator_is_judged_in_its_unit() -> None:
    assert Threshold(name="s", metric="steps", at_most=4).judge(card("p" * 30), None).answer == "pass"
    assert Threshold(name="s", metric="steps", at_most=3).judge(card("p" * 30), None).answer == "fail"
    verdict = Threshold(name="s", metric="steps", at_most=4).judge(card("p" * 30 + "e"), None)
    # A mean has no worst case, so one broken trial leaves it open.
    assert verdict.answer == "inconclusive"
    assert "1 unmeasured trial" in verdict.needs


def test_values_without_spread_are_decided_by_their_value() -> None:
    same = [r for r in records("pp") for _ in range(1)]
    same = [Record(**{**vars(r), "scores": (Score.of("steps", 3, "counted"),)}) for r in same]
    made = build_scorecard(manifest(plan(2)), same)
    assert Threshold(name="s", metric="steps", at_most=4).judge(made, None).answer == "pass"
    assert Threshold(name="s", metric="steps", at_most=2).judge(made, None).answer == "fail"


def test_an_unknown_metric_names_the_ones_that_exist() -> None:
    verdict = Threshold(name="s", metric="stepz", at_most=4).judge(card("p" * 3), None)
    assert verdict.answer == "inconclusive"
    assert "steps" in verdict.reason


def test_a_suite_that_is_not_in_the_run_is_no_data() -> None:
    verdict = Threshold(name="x", at_least=0.9, suite="suites/support_desc").judge(card("p" * 30), None)
    assert verdict.answer == "inconclusive"
    assert "no data" in verdict.reason
    assert SUITE in verdict.reason


def test_a_suite_prefix_ends_at_a_boundary() -> None:
    made = build_scorecard(
        manifest(plan(30), plan(30, "suites/support_desk_two/test_x.py::test_x")),
        [*records("p" * 30), *records("f" * 30, suite="suites/support_desk_two/test_x.py::test_x")],
    )
    assert Threshold(name="x", at_least=0.9, suite="suites/support_desk").judge(made, None).answer == "pass"
    assert Threshold(name="x", at_least=0.9, suite="suites/support_desk_two").judge(made, None).answer == "fail"


def test_observed_suites_never_gate() -> None:
    made = card("f" * 30, observe=True)
    assert "observed only" in BAR.judge(made, None).reason
    assert combine(judge_rules((), made)) == "inconclusive"


@pytest.mark.parametrize("passes", range(0, 60, 7))
def test_one_more_pass_never_turns_a_pass_into_a_fail(passes: int) -> None:
    order = {"fail": 0, "inconclusive": 1, "pass": 2}
    before = BAR.judge(card("p" * passes + "f" * (60 - passes)), None)
    after = BAR.judge(card("p" * (passes + 1) + "f" * (59 - passes)), None)
    assert order[after.answer] >= order[before.answer]


# -- the other rules


def must(outcomes: str) -> Scorecard:
    made = [Record(**{**vars(r), "severity": "must_pass"}) for r in records(outcomes)]
    return build_scorecard(manifest(plan(len(outcomes), statistical=True)), made)


def test_must_pass_fails_on_the_first_failure_and_waits_for_what_broke() -> None:
    rule = MustPass(name="must")
    assert rule.judge(must("ppp"), None).answer == "pass"
    assert rule.judge(must("ppe"), None).answer == "inconclusive"
    failed = rule.judge(must("pfe"), None)
    assert failed.answer == "fail"
    assert "c001" in failed.reason
    assert rule.judge(card("ppp"), None).answer == "inconclusive"
    assert MustPass(name="must", cases=("gone",)).judge(must("ppp"), None).answer == "inconclusive"


def test_must_pass_is_not_sure_while_planned_cases_left_no_record() -> None:
    made = build_scorecard(manifest(plan(5)), [Record(**{**vars(r), "severity": "must_pass"}) for r in records("pp")])
    assert MustPass(name="must").judge(made, None).answer == "inconclusive"


def test_too_little_evidence_is_inconclusive() -> None:
    assert EnoughEvidence(name="e").judge(card("p" * 10), None).answer == "pass"
    assert EnoughEvidence(name="e").judge(card("p" * 9 + "e"), None).answer == "inconclusive"
    assert EnoughEvidence(name="e", measured_share=0.9).judge(card("p" * 9 + "e"), None).answer == "pass"
    assert EnoughEvidence(name="e", cases=11).judge(card("p" * 10), None).answer == "inconclusive"


def test_spend_is_compared_as_it_is_and_an_unknown_price_is_never_a_pass() -> None:
    made = card("p" * 20)
    assert Spend(name="c", total_usd=1.0, per_trial_usd=0.01).judge(made, None).answer == "pass"
    assert Spend(name="c", total_usd=0.001).judge(made, None).answer == "fail"
    assert Spend(name="c", per_trial_usd=0.0005).judge(made, None).answer == "fail"
    free = build_scorecard(manifest(plan(20)), records("p" * 20, cost=None))
    assert Spend(name="c", total_usd=1.0).judge(free, None).answer == "inconclusive"
    assert Spend(name="c", per_trial_usd=1.0).judge(free, None).answer == "inconclusive"


def test_latency_needs_enough_trials_for_its_quantile() -> None:
    rule = Latency(name="l", at_most_s=0.5)
    assert rule.judge(card("p" * 59), None).answer == "pass"
    short = rule.judge(card("p" * 58), None)
    assert short.answer == "inconclusive"
    slow = build_scorecard(manifest(plan(65)), records("p" * 65, latency=1.5))
    assert rule.judge(slow, None).answer == "fail"


def against(base: str, now: str, **more: Any) -> Verdict:
    stored = make_baseline(manifest(plan(len(base)), run_id="old"), records(base))
    candidate = manifest(plan(len(now)))
    comparison = compare_with(stored, candidate, records(now))
    return NoRegression(name="n", **more).judge(build_scorecard(candidate, records(now)), comparison)


def test_identical_runs_pass_once_they_are_large_enough_and_never_fail() -> None:
    assert against("p" * 100, "p" * 100).answer == "pass"
    small = against("p" * 20, "p" * 20)
    assert small.answer == "inconclusive"
    assert "more case" in small.needs
    for base in ("p", "f", "pf" * 30):
        assert against(base, base).answer != "fail"


def test_not_significant_is_not_a_pass_and_a_clear_drop_is_a_fail() -> None:
    assert against("p" * 60, "p" * 57 + "f" * 3).answer == "inconclusive"
    verdict = against("p" * 60, "p" * 40 + "f" * 20)
    assert verdict.answer == "fail"
    assert "-33.3 points" in verdict.reason


def test_broken_trials_of_the_candidate_are_not_dropped_from_the_comparison() -> None:
    # Dropping the 30 would leave 170 identical pairs, which pass.
    assert against("p" * 200, "p" * 200).answer == "pass"
    assert against("p" * 200, "p" * 170 + "e" * 30).answer == "inconclusive"


def test_a_baseline_of_other_cases_is_not_comparable() -> None:
    changed = [Record(**{**vars(r), "case_hash": "new"}) for r in records("p" * 100)]
    stored = make_baseline(manifest(plan(100), run_id="old"), records("p" * 100))
    mostly = [*records("p" * 100)[:80], *changed[80:]]
    for now, missing in ((changed, True), (mostly, False)):
        made = build_scorecard(manifest(plan(100)), now)
        verdict = NoRegression(name="n").judge(made, compare_with(stored, manifest(plan(100)), now))
        assert (verdict.answer, verdict.baseline_missing) == ("inconclusive", missing)


def test_without_a_baseline_the_answer_says_so() -> None:
    verdict = NoRegression(name="n").judge(card("p" * 50), None)
    assert (verdict.answer, verdict.baseline_missing) == ("inconclusive", True)
    assert "harness baseline accept" in verdict.needs


# -- what holds without being written down


def test_without_rules_a_plain_suite_fails_on_a_failure_and_waits_for_an_error() -> None:
    assert combine(judge_rules((), card("ppp"))) == "pass"
    assert combine(judge_rules((), card("ppf"))) == "fail"
    assert combine(judge_rules((), card("ppe"))) == "inconclusive"
    assert combine(judge_rules((), card("ppp", cases=4))) == "inconclusive"


def test_a_declared_pass_rate_is_a_rule_on_its_suite() -> None:
    made = card("p" * 60 + "f", pass_rate=0.9, statistical=True)
    verdicts = judge_rules((), made)
    assert combine(verdicts) == "pass"
    assert only(verdicts, "declared pass rate").suite == SUITE


def test_must_pass_cases_fail_the_gate_whatever_the_rate() -> None:
    made = [*records("p" * 99), Record(suite=SUITE, case_id="z", case_hash="h", trial=0, outcome="failed",
            severity="must_pass")]  # fmt: skip
    scorecard = build_scorecard(manifest(plan(100, pass_rate=0.9, statistical=True)), made)
    verdicts = judge_rules((), scorecard)
    assert only(verdicts, "declared pass rate").answer == "pass"
    assert combine(verdicts) == "fail"


def test_a_rule_over_one_suite_does_not_excuse_a_failure_in_another() -> None:
    other = "suites/other/test_x.py::test_x"
    made = build_scorecard(manifest(plan(40), plan(3, other)), [*records("p" * 40), *records("ppf", suite=other)])
    assert combine(judge_rules((Threshold(name="b", at_least=0.9, suite="suites/support_desk"),), made)) == "fail"


def test_an_advisory_rule_decides_nothing() -> None:
    made = card("p" * 40 + "f" * 40)
    verdicts = judge_rules((Threshold(name="b", at_least=0.9, advisory=True),), made)
    assert only(verdicts, "b").answer == "fail"
    assert only(verdicts, "every case passes").answer == "fail"


@pytest.mark.parametrize("broken", [{"exit_reason": "worker crashed"}, {"finished_at": ""}])
def test_a_run_that_was_cut_off_never_passes(broken: dict[str, Any]) -> None:
    made = build_scorecard(manifest(plan(40), **broken), records("p" * 40))
    verdicts = judge_rules((BAR,), made)
    assert only(verdicts, "bar").answer == "pass"
    assert combine(verdicts) == "inconclusive"
    assert "--harness-resume=r" in only(verdicts, "the run finished").needs


def test_a_run_that_measured_nothing_never_passes() -> None:
    assert combine(judge_rules((), build_scorecard(manifest(), []))) == "inconclusive"


def test_a_rule_that_raises_is_inconclusive_with_what_it_raised() -> None:
    class Exploding:
        name = "boom"

        def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
            raise ZeroDivisionError("no cases left")

    verdict = judge_rules((Exploding(),), card("ppp"))[0]
    assert (verdict.rule, verdict.answer) == ("boom", "inconclusive")
    assert "ZeroDivisionError: no cases left" in verdict.reason


def test_verdicts_are_plain_data() -> None:
    verdicts = judge_rules((BAR,), card("p" * 28))
    assert pickle.loads(pickle.dumps(verdicts)) == verdicts


# -- the gates of this repository


def desk(outcomes: str, **more: Any) -> Scorecard:
    made = [
        Record(**{**vars(r), "severity": "must_pass" if i < 5 else "normal"})
        for i, r in enumerate(records(outcomes, **more))
    ]
    return build_scorecard(manifest(plan(len(outcomes), statistical=True)), made)


def about_the_desk(name: str) -> list[Any]:
    """The rules of one of this repository's files about the reference agent; those about guards need guards' rows."""
    rules: list[Any] = list(load_rules(ROOT / "reports" / name))
    return [rule for rule in rules if rule.suite == "suites/support_desk"]


def test_the_release_gate_passes_an_unchanged_agent_and_not_without_its_baseline() -> None:
    rules = about_the_desk("release.toml")
    stored = make_baseline(manifest(plan(135), run_id="old"), records("p" * 135))
    comparison = compare_with(stored, manifest(plan(135)), records("p" * 135))
    verdicts = judge_rules(rules, desk("p" * 135), comparison)
    without = judge_rules(rules, desk("p" * 135))
    assert [verdict.rule for verdict in without if verdict.baseline_missing] == ["no worse than baseline"]
    assert combine(without) == "inconclusive"
    assert {verdict.rule: verdict.answer for verdict in verdicts if verdict.answer != "pass"} == {}
    assert combine(verdicts) == "pass"


@pytest.mark.parametrize(
    ("outcomes", "latency", "answer"),
    [
        ("p" * 64 + "f", 0.1, "inconclusive"),
        ("p" * 50 + "f" * 15, 0.1, "fail"),
        ("f" + "p" * 64, 0.1, "fail"),
        ("p" * 64 + "e", 0.1, "inconclusive"),
        ("p" * 65, 4.0, "fail"),
        ("p" * 20, 0.1, "inconclusive"),
    ],
    ids=["one failure", "many failures", "a must-pass failure", "one error", "slow", "too few"],
)
def test_the_release_gate_does_not_pass(outcomes: str, latency: float, answer: str) -> None:
    rules = about_the_desk("release.toml")
    assert combine(judge_rules(rules, desk(outcomes, latency=latency))) == answer


def test_the_nightly_gate_passes_an_unchanged_agent_and_asks_for_a_baseline_without_one() -> None:
    rules = about_the_desk("nightly.toml")
    stored = make_baseline(manifest(plan(65), run_id="old"), records("p" * 65))
    comparison = compare_with(stored, manifest(plan(65)), records("p" * 65))
    assert combine(judge_rules(rules, desk("p" * 65), comparison)) == "pass"
    without = judge_rules(rules, desk("p" * 65))
    assert combine(without) == "inconclusive"
    assert any(verdict.baseline_missing for verdict in without)


def test_rules_of_a_wrong_shape_are_refused_when_they_are_made() -> None:
    with pytest.raises(RuleError, match="got neither"):
        Threshold(name="x")
    with pytest.raises(RuleError, match="299 passes"):
        Threshold(name="x", at_least=1)
    with pytest.raises(RuleError, match="got 0"):
        NoRegression(name="x", margin_points=0)

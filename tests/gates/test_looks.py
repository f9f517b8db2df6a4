"""Rules with planned looks: decided at looks only, with the boundaries of the spending function."""

from __future__ import annotations

import random

import pytest

from harness.core.errors import RuleError
from harness.core.in_order import in_order
from harness.core.record import Manifest, Outcome, PlannedSuite, Record
from harness.core.scorecard import Scorecard, build_scorecard
from harness.gates.claims import Claim
from harness.gates.looks import ClaimLooks, RateLooks, cases_for_looks
from harness.gates.no_regression import NoRegression
from harness.gates.rules_file import parse_rules
from harness.gates.threshold import Threshold
from harness.stats.sequential.spending import even_looks
from harness.stats.sequential.spending_binomial import plan_looks

RULE = Threshold(name="rate", at_least=0.9, looks=4)


def _card(outcomes: list[Outcome], *, early: bool = True) -> Scorecard:
    """Outcomes are given along the seeded order of the cases; "not_run" ones were left out as decided."""
    manifest = Manifest(
        run_id="r",
        created_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:01:00Z",
        seed=3,
        until_decided=early,
        planned=(PlannedSuite(suite="s", dataset="d", cases=len(outcomes), trials=1, statistical=True),),
    )
    names = [case for _, case in in_order(3, [("d", str(number)) for number in range(len(outcomes))])]
    records = [
        Record(suite="s", case_id=name, case_hash="h", trial=0, dataset="d", outcome=outcome, statistical=True)
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    return build_scorecard(manifest, records)


def test_a_rule_with_looks_passes_at_a_look_and_says_which_boundary_it_met() -> None:
    plan = plan_looks(0.9, even_looks(400, 4))
    verdict = RULE.judge(_card(["passed"] * 400), None)
    assert verdict.answer == "pass"
    assert "decided after 120 of 400 independent cases" in verdict.reason
    assert f"look 1 of 4: 120 of 120 passed; {plan.pass_at[0]} or more pass" in verdict.reason
    assert "looks at 120, 214, 307, 400; 280 cases not needed" in verdict.reason


def test_nothing_is_decided_between_two_looks() -> None:
    watch = RateLooks(0.9, 0.95, 4, 400)
    answers = [watch.update(1.0).answer for _ in range(119)]
    assert set(answers) == {"inconclusive"}
    assert watch.more() == 1
    assert watch.update(1.0).decided_at == 120
    assert watch.more() == 0
    for _ in range(280):
        assert watch.update(0.0).answer == "pass"  # the first answer stays


def test_a_clear_failure_fails_at_the_first_look() -> None:
    verdict = RULE.judge(_card(["failed"] * 200), None)
    assert verdict.answer == "fail"
    assert "0 of 60 passed" in verdict.reason


def test_a_rate_at_the_bar_is_left_open_and_more_cases_need_a_new_plan() -> None:
    outcomes: list[Outcome] = ["failed" if n % 10 == 9 else "passed" for n in range(200)]
    verdict = RULE.judge(_card(outcomes), None)
    assert verdict.answer == "inconclusive"
    assert "look 4 of 4" in verdict.reason
    assert "harness plan --looks" in verdict.needs


def test_without_stopping_early_looks_change_nothing() -> None:
    plain = Threshold(name="rate", at_least=0.9)
    card = _card(["passed"] * 200, early=False)
    assert RULE.judge(card, None) == plain.judge(card, None)


def test_broken_trials_count_against_either_answer() -> None:
    watch = RateLooks(0.9, 0.95, 2, 100)
    for _ in range(100):
        watch.update(0.0, best=1.0)
    assert watch.state.answer == "inconclusive"
    assert "0 to 100 of 100 passed" in watch.told()


@pytest.mark.parametrize(("trials", "alike"), [(1, 0.0), (5, 0.0), (5, 0.5)])
def test_exactly_at_the_bar_either_answer_is_rare_also_with_shares_of_several_trials(trials: int, alike: float) -> None:
    generator = random.Random(7)
    answers = []
    for _ in range(1500):
        watch = RateLooks(0.9, 0.95, 5, 120)
        for _ in range(120):
            # Either all trials of the case end alike, or each on its own; the rate is the bar both ways.
            if generator.random() < alike:
                share = float(generator.random() < 0.9)
            else:
                share = sum(generator.random() < 0.9 for _ in range(trials)) / trials
            watch.update(share)
        answers.append(watch.state.answer)
    # 5 % and three standard errors of 1,500 replications.
    assert answers.count("pass") <= 1500 * 0.067
    assert answers.count("fail") <= 1500 * 0.067


def test_a_paired_rule_with_looks_rarely_passes_a_true_drop_of_the_margin_and_mostly_passes_equals() -> None:
    generator = random.Random(5)
    rule = NoRegression(name="no worse", margin_points=10, looks=4)
    claims, counter = rule.claims()
    answers: dict[float, list[tuple[str, int]]] = {0.0: [], 0.1: []}
    for drop, found in answers.items():
        for _ in range(600):
            watch = ClaimLooks(claims, counter, confidence=0.975, looks=4, total=250)
            for _ in range(250):
                u = generator.random()
                watch.update(1.0 if u < 0.04 else -1.0 if u < 0.08 + drop else 0.0)
                if watch.state.decided_at:
                    break
            found.append((watch.state.answer, watch.state.n))
    equal, worse = answers[0.0], answers[0.1]
    assert sum(answer == "pass" for answer, _ in equal) >= 0.95 * 600
    assert sum(n for _, n in equal) / 600 < 0.75 * 250  # stopped well before the maximum on average
    assert sum(answer == "pass" for answer, _ in worse) <= 600 * 0.05


def test_a_paired_look_names_its_bounds_and_level() -> None:
    watch = ClaimLooks([Claim(side="above", at=-0.1)], [Claim(side="below")], confidence=0.975, looks=2, total=100)
    for _ in range(100):
        watch.update(0.0)
    assert watch.state.answer == "pass"
    assert "points at 97.5" in watch.told()


def test_the_promised_number_of_cases_can_pass_and_one_less_cannot() -> None:
    needed = cases_for_looks(0.9, 0.95, 4)
    for n, answer in ((needed, "pass"), (needed - 1, "inconclusive")):
        watch = RateLooks(0.9, 0.95, 4, n)
        for _ in range(n):
            watch.update(1.0)
        assert watch.state.answer == answer


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('kind = "threshold"\nat_least = 0.9\nlooks = 0', "1 and 50"),
        ('kind = "threshold"\nat_least = 0.9\nlooks = "four"', "whole number"),
        ('kind = "threshold"\nmetric = "cost_usd"\nat_most = 1\nlooks = 4', "leave it out"),
        ('kind = "threshold"\nat_most = 0.1\nlooks = 4', "leave it out"),
        ('kind = "no_regression"\nmetric = "cost_usd"\nmargin = 1\nlooks = 4', "leave it out"),
        ('kind = "must_pass"\nlooks = 4', "unknown field 'looks'"),
    ],
)
def test_looks_that_cannot_work_are_refused_with_line_and_fix(rule: str, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rules(f'[[rule]]\nname = "r"\n{rule}\n', name="release.toml")
    last = 3 + rule.count("\n")
    assert str(caught.value).startswith(f"release.toml:{last}: ")
    assert said in str(caught.value)

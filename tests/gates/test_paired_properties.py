"""What holds of every paired rule, whatever the runs: monotone, mirrored, indifferent to order and names."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.comparison import compare, make_baseline
from harness.core.errors import Failure
from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.scorecard import build_scorecard
from harness.core.trajectory import Trajectory
from harness.core.verdict import Verdict
from harness.gates.equivalence import Equivalence
from harness.gates.no_regression import NoRegression
from harness.gates.paired_rule import PairedRule
from harness.gates.superiority import Superiority

NAMES = {"p": "passed", "f": "failed", "e": "errored"}
ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}
RULES = (
    NoRegression(name="n", margin_points=10),
    NoRegression(name="n", margin_points=10, fail_below="margin"),
    Superiority(name="b"),
    Superiority(name="b", margin_points=5),
    Equivalence(name="s", margin_points=10),
)
COSTS = (
    NoRegression(name="n", metric="cost_usd", margin=0.5),
    Superiority(name="b", metric="cost_usd"),
    Equivalence(name="s", metric="cost_usd", margin=0.5),
)

Case = tuple[str, str]
"""Outcomes of the baseline's trials, and of the candidate's."""
letters = st.text("pf", min_size=1, max_size=3)
single = st.tuples(st.sampled_from("pf"), st.sampled_from("pf"))
several = st.tuples(letters, letters)


def runs(case: st.SearchStrategy[Case]) -> st.SearchStrategy[list[Case]]:
    """Few kinds of case, many of each, so that rules come to decide."""
    kinds = st.lists(st.tuples(case, st.integers(1, 60)), min_size=1, max_size=4)
    return kinds.map(lambda drawn: [case for case, n in drawn for _ in range(n)])


def judge(rule: PairedRule, base: list[tuple[str, str]], now: list[tuple[str, str]], cost: float = 1.0) -> Verdict:
    """(case id, outcomes) of both sides; ``cost`` is what a pass costs, a failure costs nothing."""
    sides = []
    for cases in (base, now):
        made = []
        for name, outcomes in cases:
            for trial, letter in enumerate(outcomes):
                error = Failure(kind="provider", message="500") if letter == "e" else None
                made.append(
                    Record(
                        suite="s",
                        case_id=name,
                        case_hash="h",
                        trial=trial,
                        outcome=NAMES[letter],  # type: ignore[arg-type]
                        error=error,
                        trajectory=None if error else Trajectory(),
                        cost_usd=None if error else Decimal(repr(cost if letter == "p" else 0.0)),
                    )
                )
        trials = max((len(outcomes) for _, outcomes in cases), default=1)
        plan = PlannedSuite(suite="s", cases=len(cases), trials=trials, statistical=True)
        sides.append((Manifest(run_id="r", created_at="x", finished_at="y", planned=(plan,)), made))
    (old_manifest, old), (new_manifest, new) = sides
    # Planned trials per case are the longest case's; shorter ones are complete as they are.
    new_manifest = Manifest(run_id="new", created_at="x", finished_at="y", planned=())
    comparison = compare(make_baseline(old_manifest, old), new_manifest, new)
    return rule.judge(build_scorecard(new_manifest, new), comparison)


def named(cases: list[Case]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    base = [(f"c{i}", before) for i, (before, _) in enumerate(cases)]
    return base, [(f"c{i}", after) for i, (_, after) in enumerate(cases)]


def answer(rule: PairedRule, cases: list[Case]) -> str:
    return judge(rule, *named(cases)).answer


fast = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@fast
@given(runs(single), st.sampled_from(RULES[:4]), st.integers(0, 10**6))
def test_one_more_pass_never_lowers_an_answer(cases: list[Case], rule: PairedRule, which: int) -> None:
    lost = [i for i, (_, after) in enumerate(cases) if after == "f"]
    if not lost:
        return
    i = lost[which % len(lost)]
    better = [*cases[:i], (cases[i][0], "p"), *cases[i + 1 :]]
    assert ORDER[answer(rule, better)] >= ORDER[answer(rule, cases)]


@fast
@given(runs(several), st.sampled_from(RULES[:4]), st.integers(0, 10**6))
def test_one_more_pass_of_several_never_turns_a_pass_into_a_fail(
    cases: list[Case], rule: PairedRule, which: int
) -> None:
    lost = [i for i, (_, after) in enumerate(cases) if "f" in after]
    if not lost:
        return
    i = lost[which % len(lost)]
    better = [*cases[:i], (cases[i][0], cases[i][1].replace("f", "p", 1)), *cases[i + 1 :]]
    assert (answer(rule, cases), answer(rule, better)) != ("pass", "fail")


@fast
@given(runs(several), st.sampled_from([*RULES[:3], RULES[4], *COSTS]))
def test_a_run_against_itself_never_fails_and_is_never_better(cases: list[Case], rule: PairedRule) -> None:
    found = answer(rule, [(before, before) for before, _ in cases])
    assert found == "inconclusive" if isinstance(rule, Superiority) else found != "fail"


@fast
@given(runs(several), st.sampled_from([RULES[2], RULES[4], COSTS[1], COSTS[2]]))
def test_swapping_the_arms_mirrors_the_answer(cases: list[Case], rule: PairedRule) -> None:
    forth, back = answer(rule, cases), answer(rule, [(after, before) for before, after in cases])
    mirrored = {"pass": "fail", "fail": "pass"} if isinstance(rule, Superiority) else {}
    assert back == mirrored.get(forth, forth)


@fast
@given(runs(several), st.sampled_from([*RULES, *COSTS]), st.randoms(use_true_random=False))
def test_order_and_names_of_cases_do_not_matter(cases: list[Case], rule: PairedRule, chance: random.Random) -> None:
    base, now = named(cases)
    before = judge(rule, base, now)
    other = list(range(len(cases)))
    chance.shuffle(other)
    names = {f"c{i}": f"x{n}" for i, n in enumerate(other)}
    moved = [[(names[name], outcomes) for name, outcomes in side] for side in (base, now)]
    for side in moved:
        chance.shuffle(side)
    after = judge(rule, *moved)
    # The reason names lost cases; everything before them is the arithmetic.
    assert after.answer == before.answer
    assert after.reason.partition(":")[0] == before.reason.partition(":")[0]


@fast
@given(runs(several), st.sampled_from([*RULES, *COSTS]), st.integers(1, 40))
def test_a_broken_trial_never_helps_to_a_pass_or_to_a_fail(cases: list[Case], rule: PairedRule, broken: int) -> None:
    base, now = named(cases)
    whole = {judge(rule, base, [(n, o.replace("e", to)) for n, o in _broken(now, broken)]).answer for to in "pf"}
    part = judge(rule, base, _broken(now, broken)).answer
    if rule.metric == "pass_rate" and not isinstance(rule, Equivalence):
        # Whatever the broken trials would have been, a decided answer is the answer.
        assert part == "inconclusive" or part in whole
    assert rule.metric == "pass_rate" or part == "inconclusive"


def _broken(now: list[tuple[str, str]], n: int) -> list[tuple[str, str]]:
    return [(name, "e" * len(outcomes)) if i < n else (name, outcomes) for i, (name, outcomes) in enumerate(now)]


@pytest.mark.parametrize("rule", [*RULES, *COSTS], ids=lambda rule: f"{type(rule).__name__}-{rule.metric}")
@pytest.mark.parametrize(
    "cases",
    [[], [("p", "p")], [("p", "f")], [("f", "f")] * 50, [("p", "p")] * 50, [("p", "fff")] * 3, [("pfp", "e")] * 3],
    ids=["empty", "one case", "one lost", "all fail", "all pass", "unequal trials", "all broken"],
)
def test_the_inputs_of_every_day_get_a_stated_answer(rule: PairedRule, cases: list[Case]) -> None:
    verdict = judge(rule, *named(cases))
    assert verdict.answer in ORDER
    assert verdict.reason
    assert "nan" not in verdict.reason.lower()
    assert (verdict.answer == "inconclusive") == bool(verdict.needs)
    if len(cases) < 4:
        assert verdict.answer == "inconclusive"

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from harness.commands.plan_numbers import (
    Goal,
    Noise,
    cases_needed,
    chances,
    measured_noise,
    smallest_drop,
)
from harness.stats.decide import decide_paired
from harness.stats.suite_plan import Spread


def noise(rate: float = 0.9, within: float = 0.05, *, cases: int = 100, shared: float = 0.0) -> Noise:
    return Noise(spread=Spread(cases=cases, rate=rate, within=within, separable=True), shared=shared)


def run_pair(random_: random.Random, made: Noise, cases: int, trials: int, *, broken: float = 0.0) -> list[float]:
    """Differences of two runs of the planned kind, drawn in the plainest way."""
    rate, within = made.spread.rate, made.spread.within
    weight = within / (rate * (1 - rate) - within)
    found = []
    for _ in range(cases):
        p = random_.betavariate(rate * weight, (1 - rate) * weight)
        breaks = random_.random() < broken
        total = 0
        for _ in range(trials):
            u = random_.random()
            v = u if random_.random() < made.shared else random_.random()
            total += int(v < p and not breaks) - int(u < p)
        found.append(total / trials)
    return found


@pytest.mark.parametrize(
    ("made", "cases", "trials"),
    [(noise(0.9, 0.03), 100, 5), (noise(0.8, 0.1, shared=0.5), 120, 3), (noise(0.95, 0.02), 60, 1)],
)
def test_the_planned_chance_of_a_pass_is_that_of_the_gate_itself(made: Noise, cases: int, trials: int) -> None:
    goal = Goal()
    planned = chances(cases, trials, made, goal, fail_below=-goal.margin).passes
    random_ = random.Random(7)
    passed = sum(
        decide_paired(run_pair(random_, made, cases, trials), 0.05, fail_below=-0.05).answer == "pass"
        for _ in range(250)
    )
    # Three standard errors of 250 draws are .09.
    assert passed / 250 == pytest.approx(planned, abs=0.1)


def test_the_smallest_drop_is_failed_about_as_often_as_asked() -> None:
    made, goal = noise(0.9, 0.03), Goal()
    drop = smallest_drop(100, 3, made, goal)
    assert drop is not None
    random_ = random.Random(8)
    failed = sum(
        decide_paired(run_pair(random_, made, 100, 3, broken=drop / 0.9), 0.05).answer == "fail" for _ in range(250)
    )
    assert failed / 250 == pytest.approx(0.8, abs=0.1)


def test_a_quiet_suite_of_few_cases_cannot_pass_however_many_trials_it_has() -> None:
    # The plain normal approximation promises 99 % here; the gate's bound for 60 equal cases is below -5 points.
    quiet = noise(0.999, 0.0005, cases=60)
    assert chances(60, 10, quiet, Goal(), fail_below=-0.05).passes < 0.01
    needed = cases_needed(10, quiet, Goal())
    assert needed is not None
    assert needed > 70


def test_more_trials_and_shared_chance_each_need_fewer_cases() -> None:
    goal = Goal()
    plain, trials, shared = (
        cases_needed(1, noise(), goal), cases_needed(4, noise(), goal), cases_needed(1, noise(shared=0.8), goal)
    )  # fmt: skip
    assert plain
    assert trials
    assert shared
    assert trials < plain
    assert shared < plain


def test_two_runs_that_agree_share_much_of_their_chance_but_never_all() -> None:
    spread = Spread(cases=50, rate=0.8, within=0.16, separable=False)
    assert 0.9 < measured_noise(spread, [(1, 1, 1, 1)] * 50, against="R").shared <= 0.95
    assert measured_noise(spread, [(1, 1, 1, 1)] * 2, against="R").shared < 0.7


def test_two_runs_that_differ_more_than_chance_are_taken_as_real_change() -> None:
    spread = Spread(cases=40, rate=0.5, within=0.01, separable=True)
    made = measured_noise(spread, [(0, 4, 4, 4)] * 20 + [(4, 4, 0, 4)] * 20, against="R")
    assert made.shared == 0
    assert made.change > 0.5


CASES = {f"case-{n:02d}": "pp" if n % 8 else "pf" for n in range(60)}
AGAIN = {f"case-{n:02d}": "pp" if n % 8 else "fp" if n % 16 else "pp" for n in range(60)}


def test_a_plan_from_a_run_says_what_it_sees_what_it_needs_and_what_that_costs(desk: Any) -> None:
    desk.store(CASES)
    run_id = desk.store(AGAIN)
    code, out, _ = desk("plan")
    assert code == 0
    assert f"plan from run {run_id}" in out
    assert "60 cases x 2 trials" in out
    for said in ("an equal agent passes with a chance of", "smallest drop it shows with 80% power", "$1.20", "McNemar"):
        assert said in out
    data = json.loads(desk("plan", "--json")[1])
    whole = data["whole"]
    assert whole["now"]["cost_usd"] == "1.20"
    assert whole["needed"]["passes"] >= 0.8
    assert 0 < whole["shared"] < 1
    assert whole["noise_basis"].startswith("measured against")
    assert [size["trials"] for size in data["by_trials"]] == [1, 2, 3, 5, 8]


def test_a_narrower_margin_and_more_power_need_more_cases() -> None:
    plain, narrow, sure = (cases_needed(1, noise(), goal) for goal in (Goal(), Goal(margin=0.03), Goal(power=0.95)))
    assert plain
    assert narrow
    assert sure
    assert plain < narrow
    assert plain < sure


def test_only_the_suites_that_were_asked_for_are_planned(desk: Any) -> None:
    desk.store(CASES, others={"hello": "pp", "bye": "pp"})
    data = json.loads(desk("plan", "--suite", "suites/talk", "--json")[1])
    assert (data["whole"]["name"], data["whole"]["now"]["cases"]) == (desk.other, 2)
    code, _, err = desk("plan", "--suite", "suites/nowhere")
    assert code == 4
    assert desk.suite in err


def test_one_trial_a_case_is_said_not_to_tell_chance_from_difference(desk: Any) -> None:
    desk.store({f"c{n}": "p" if n else "f" for n in range(30)})
    _, out, _ = desk("plan")
    assert "the most it can be" in out
    assert "with one trial a case nobody knows" in out


def test_without_a_run_it_says_what_to_type_and_plans_from_numbers(desk: Any) -> None:
    code, _, err = desk("plan")
    assert code == 4
    assert "harness plan --rate" in err
    code, out, _ = desk("plan", "--rate", ".95", "--cases", "60", "--trial-usd", "0.01")
    assert code == 0
    assert "60 cases x 1 trial" in out
    assert "$0.6000" in out


def test_a_perfect_rate_still_leaves_room_for_chance(desk: Any) -> None:
    data = json.loads(desk("plan", "--rate", "1", "--cases", "50", "--json")[1])
    assert data["whole"]["within"] > 0
    assert data["whole"]["needed"]["cases"] > 75


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--margin", "0"), "--margin"),
        (("--power", "80"), "such as .8"),
        (("--rate", "95"), "such as .9"),
        (("--cases", "60"), "--rate"),
        (("--rate", ".9", "--cases", "0"), "--cases"),
        (("--rate", ".9", "--trial-usd", "cheap"), "--trial-usd"),
        (("--shared", "1"), "--shared"),
        (("latest", "--rate", ".9"), "leave out"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error_that_names_the_flag(desk: Any, args: tuple[str, ...], said: str) -> None:
    code, _, err = desk("plan", *args)
    assert code == 4
    assert said in err


def test_a_run_that_measured_nothing_cannot_be_planned_with(desk: Any) -> None:
    desk.store({"a": "e", "b": "e"})
    code, _, err = desk("plan")
    assert code == 4
    assert "measured no case" in err


def test_planned_looks_are_set_beside_the_fixed_number(desk: Any) -> None:
    code, out, _ = desk("plan", "--rate", ".9", "--cases", "60", "--looks", "4", "--json")
    assert code == 0
    data = json.loads(out)
    fixed, looks = data["whole"]["needed"]["cases"], data["looks"]
    assert len(looks["looks"]) == 4
    assert fixed < looks["looks"][-1] <= 1.06 * fixed
    assert looks["cases"] <= 0.85 * fixed
    assert "with looks = 4: at most" in desk("plan", "--rate", ".9", "--cases", "60", "--looks", "4")[1]
    code, _, error = desk("plan", "--rate", ".9", "--looks", "0")
    assert code != 0
    assert "from 1 to 50, such as 4, got 0" in error

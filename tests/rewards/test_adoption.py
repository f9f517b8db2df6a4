"""Adoption: undefined is not 0, rates by agent and tool, and an alarm that keeps its promises."""

from __future__ import annotations

import random

import pytest

from harness.core.case import Case
from harness.core.errors import Failure, UsageError
from harness.core.trajectory import Trajectory
from harness.rewards import AdoptionAlarm, ToolAdoption, adoption_rates, design_alarm
from harness.rewards.adoption import ANY, AdoptionRow
from harness.testing import check_evaluator, make_case, make_trajectory, score

DESIGN = design_alarm()


def case(id: str, *tools: str, **more: object) -> Case:
    return make_case(id=id, tool_calls=[{"name": tool} for tool in tools], **more)


def rows(*runs: tuple[str, Trajectory, Case]) -> dict[tuple[str, str], AdoptionRow]:
    return {(row.agent, row.tool): row for row in adoption_rates(runs)}


def test_rates_are_by_agent_and_tool() -> None:
    found = rows(
        ("a", make_trajectory(calls=[("search", {})]), case("1", "search")),
        ("a", make_trajectory(calls=[("open", {}, "Error: no")]), case("2", "search")),
        ("b", make_trajectory(), case("1", "search")),
    )
    assert found["a", "search"].adoption.value == 0.5
    assert found["b", "search"].adoption.value == 0.0
    assert found["a", "open"].success.value == 0.0
    assert found["a", ANY].calls == 2
    low, high = found["a", "search"].adoption.low, found["a", "search"].adoption.high
    assert low is not None
    assert high is not None
    assert low < 0.5 < high


def test_where_no_tool_fits_adoption_is_undefined_and_a_call_is_uncalled_for() -> None:
    found = rows(
        ("a", make_trajectory(calls=[("search", {})]), case("1")),
        ("a", make_trajectory(), case("2")),
    )
    for tool in (ANY, "search"):
        assert found["a", tool].adoption.value is None
        assert "undefined" in found["a", tool].adoption.note
    assert found["a", ANY].uncalled_for.value == 0.5
    assert score(ToolAdoption(), make_trajectory(), case("1")).expected_nothing


def test_a_tool_that_was_offered_and_fits_elsewhere_is_counted_against_calls_astray() -> None:
    tool = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
    found = rows(("a", make_trajectory(), case("1", "open", tools=(tool,))))
    assert found["a", "search"].adoption.value is None
    assert found["a", "search"].uncalled_for.value == 0.0
    assert found["a", "search"].success.note == "no call came back"


def test_unknown_fit_and_broken_runs_are_left_out_of_adoption() -> None:
    broken = make_trajectory(error=Failure(kind="timeout", message="late"))
    found = rows(("a", make_trajectory(calls=[("search", "{oops")]), make_case()), ("a", broken, case("1", "search")))
    assert found["a", "search"].fitting == 0
    assert found["a", "search"].format.value == 0.0


def test_runs_of_one_cluster_are_one_group() -> None:
    many = [("a", make_trajectory(calls=[("search", {})]), case(str(i), "search", cluster="same")) for i in range(30)]
    alone = [("a", make_trajectory(calls=[("search", {})]), case(str(i), "search")) for i in range(30)]
    clustered, plain = rows(*many)["a", "search"].adoption, rows(*alone)["a", "search"].adoption
    assert clustered.low is not None
    assert plain.low is not None
    assert clustered.low < plain.low - 0.2


def test_the_evaluator_says_what_was_called_instead() -> None:
    got = score(ToolAdoption(), make_trajectory(calls=[("guess", {})]), case("1", "search"))
    assert (got.value, got.passed) == (0.0, False)
    assert got.reason == "called guess; fitting: search"
    assert got.evidence["tools"]["search"] == {"fits": 1, "calls": 0, "well_formed": 0, "came_back": 0, "worked": 0}
    check_evaluator(ToolAdoption())


def test_the_alarm_promises_at_most_one_percent_within_a_thousand_runs_and_finds_the_drop_soon() -> None:
    assert DESIGN.false_alarms <= 0.01
    assert DESIGN.found_within <= 300


def test_the_promises_hold_in_simulation() -> None:
    chance = random.Random(20)
    repeats = 1500
    false = sum(
        AdoptionAlarm(DESIGN).follow(chance.random() < 0.937 for _ in range(DESIGN.horizon)) is not None
        for _ in range(repeats)
    )
    found = sum(
        AdoptionAlarm(DESIGN).follow(chance.random() < 0.85 for _ in range(DESIGN.found_within)) is not None
        for _ in range(repeats)
    )
    # Four standard errors of a share around the exact figures.
    assert abs(false / repeats - DESIGN.false_alarms) < 4 * (0.01 / repeats) ** 0.5
    assert found / repeats > DESIGN.power - 4 * (0.09 / repeats) ** 0.5


def test_an_agent_that_stops_using_the_tool_alarms_at_once_and_stays_alarmed() -> None:
    alarm = AdoptionAlarm(DESIGN)
    assert alarm.follow([True] * 200) is None
    assert alarm.follow([False] * 10) == 210
    assert alarm.update(True)


def test_runs_in_which_no_tool_fits_are_no_runs() -> None:
    alarm = AdoptionAlarm(DESIGN)
    alarm.follow([None] * 500)
    assert (alarm.runs, alarm.sum, alarm.alarmed_at) == (0, 0.0, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0.8, "drop_to": 0.9},
        {"rate": 1.0},
        {"horizon": 55},
        {"horizon": 0},
        {"false_alarms": 0.0},
        {"power": 1.0},
    ],
)
def test_impossible_alarms_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        design_alarm(**wrong)  # type: ignore[arg-type]

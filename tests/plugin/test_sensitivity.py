"""``--harness-sensitivity`` in real inner sessions: what is attacked, what stays untouched, what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

AGENT = """
async def answer(text):
    return f"You said: {text}. Order 41 is on its way to the old address."
"""
SUITE = """
from harness.core.case import Case, Expectation

CASES = [Case(id=f"c{n}", input=f"hello {n}", expected=Expectation(number=41.0)) for n in range(4)]
CASES.append(Case(id="wrong", input="x", expected=Expectation(answer="never")))


@pytest.mark.golden(CASES, pass_rate=0.5)
def test_strict(case, trajectory):
    assert trajectory.answer
    assert trajectory.answer.startswith("You said")


@pytest.mark.golden(CASES[:4], faults=["do_nothing"], evaluators=[], pass_rate=0.5)
def test_blind(case, trajectory):
    assert trajectory.messages


@pytest.mark.golden(CASES[:2], evaluators=[], pass_rate=0.5)
async def test_twice(case, agent):
    assert (await agent(case)).answer != (await agent("other")).answer


@pytest.mark.golden(CASES[:2], observe=True)
def test_watched(case, trajectory):
    pass
"""


@pytest.fixture
def attacked(project: Any) -> Any:
    project.agent(AGENT)
    project.test(SUITE)
    return project


def told(folder: Path) -> Any:
    return json.loads((folder / "scorecard.json").read_text("utf-8"))["sensitivity"]


def lines(folder: Path) -> list[dict[str, Any]]:
    texts = [path.read_text("utf-8") for path in folder.glob("sensitivity-*.jsonl")]
    found = [json.loads(line) for text in texts for line in text.splitlines()]
    return [line for line in found if "format" not in line]


def test_faults_go_into_every_trial_that_passed_and_the_run_itself_stays_what_it_was(attacked: Any) -> None:
    plain = attacked.run()
    session = attacked.run("--harness-sensitivity")
    assert session.code == plain.code
    assert session.tally == plain.tally
    outcomes = [(record.key, record.outcome) for record in plain.records]
    assert sorted(outcomes) == sorted((record.key, record.outcome) for record in session.records)
    assert "sensitivity" not in plain.scorecard
    assert not lines(plain.folder)
    sensitivity = told(session.folder)
    assert (sensitivity["attacked"], sensitivity["left_out"]) == (10, 1)
    assert not any("watched" in line["suite"] for line in lines(session.folder))


def test_a_strict_suite_kills_and_a_blind_one_lets_its_claimed_fault_live(attacked: Any) -> None:
    session = attacked.run("--harness-sensitivity")
    rates = {(line["suite"].split("::")[-1], line["operator"]): line for line in told(session.folder)["faults"]}
    assert rates["test_strict", "do_nothing"]["killed"] == 4
    assert rates["test_blind", "do_nothing"]["survived"] == 4
    assert rates["test_blind", "echo"]["claimed"] is False
    toothless = "no fault can fail: c0 of test_blind"
    assert toothless in session.out
    assert "let through: a null agent by test_blind (4 of 4 passed)" in session.out
    survivors = [one for one in told(session.folder)["survivors"] if "blind" in one["suite"]]
    assert survivors[0]["before"] != survivors[0]["after"]


def test_a_test_that_asks_the_agent_twice_gets_both_runs_with_the_fault(attacked: Any) -> None:
    session = attacked.run("--harness-sensitivity")
    faults = {line["case"]: line["faults"] for line in lines(session.folder) if "test_twice" in line["suite"]}
    assert faults["c0"]["refuse"]["fate"] == "killed", "both refusals are the same text"
    assert faults["c0"]["echo"]["fate"] == "survived"


def test_the_same_seed_attacks_alike_and_another_one_does_not(attacked: Any) -> None:
    found = []
    for seed in ("1", "1", "2"):
        folder = attacked.run("--harness-sensitivity", f"--harness-seed={seed}").folder
        # How long an agent took is not the seed's to repeat.
        kept = [{name: fault for name, fault in line["faults"].items() if name != "slow"} for line in lines(folder)]
        found.append(sorted(map(repr, kept)))
    assert found[0] == found[1] != found[2]


def test_a_rule_decides_over_the_kill_rate(attacked: Any) -> None:
    attacked.rules('[[rule]]\nname = "notices"\nkind = "kill_rate"\nat_least = 0.9\n')
    session = attacked.run("--harness-sensitivity")
    assert session.code == 10
    assert "let through" in session.out
    without = attacked.run()
    assert without.code == 11
    assert "no fault was put into" in " ".join(without.out.split())


def test_the_report_has_a_section_and_a_run_without_faults_has_none(attacked: Any) -> None:
    page = (attacked.run("--harness-sensitivity").folder / "scorecard.html").read_text("utf-8")
    assert "does the suite notice?" in page
    assert "says and does nothing (do_nothing)" in page
    assert "does the suite notice?" not in (attacked.run().folder / "scorecard.html").read_text("utf-8")


def test_a_name_that_no_operator_has_is_refused_with_the_nearest(project: Any) -> None:
    project.cases(1)
    project.test("""
@pytest.mark.golden("demo", faults=["drop_cal"])
def test_it(case, trajectory):
    pass
""")
    session = project.run()
    assert session.code == 4
    assert "did you mean 'drop_call'?" in session.out


def test_workers_write_files_of_their_own_that_count_as_one(attacked: Any) -> None:
    pytest.importorskip("xdist")
    session = attacked.run_apart("--harness-sensitivity", "-n", "2")
    assert len(list(session.folder.glob("sensitivity-gw*.jsonl"))) == 2
    assert told(session.folder)["attacked"] == 10

"""From attacks to kill rates: counted by hand, stored and read back, damaged and newer files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import FormatError
from harness.sensitivity.attack import BODY, Attack, Fault
from harness.sensitivity.store import append, read
from harness.sensitivity.summary import summarise

KILLED = Fault(fate="killed", by=("contains",))
BOTH = Fault(fate="killed", by=("contains", BODY))
SURVIVED = Fault(fate="survived", before="a", after="b")
NOTHING = Fault(fate="equivalent")
BROKE = Fault(fate="errored")
JUDGES = ("contains", "latency", BODY)


def attack(case: str, *, claims: tuple[str, ...] | None = None, observe: bool = False, **faults: Fault) -> Attack:
    bounds = {"null": "failed", "random": "passed", "gold": "passed"}
    return Attack(suite="s::t", case_id=case, judges=JUDGES, faults=faults, bounds=bounds, claims=claims,
                  observe=observe, limit=0.9, seed=3)  # fmt: skip


def test_the_kill_rate_leaves_out_what_could_not_be_judged_or_changed() -> None:
    told = summarise([attack("a", drop=KILLED, loop=SURVIVED, slow=NOTHING, echo=BROKE), attack("b", drop=BOTH)])
    assert (told.killed, told.judged, told.attacked) == (2, 3, 2)
    lines = {line.operator: line for line in told.faults if not line.suite}
    assert (lines["drop"].rate, lines["loop"].rate, lines["slow"].rate) == (1.0, 0.0, None)
    assert (lines["echo"].errored, lines["slow"].equivalent) == (1, 1)
    assert lines["drop"].low is not None
    assert lines["slow"].low is None


def test_what_a_suite_does_not_claim_is_shown_and_not_counted() -> None:
    told = summarise([attack("a", claims=("drop",), drop=KILLED, loop=SURVIVED)])
    assert (told.killed, told.judged) == (1, 1)
    assert [line.claimed for line in told.faults if not line.suite] == [True, False]
    assert [one.claimed for one in told.survivors] == [False]


def test_an_observed_suite_claims_nothing_unless_it_says_so() -> None:
    assert summarise([attack("a", observe=True, drop=SURVIVED)]).judged == 0
    assert summarise([attack("a", observe=True, claims=("drop",), drop=SURVIVED)]).judged == 1


def test_a_judge_that_failed_nothing_is_idle_and_one_that_was_alone_is_told() -> None:
    told = summarise([attack("a", drop=KILLED, loop=BOTH, echo=SURVIVED)])
    assert [line.judge for line in told.idle] == ["latency"]
    lines = {line.judge: line for line in told.judges}
    assert (lines["contains"].kills, lines["contains"].alone, lines["contains"].of) == (2, 1, 3)
    assert (lines[BODY].kills, lines[BODY].alone) == (1, 0)


def test_a_case_that_killed_nothing_is_toothless() -> None:
    told = summarise([attack("a", drop=SURVIVED), attack("b", drop=KILLED), attack("c", drop=NOTHING)])
    assert [case.case_id for case in told.toothless] == ["a"]


def test_an_agent_is_refused_when_the_whole_interval_lies_below_the_declared_rate() -> None:
    told = summarise([attack(f"c{number}", drop=KILLED) for number in range(30)])
    assert {line.agent: line.refused for line in told.bounds} == {"null": True, "random": False, "gold": False}


def test_a_trial_that_did_not_pass_is_left_out_but_its_bounds_count() -> None:
    told = summarise([attack("a")])
    assert (told.attacked, told.left_out) == (0, 1)
    assert sum(line.trials for line in told.bounds) == 3


def test_attacks_are_read_back_as_written_and_the_last_line_of_a_trial_counts(tmp_path: Path) -> None:
    first, second = attack("a", drop=SURVIVED), attack("a", drop=KILLED, loop=BOTH)
    append(tmp_path, "main", [first])
    append(tmp_path, "main", [second])
    append(tmp_path, "gw0", [attack("b", claims=("drop",), observe=True, drop=NOTHING)])
    found, notices = read(tmp_path)
    assert sorted(found, key=lambda one: one.case_id)[0] == second
    assert len(found) == 2
    assert not notices


def test_a_torn_line_is_left_out_with_a_notice(tmp_path: Path) -> None:
    append(tmp_path, "main", [attack("a", drop=KILLED)])
    with (tmp_path / "sensitivity-main.jsonl").open("a") as file:
        file.write('{"suite": "s", "case"')
    found, notices = read(tmp_path)
    assert len(found) == 1
    assert "damaged" in notices[0]


@pytest.mark.parametrize("head", [{"format": "harness.sensitivity", "version": 99}, {"format": "x", "version": 1}, []])
def test_a_newer_or_foreign_file_is_refused_in_words(tmp_path: Path, head: object) -> None:
    (tmp_path / "sensitivity-main.jsonl").write_text(json.dumps(head) + "\n")
    with pytest.raises(FormatError, match=r"newer harness|not a file of attacks"):
        read(tmp_path)

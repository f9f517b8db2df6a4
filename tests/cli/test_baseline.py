from __future__ import annotations

import json
from typing import Any

import pytest

from harness.core.comparison import Baseline

GOOD = {f"case-{n}": "p" for n in range(40)}
BAD = {**GOOD, **{f"case-{n}": "f" for n in range(30)}}


def test_an_accepted_run_is_what_the_next_one_is_compared_with_by_itself(desk: Any) -> None:
    accepted = desk.store(GOOD)
    assert desk("baseline", "accept", "latest")[0] == 0
    desk.store({**GOOD, "case-3": "f"})
    _, out, _ = desk("gate", "latest")
    assert f"against baseline {accepted} (main.json): 1 worse, 0 better, 39 the same" in out
    assert "case-3" in out


def test_accepting_the_same_run_twice_changes_no_byte(desk: Any) -> None:
    desk.store(GOOD)
    path = desk.root / "reports" / "baselines" / "main.json"
    desk("baseline", "accept", "latest")
    first = path.read_bytes()
    code, out, _ = desk("baseline", "accept", "latest")
    assert code == 0
    assert "replaced" in out
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"partial": True}, "partial"),
        ({"finished_at": ""}, "cut off"),
        ({"exit_reason": "interrupted"}, "interrupted"),
    ],
)
def test_a_run_that_is_not_whole_is_refused_with_the_reason(desk: Any, more: Any, reason: str) -> None:
    desk.store(GOOD, **more)
    code, _, err = desk("baseline", "accept", "latest")
    assert code == 4
    assert reason in err
    assert "pytest suites" in err
    assert not (desk.root / "reports" / "baselines").exists()


def test_a_run_with_damaged_lines_is_refused(desk: Any) -> None:
    run_id = desk.store(GOOD)
    with (desk.runs / run_id / "trials-main.jsonl").open("a") as file:
        file.write('{"suite": 3}\n')
    code, _, err = desk("baseline", "accept", "latest")
    assert code == 4
    assert "damaged" in err


def test_a_run_that_the_gate_failed_is_accepted_only_when_it_is_meant(desk: Any) -> None:
    desk.store(BAD)
    code, _, err = desk("baseline", "accept", "latest")
    assert code == 4
    assert "--although-failed" in err
    code, out, _ = desk("baseline", "accept", "latest", "--although-failed")
    assert code == 0
    assert "fail" in out


def test_a_first_baseline_can_be_accepted_although_a_rule_asks_for_one(desk: Any) -> None:
    desk.rules('[[rule]]\nname = "no worse"\nkind = "no_regression"\n')
    desk.store(GOOD)
    assert desk("gate")[0] == 13
    code, out, _ = desk("baseline", "accept", "latest")
    assert (code, "wrote" in out) == (0, True)


def test_a_baseline_of_one_suite_holds_nothing_of_the_others(desk: Any) -> None:
    desk.store(GOOD, others={"hello": "p"})
    code, _, _ = desk("baseline", "accept", "latest", "--suite", "suites/talk")
    assert code == 0
    made = Baseline.from_text((desk.root / "reports/baselines/talk.json").read_text())
    assert list(made.suites) == list(made.costs_usd) == list(made.latency_p50_s) == [desk.other]


def test_a_suite_that_the_run_lacks_is_refused_with_those_it_has(desk: Any) -> None:
    desk.store(GOOD)
    code, _, err = desk("baseline", "accept", "latest", "--suite", "suites/des")
    assert code == 4
    assert desk.suite in err


def test_the_name_of_a_baseline_cannot_leave_its_folder(desk: Any) -> None:
    desk.store(GOOD)
    assert desk("baseline", "accept", "latest", "--name", "../../pyproject")[0] == 4


def test_of_several_baselines_the_one_with_the_most_of_the_run_is_taken_and_then_the_newest(desk: Any) -> None:
    desk.store(GOOD)
    desk("baseline", "accept", "latest", "--name", "older")
    newer = desk.store(GOOD)
    desk("baseline", "accept", "latest", "--name", "newer")
    desk.store({"case-0": "p", "case-1": "p"})
    desk("baseline", "accept", "latest", "--name", "small")
    desk.store(GOOD)
    _, out, _ = desk("gate", "latest", "--json")
    assert json.loads(out)["comparison"]["source"] == "newer.json"
    assert json.loads(out)["comparison"]["base"] == newer


def test_a_baseline_that_shares_no_case_is_no_baseline(desk: Any) -> None:
    desk.store({"hello": "p"}, suite=desk.other)
    desk("baseline", "accept", "latest")
    desk.store(GOOD)
    code, out, _ = desk("gate", "latest", "--json")
    assert code == 0
    assert json.loads(out)["comparison"] is None


def test_a_damaged_baseline_is_said_and_left_out(desk: Any) -> None:
    desk.store(GOOD)
    desk("baseline", "accept", "latest")
    (desk.root / "reports/baselines/zzz.json").write_text('{"suites": 7}')
    _, out, _ = desk("gate")
    assert "zzz.json" in out
    assert "(main.json)" in out


def test_a_damaged_baseline_that_was_named_is_no_pass(desk: Any) -> None:
    desk.store(GOOD)
    (desk.root / "bad.json").write_text('{"suites": {"a": 1}, "version": 1}')
    code, out, _ = desk("gate", "--baseline", "bad.json")
    assert code == 13
    assert "bad.json" in out


def test_a_partial_run_does_not_count_the_suites_that_nobody_asked_for_as_gone(desk: Any) -> None:
    desk.store(GOOD, others={"hello": "p"})
    desk("baseline", "accept", "latest")
    desk.store(GOOD, partial=True)
    _, out, _ = desk("gate", "latest", "--json")
    assert [suite["suite"] for suite in json.loads(out)["comparison"]["suites"]] == [desk.suite]
    desk.store(GOOD)
    _, out, _ = desk("gate", "latest", "--json")
    gone = {suite["suite"]: suite["only_base"] for suite in json.loads(out)["comparison"]["suites"]}
    assert gone == {desk.suite: [], desk.other: ["hello"]}

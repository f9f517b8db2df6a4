from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

STRICT = """
[[rule]]
name = "strict"
kind = "threshold"
metric = "pass_rate"
at_least = 0.9
"""
NO_WORSE = """
[[rule]]
name = "no worse"
kind = "no_regression"
margin_points = 60
"""
GOOD = {f"case-{n}": "p" for n in range(40)}
BAD = {**GOOD, **{f"case-{n}": "f" for n in range(30)}}


def test_the_exit_code_of_the_process_is_the_verdict(desk: Any, process: Any) -> None:
    desk.store(GOOD)
    desk.store(BAD)
    passed = process("harness.cli", "gate", "latest~1", cwd=desk.root)
    failed = process("harness.cli", "gate", "latest", cwd=desk.root)
    assert (passed.returncode, failed.returncode) == (0, 10)
    assert "PASS" in passed.stdout
    assert "FAIL" in failed.stdout


def test_other_rules_judge_the_same_run_anew_without_touching_it(desk: Any) -> None:
    desk.store({**GOOD, "case-0": "f"})
    rules = desk.rules(STRICT, "mine.toml")
    before = {path: path.read_bytes() for path in desk.runs.rglob("*") if path.is_file()}
    assert desk("gate")[0] == 10  # without rules every case has to pass
    code, out, _ = desk("gate", "latest", "--rules", str(rules))
    assert code == 11
    assert "strict" in out
    assert before == {path: path.read_bytes() for path in desk.runs.rglob("*") if path.is_file()}


def test_a_run_is_found_from_a_folder_below_the_project(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store(GOOD)
    inner = desk.root / "suites" / "desk"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert desk("gate", "20260101")[0] == 0


def test_json_carries_the_answer_the_code_and_the_arithmetic(desk: Any) -> None:
    run_id = desk.store(BAD)
    code, out, _ = desk("gate", run_id, "--json")
    data = json.loads(out)
    assert (data["answer"], data["exit_code"], code) == ("fail", 10, 10)
    assert data["verdicts"][0]["reason"]


def test_an_unknown_run_is_a_usage_error_that_lists_the_runs(desk: Any, process: Any) -> None:
    run_id = desk.store(GOOD)
    done = process("harness.cli", "gate", "nonsense", cwd=desk.root)
    assert done.returncode == 4
    assert run_id in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_mistyped_arguments_end_4_and_not_2_which_means_interrupted(process: Any, tmp_path: Path) -> None:
    done = process("harness.cli", "gate", "--ruels", "x", cwd=tmp_path)
    assert done.returncode == 4
    assert "--help" in done.stderr


def test_a_mistake_in_the_rules_names_its_line(desk: Any) -> None:
    desk.store(GOOD)
    rules = desk.rules(STRICT.replace("threshold", "treshold"), "mine.toml")
    code, _, err = desk("gate", "--rules", str(rules))
    assert code == 4
    assert "mine.toml:4" in err
    assert "threshold" in err


def test_a_run_that_did_not_finish_is_inconclusive(desk: Any) -> None:
    desk.store(GOOD, finished_at="")
    assert desk("gate")[0] == 11


def test_a_run_that_ran_out_of_money_says_so_by_its_code(desk: Any) -> None:
    desk.store(GOOD, exit_reason="budget")
    assert desk("gate")[0] == 12


def test_a_journal_of_a_newer_harness_is_never_a_pass(desk: Any) -> None:
    run_id = desk.store(GOOD)
    journal = desk.runs / run_id / "trials-main.jsonl"
    journal.write_text(journal.read_text().replace('"version":1', '"version":99', 1))
    code, _, err = desk("gate")
    assert code == 11
    assert "99" in err
    assert "Traceback" not in err


def test_a_regression_rule_without_a_baseline_ends_13(desk: Any) -> None:
    desk.store(GOOD)
    desk.rules(NO_WORSE)
    code, out, _ = desk("gate")
    assert code == 13
    assert "harness baseline accept" in " ".join(out.split())


def test_a_named_baseline_that_is_not_there_ends_13_although_no_rule_asks_for_one(desk: Any) -> None:
    desk.store(GOOD)
    code, out, _ = desk("gate", "--baseline", "reports/baselines/nowhere.json")
    assert code == 13
    assert "nowhere.json" in out
    assert desk("gate", "--baseline", "none")[0] == 0


def test_a_red_run_stays_red_when_its_baseline_is_missing(desk: Any) -> None:
    desk.store(BAD)
    assert desk("gate", "--baseline", "nowhere.json")[0] == 10


def test_latest_as_a_baseline_means_another_run_than_the_judged_one(desk: Any) -> None:
    old = desk.store(GOOD)
    desk.store(BAD)
    desk.rules(NO_WORSE)
    code, out, _ = desk("gate", "latest", "--baseline", "latest")
    assert code == 10
    assert f"against baseline {old}" in out
    assert "30 worse" in out


def test_the_only_run_has_no_latest_to_be_compared_with(desk: Any) -> None:
    desk.store(GOOD)
    code, out, _ = desk("gate", "--baseline", "latest")
    assert code == 13
    assert "no other run" in out


def test_hostile_case_ids_cannot_colour_the_terminal(desk: Any) -> None:
    desk.store({"evil\x1b[2J\x1b]0;owned\x07": "p"})
    desk.store({"evil\x1b[2J\x1b]0;owned\x07": "f"})
    _, out, _ = desk("gate", "--baseline", "latest")
    assert "evil" in out
    assert "\x1b" not in out
    assert "\x07" not in out

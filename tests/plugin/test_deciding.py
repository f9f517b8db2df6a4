"""Stopping early in a real session: needless trials are left out, journaled as such, and the verdict is the watch's."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from harness.core.baseline import Baseline, BaselineCase
from harness.core.case import Case
from harness.core.record import Record
from harness.plugin.ends import Ends

SUITE = """
import asyncio, random
import pytest
from harness import Case, Trajectory

class Agent:
    name = "coin"
    async def run(self, case, trial):
        await asyncio.sleep(0.002)
        with open("calls", "a") as file:
            file.write("x")
        return Trajectory.from_answer("yes" if random.Random(trial.seed).random() < {share} else "no")

def severity(i):
    return "must_pass" if i % 100 == 0 and {must} else "normal"

CASES = [Case(id=f"c{{i}}", input="q", severity=severity(i)) for i in range({n})]

@pytest.mark.golden(CASES, agent=Agent(), evaluators=[], pass_rate={bar})
def test_coin(case, trajectory):
    assert trajectory.answer == "yes"
"""


def _run(
    pytester: pytest.Pytester, *args: str, share: float = 1.0, n: int = 400, bar: float = 0.9, must: int = 0
) -> pytest.RunResult:
    pytester.makepyfile(test_coin=SUITE.format(share=share, n=n, bar=bar, must=must))
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:deepeval", "-q", *args)


def _records(pytester: pytest.Pytester) -> list[dict[str, object]]:
    (folder,) = (path for path in (pytester.path / "reports" / "runs").iterdir() if path.is_dir())
    lines = (folder / "trials-main.jsonl").read_text().splitlines()
    return [data for data in map(json.loads, lines) if "outcome" in data]


def test_a_clear_pass_leaves_most_trials_out_and_says_so(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "--harness-until-decided", "--harness-concurrency=8")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*not needed (decided early)*"])
    records = _records(pytester)
    ran = [record for record in records if record["outcome"] == "passed"]
    left = [record for record in records if record["outcome"] == "not_run"]
    # 36 decide; the window of 8, and what it holds before its place in the order is reached, may have ended besides.
    assert 36 <= len(ran) <= 36 + 2 * 8 + 8
    assert len(ran) + len(left) == 400
    assert len(Path(pytester.path / "calls").read_text()) == len(ran)
    assert {record["error"]["reason"] for record in left} == {"decided"}  # type: ignore[index]


def test_a_clear_failure_stops_early_and_fails_the_gate(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "--harness-until-decided", "--harness-concurrency=8", share=0.5)
    assert result.ret == 10
    assert sum(record["outcome"] != "not_run" for record in _records(pytester)) < 60


def test_must_pass_cases_are_never_left_out(pytester: pytest.Pytester) -> None:
    _run(pytester, "--harness-until-decided", "--harness-concurrency=8", must=1)
    must = [record for record in _records(pytester) if record.get("severity") == "must_pass"]
    assert [record["outcome"] for record in must] == ["passed"] * 4


def test_without_the_flag_everything_is_run(pytester: pytest.Pytester) -> None:
    _run(pytester, n=60)
    assert [record["outcome"] for record in _records(pytester)] == ["passed"] * 60


def test_a_rule_that_cannot_pass_says_so_at_collection_with_the_number_it_needs(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "-v", n=10)
    result.stdout.fnmatch_lines(["*pass_rate=0.9 of test_coin cannot pass with 10 cases: it needs at least 29*"])


def _by_worker(pytester: pytest.Pytester) -> dict[str, list[dict[str, object]]]:
    (folder,) = (path for path in (pytester.path / "reports" / "runs").iterdir() if path.is_dir())
    found = {}
    for path in sorted(folder.glob("trials-*.jsonl")):
        found[path.stem] = [data for data in map(json.loads, path.read_text().splitlines()) if "outcome" in data]
    return found


def test_two_workers_decide_on_what_both_measured_and_leave_the_rest_out(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "--harness-until-decided", "--harness-concurrency=4", "-n", "2")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["*not needed (decided early)*"])
    records = _by_worker(pytester)
    assert list(records) == ["trials-gw0", "trials-gw1"]
    ran = {name: sum(r["outcome"] == "passed" for r in found) for name, found in records.items()}
    # 36 decide in all: neither worker has that many of its own before the other's count, and none runs its whole share.
    assert sum(ran.values()) >= 36
    assert all(0 < count < 150 for count in ran.values()), ran
    everything = [record for found in records.values() for record in found]
    assert len(everything) == 400, "each trial is journaled once, run or left out"
    assert len({record["case_id"] for record in everything}) == 400
    left = [record for record in everything if record["outcome"] == "not_run"]
    assert {record["error"]["reason"] for record in left} == {"decided"}  # type: ignore[index]
    assert len(Path(pytester.path / "calls").read_text()) == sum(ran.values())
    (folder,) = (path for path in (pytester.path / "reports" / "runs").iterdir() if path.is_dir())
    assert not list(folder.glob(".ends-*")), "what the workers told each other is gone"


def test_workers_come_to_the_answer_of_one_process(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "--harness-until-decided", "--harness-concurrency=4", "-n", "2", share=0.5)
    assert result.ret == 10
    assert sum(r["outcome"] != "not_run" for found in _by_worker(pytester).values() for r in found) < 200


def test_a_worker_says_too_that_there_is_nothing_to_decide(pytester: pytest.Pytester) -> None:
    _baseline(pytester, n=5)
    result = _compared(pytester, "--harness-until-decided", "--harness-baseline=none", "-n", "2", n=5)
    assert result.ret != 0
    assert "nothing to decide" in result.stdout.str() + result.stderr.str()


def test_half_a_line_of_a_sister_is_read_when_it_is_whole(tmp_path: Path) -> None:
    one, two = Ends(tmp_path, "session", "gw0"), Ends(tmp_path, "session", "gw1")
    Ends(tmp_path, "earlier", "gw1").tell(Record(suite="s", case_id="old", case_hash="", trial=0, outcome="failed"))
    record = Record(suite="s", case_id="a\nb", case_hash="h", trial=0, outcome="passed", cluster="f", dataset="d")
    two.tell(record)
    (path,) = tmp_path.glob(".ends-session-gw1")
    text = path.read_bytes()
    path.write_bytes(text + text[:10])
    (heard,) = one.hear()
    assert (heard.case_id, heard.group, heard.dataset, heard.outcome) == ("a\nb", "f", "d", "passed")
    with path.open("ab") as file:
        file.write(text[10:])
    time.sleep(0.03)
    assert [heard.case_id for heard in one.hear()] == ["a\nb"]
    assert list(two.hear()) == [], "its own it knows"


def _scorecard(pytester: pytest.Pytester) -> str:
    """The page, with the rules' arithmetic in full; a narrow terminal cuts it."""
    (folder,) = (path for path in (pytester.path / "reports" / "runs").iterdir() if path.is_dir())
    return (folder / "scorecard.html").read_text()


RULES = """
[[rule]]
name = "no worse"
kind = "no_regression"
margin_points = 10
confidence = 0.95
"""
COMPARED = SUITE.replace(", pass_rate={bar}", "")


def _baseline(pytester: pytest.Pytester, n: int = 400) -> None:
    """A committed baseline in which every case passed."""
    pytester.makepyprojecttoml('[tool.harness]\nrules = "release.toml"\n')
    (pytester.path / "release.toml").write_text(RULES)
    cases = [Case(id=f"c{i}", input="q") for i in range(n)]
    stored = {case.id: BaselineCase(case_hash=case.content_hash, trials=1, passes=1) for case in cases}
    base = Baseline(run_id="old", created_at="2026-01-01T00:00:00Z", suites={"test_coin.py::test_coin": stored})
    folder = pytester.path / "reports" / "baselines"
    folder.mkdir(parents=True)
    (folder / "main.json").write_text(base.to_text())


def _compared(pytester: pytest.Pytester, *args: str, share: float = 1.0, n: int = 400) -> pytest.RunResult:
    pytester.makepyfile(test_coin=COMPARED.format(share=share, n=n, must=0))
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:deepeval", "-q", *args)


def test_a_run_stops_as_soon_as_it_is_shown_to_be_no_worse_than_the_baseline(pytester: pytest.Pytester) -> None:
    _baseline(pytester)
    result = _compared(pytester, "--harness-until-decided", "--harness-concurrency=8")
    assert result.ret == 0
    ran = [record for record in _records(pytester) if record["outcome"] == "passed"]
    assert 20 < len(ran) < 120
    assert len(_records(pytester)) == 400
    result.stdout.fnmatch_lines(["*no worse: no drop of 10 points or more*"])


def test_a_run_stops_as_soon_as_it_is_shown_to_be_worse_than_the_baseline(pytester: pytest.Pytester) -> None:
    _baseline(pytester)
    result = _compared(pytester, "--harness-until-decided", "--harness-concurrency=8", share=0.4)
    assert result.ret == 10
    assert sum(record["outcome"] != "not_run" for record in _records(pytester)) < 100


def test_without_a_baseline_there_is_nothing_to_decide_and_that_is_said(pytester: pytest.Pytester) -> None:
    _baseline(pytester, n=5)
    result = _compared(pytester, "--harness-until-decided", "--harness-baseline=none", n=5)
    assert result.ret == 4
    assert "accept a baseline" in result.stdout.str() + result.stderr.str()


def test_a_regression_rule_that_cannot_pass_says_so_at_collection(pytester: pytest.Pytester) -> None:
    (pytester.path / "reports").mkdir()
    (pytester.path / "reports" / "release.toml").write_text(
        '[[rule]]\nname = "no worse"\nkind = "no_regression"\nmargin_points = 5\n'
    )
    result = _run(pytester, "-v", n=40)
    result.stdout.fnmatch_lines(["*'no worse' cannot rule out a drop of 5 points with 40 cases: it needs at least *"])


LOOKS = """
[[rule]]
name = "rate"
kind = "threshold"
at_least = 0.9
looks = 4
"""


def test_a_rule_with_looks_stops_the_run_at_a_planned_look_and_not_before(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml('[tool.harness]\nrules = "release.toml"\n')
    (pytester.path / "release.toml").write_text(LOOKS)
    pytester.makepyfile(test_coin=COMPARED.format(share=1.0, n=400, must=0))
    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-p", "no:deepeval", "-q", "--harness-until-decided", "--harness-concurrency=8"
    )
    assert result.ret == 0
    ran = [record for record in _records(pytester) if record["outcome"] == "passed"]
    assert 120 <= len(ran) <= 120 + 2 * 8 + 8  # the first of four looks at 400 cases; evidence would need 36
    result.stdout.fnmatch_lines(["*of 400 trials not needed (decided early)*"])
    shown = _scorecard(pytester)
    assert "decided after 120 of 400 independent cases" in shown
    assert "look 1 of 4: 120 of 120 passed" in shown
    assert "280 cases not needed" in shown


def test_a_regression_rule_with_looks_stops_the_run_at_a_look(pytester: pytest.Pytester) -> None:
    _baseline(pytester)
    (pytester.path / "release.toml").write_text(RULES + "looks = 5\n")
    result = _compared(pytester, "--harness-until-decided", "--harness-concurrency=8")
    assert result.ret == 0
    ran = [record for record in _records(pytester) if record["outcome"] == "passed"]
    assert 120 <= len(ran) <= 120 + 2 * 8 + 8
    assert "look 1 of 5: bounds " in _scorecard(pytester)


def test_a_rule_with_looks_that_cannot_pass_says_so_with_its_own_number(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml('[tool.harness]\nrules = "release.toml"\n')
    (pytester.path / "release.toml").write_text(LOOKS)
    pytester.makepyfile(test_coin=COMPARED.format(share=1.0, n=20, must=0))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-v", "--harness-until-decided")
    result.stdout.fnmatch_lines(["*rule 'rate' cannot pass with 20 cases: it needs at least 29 at its last look*"])

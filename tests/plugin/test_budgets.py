from __future__ import annotations

import os
from typing import Any

import pytest

pytest.importorskip("pytest_benchmark", reason="budgets need the extra bench")


@pytest.fixture(autouse=True)
def outside_of_xdist(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests may run in a worker themselves; its variables would switch pytest-benchmark off in inner sessions."""
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        monkeypatch.delenv(name)


QUICK = "--benchmark-max-time=0.02"
WORK = """
import os, time

def work():
    return sum(range(1000))

@pytest.mark.budget(p50_s=5.0, within_s=1)
def test_quick(benchmark):
    assert benchmark(work) == 499500
"""
SLOW = """
@pytest.mark.budget(p50_s=1e-9, within_s=0)
def test_slow(benchmark):
    benchmark(work)
"""
UNSURE = """
@pytest.mark.budget(p99_s=5.0, within_s=0)
def test_unsure(benchmark):
    benchmark.pedantic(work, rounds=5)
"""
GOLDEN = """
@pytest.mark.golden("demo")
def test_golden(trajectory): ...

def test_plain(): ...
"""


def verdicts(session: Any) -> dict[str, str]:
    return {v["suite"]: v["answer"] for v in session.scorecard["verdicts"] if v["rule"] == "budget"}


@pytest.mark.parametrize(
    ("more", "code", "tally"),
    [
        ("", 0, {"passed": 1}),
        (SLOW, 10, {"passed": 1, "failed": 1}),
        (UNSURE, 11, {"passed": 1, "inconclusive": 1}),
    ],
)
def test_a_budget_has_three_answers_and_each_has_its_exit_code(
    project: Any, more: str, code: int, tally: dict[str, int]
) -> None:
    project.test(WORK + more)
    session = project.run(QUICK)
    assert session.code == code, session.out
    assert session.tally == tally
    assert verdicts(session)["test_demo.py::test_quick"] == "pass"


def test_the_findings_stand_in_the_journal_with_bounds_and_limit(project: Any) -> None:
    project.test(WORK + SLOW)
    session = project.run(QUICK)
    scores = {record.suite: record.scores[0] for record in session.records}
    quick, slow = scores["test_demo.py::test_quick"], scores["test_demo.py::test_slow"]
    assert quick.passed is True
    assert quick.evidence["limit"] == 5.0
    assert 0 < quick.evidence["low"] <= quick.value <= quick.evidence["high"]
    assert slow.passed is False
    assert "over 1e-09 s" in slow.reason
    assert "over budget" in session.out
    assert "Budgets" in (session.folder / "scorecard.html").read_text()


def test_golden_cases_come_first_and_both_are_judged(project: Any) -> None:
    project.cases(4)
    project.test(WORK + GOLDEN)
    session = project.run(QUICK, "-v")
    assert session.code == 0, session.out
    places = [session.out.index(name) for name in ("test_golden[c003]", "test_plain", "test_quick")]
    assert max(places) == places[2]
    assert len(session.records) == 5


def test_a_stored_run_is_judged_again_with_the_same_answer(project: Any) -> None:
    from harness.cli import main

    project.test(WORK + SLOW)
    project.run(QUICK)
    here = os.getcwd()
    os.chdir(project.root)
    try:
        assert main(["gate", "latest"]) == 10
    finally:
        os.chdir(here)


def test_memory_and_leaks_are_limits_too(project: Any) -> None:
    project.test("""
kept = []

@pytest.mark.budget(leak_bytes=16, within_s=1)
def test_leaks(benchmark):
    benchmark(lambda: kept.append(bytes(100)))

@pytest.mark.budget(memory_mb=0.1, within_s=1)
def test_hungry(benchmark):
    benchmark(lambda: bytes(1_000_000))
""")
    session = project.run(QUICK)
    assert session.code == 10
    assert session.tally == {"failed": 2}
    assert "growth per call" in session.out
    assert "memory_mb 1" in session.out


def test_a_failing_body_is_a_failed_record_and_not_a_measurement(project: Any) -> None:
    project.test("@pytest.mark.budget(p50_s=1)\ndef test_wrong(benchmark):\n    assert benchmark(int) == 1\n")
    session = project.run(QUICK)
    assert session.code == 10
    assert session.records[0].outcome == "failed"
    assert session.records[0].scores == ()


def test_switched_off_benchmarks_are_inconclusive_and_never_green(project: Any) -> None:
    project.test(WORK)
    session = project.run("--benchmark-disable")
    assert session.code == 11
    assert "switched off" in session.out


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("@pytest.mark.budget(p95_ms=5)\ndef test_a(benchmark): ...", "budget has no 'p95_ms'"),
        ("@pytest.mark.budget(p95_s=5)\ndef test_a(): ...", "asks for the fixture benchmark"),
        ("@pytest.mark.budget(5)\ndef test_a(benchmark): ...", "named limits only, got 5"),
    ],
)
def test_a_budget_that_cannot_be_meant_is_a_usage_error(project: Any, source: str, says: str) -> None:
    project.test(source)
    session = project.run()
    assert session.code == 4
    assert says in session.out


def test_without_pytest_benchmark_the_install_command_is_told(project: Any) -> None:
    project.test(WORK)
    session = project.run_apart("-p", "no:benchmark")
    assert session.code == 4
    assert "pip install 'harness[bench]'" in session.out


def test_under_xdist_the_budgets_run_in_one_process_after_all_others(project: Any) -> None:
    project.cases(4)
    project.test(
        WORK
        + SLOW
        + UNSURE
        + GOLDEN
        + """
def note(what):
    with open("order.txt", "a") as file:
        file.write(f"{what} {os.getpid()} {os.environ.get('PYTEST_XDIST_WORKER', 'alone')}\\n")

@pytest.mark.parametrize("n", range(4))
def test_ordinary(n):
    time.sleep(0.05)
    note("ordinary")

@pytest.mark.harness_serial
@pytest.mark.parametrize("n", range(2))
def test_marked(n):
    note("serial")
"""
    )
    session = project.run_apart("-n2", QUICK, "--junitxml=junit.xml")
    assert session.code == 10, session.out
    assert session.tally == {"passed": 12, "failed": 1, "inconclusive": 1}
    lines = (project.root / "order.txt").read_text().split("\n")[:-1]
    assert [line.split()[0] for line in lines] == ["ordinary"] * 4 + ["serial"] * 2
    assert {line.split()[2] for line in lines[4:]} == {"alone"}
    assert len({line.split()[1] for line in lines[4:]}) == 1
    # One run holds both, measured for real: pytest-benchmark switches itself off in a worker.
    assert len(session.folders) == 1
    assert {record.outcome for record in session.records} == {"passed", "failed", "errored"}
    assert len(session.records) == 7
    assert session.manifest.finished_at
    assert (project.root / "junit.xml").read_text().count("<testcase") == 14


def test_under_xdist_a_session_of_budgets_alone_is_judged(project: Any) -> None:
    project.test(WORK)
    session = project.run_apart("-n2", QUICK)
    assert session.code == 0, session.out
    assert verdicts(session) == {"test_demo.py::test_quick": "pass"}


def test_under_xdist_a_selection_holds_in_the_serial_phase(project: Any) -> None:
    project.test(WORK + SLOW)
    session = project.run_apart("-n2", QUICK, "-k", "quick")
    assert session.code == 0, session.out
    assert session.tally == {"passed": 1}


def test_a_serial_phase_that_dies_is_red_and_says_so(project: Any) -> None:
    project.test(WORK + "\n@pytest.mark.budget(p50_s=1)\ndef test_dies(benchmark):\n    os._exit(7)\n")
    session = project.run_apart("-n2", QUICK)
    assert session.code in (1, 10)
    assert "ended with exit code 7" in session.out
    assert session.tally["failed"] == 1


def test_the_leaks_fixture_tells_a_leak_from_clean_code(project: Any) -> None:
    project.test("""
def test_both(leaks):
    kept = []
    assert leaks(kept.append, 1.5).answer in ("pass", "inconclusive")  # eight bytes a call
    assert leaks(lambda: kept.append(bytes(100))).answer == "fail"
    assert leaks(sorted, range(100)).answer == "pass"
""")
    session = project.run()
    assert session.code == 0, session.out


def test_a_session_without_measurements_keeps_no_run(project: Any) -> None:
    project.test("def test_plain(): ...")
    session = project.run()
    assert session.code == 0
    assert session.folders == []

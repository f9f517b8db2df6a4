"""Load tests in a session: budgets become outcomes and verdicts, figures stand on the scorecard, and they run last."""

from __future__ import annotations

import pytest

SERVER = """
import pytest
from harness.runs.load.serving import MockServer

@pytest.fixture(scope="module")
def url():
    with MockServer(ttft=0.01, gap=0.001, tokens=5) as mock:
        yield mock.url
"""
QUICK = "rate=60, duration_s=1.5, client_limit_s=10.0"


def write(project, tests: str) -> None:
    (project.root / "conftest.py").write_text(SERVER)
    (project.root / "test_load.py").write_text("import pytest\n" + tests)


def test_a_kept_budget_passes_the_gate_and_its_figures_are_rows(project):
    write(project, f"@pytest.mark.perf(ttft_p50_s=5.0)\ndef test_quick(load, url):\n    load(url, {QUICK})\n")
    session = project.run()
    assert session.code == 0, session.out
    records = {record.case_id: record for record in session.records}
    assert records["budget ttft_p50_s"].outcome == "passed"
    assert records["budget error_share"].outcome == "passed"
    scores = {score.name: score for score in records["run 1"].scores}
    assert 0 < scores["ttft_p95_s"].value < 5
    assert scores["tokens_per_s"].direction == "higher"
    folder = session.folder
    page = (folder / "scorecard.html").read_text()
    assert "Load tests" in page
    assert "time to first token" in page
    assert (next((folder / "load").iterdir()) / "load.html").is_file()


def test_a_broken_budget_is_red_and_fails_the_gate(project):
    write(project, f"@pytest.mark.perf(ttft_p50_s=1e-6)\ndef test_slow(load, url):\n    load(url, {QUICK})\n")
    session = project.run()
    assert session.code == 10, session.out
    assert "ttft_p50_s" in session.out


def test_what_a_budget_does_not_settle_is_left_to_the_gate_as_inconclusive(project):
    write(
        project, "@pytest.mark.perf(ttft_p99_s=5)\ndef test_few(load, url):\n    load(url, requests=3, duration_s=1)\n"
    )
    session = project.run()
    assert session.code == 11, session.out
    assert "1 xfailed" in session.out


def test_load_tests_come_last_whatever_their_place(project):
    write(
        project,
        f"def test_load(load, url):\n    load(url, {QUICK})\n\ndef test_other():\n    pass\n",
    )
    session = project.run("-v")
    assert session.out.index("test_other PASSED") < session.out.index("test_load PASSED")


def test_among_workers_load_tests_wait_for_each_other_and_for_the_others(project):
    pytest.importorskip("xdist")
    write(
        project,
        """
import time, pathlib
HERE = pathlib.Path(__file__).parent

@pytest.mark.parametrize("n", range(4))
def test_other(n):
    time.sleep(0.2)
    (HERE / f"other-{n}").write_text(str(time.time()))

@pytest.mark.parametrize("n", range(2))
def test_load(load, url, n):
    began = time.time()
    load(url, rate=40, duration_s=0.7, client_limit_s=10.0)
    (HERE / f"load-{n}").write_text(f"{began} {time.time()}")
""",
    )
    session = project.run_apart("-n", "2", "-p", "xdist")
    assert session.code == 0, session.out
    spans = sorted(tuple(map(float, path.read_text().split())) for path in project.root.glob("load-*"))
    others = [float(path.read_text()) for path in project.root.glob("other-*")]
    assert len(spans) == 2
    assert len(others) == 4
    assert max(others) <= spans[0][0]
    assert spans[0][1] <= spans[1][0] + 0.2, "the second began when the first had ended, but for writing down its end"


@pytest.mark.parametrize(
    ("mark", "call", "word"),
    [
        ("perf(ttft_p95=0.3)", "load(url)", "ttft_p95_s"),
        ("perf()", "load(url)", "names no figure"),
        ("perf(ttft_p95_s=-1)", "load(url)", "needs a number above 0"),
        ("perf(ttft_p95_s=1)", "pass", "never called load"),
        ("perf(ttft_p95_s=1)", "load(url, ratee=3)", "did you mean rate"),
        ("perf(ttft_p95_s=1)", "load('http://example.invalid/v1')", "--harness-mode=live"),
    ],
)
def test_a_mistake_is_told_with_what_to_write(project, mark, call, word):
    write(project, f"@pytest.mark.{mark}\ndef test_x(load, url):\n    {call}\n")
    session = project.run()
    assert session.code != 0
    assert word in session.out


def test_a_projects_own_fixture_called_load_is_left_alone(project):
    (project.root / "test_own.py").write_text(
        "import pytest\n@pytest.fixture\ndef load():\n    return 7\ndef test_own(load):\n    assert load == 7\n"
    )
    session = project.run()
    assert session.code == 0
    assert "scorecard" not in session.out

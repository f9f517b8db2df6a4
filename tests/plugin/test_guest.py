"""A guest's manners: a session without golden tests pays nothing, sees nothing and finds nothing left behind."""

from __future__ import annotations

import json

import pytest

DUMP = """
import json, pathlib, sys
BEFORE = None

def pytest_configure(config):
    global BEFORE
    BEFORE = set(sys.modules)

def pytest_unconfigure(config):
    loaded = sorted(sys.modules)
    pathlib.Path("modules.json").write_text(json.dumps(loaded))
"""
ROOMS = ("agents", "core", "datasets", "evaluators", "gates", "reporting", "results", "runs", "stats")
HEAVY = ("aiohttp", "jinja2", "jsonschema", "litellm", "numpy", "pandas", "scipy", "yaml")


def test_a_session_without_golden_tests_imports_no_room_prints_nothing_and_leaves_nothing(project):
    (project.root / "conftest.py").write_text(DUMP)
    (project.root / "test_demo.py").write_text("def test_plain(tmp_path):\n    pass\n")
    before = {path.name for path in project.root.iterdir()}
    session = project.run_apart()
    assert session.code == 0
    loaded = set(json.loads((project.root / "modules.json").read_text()))
    assert "harness.plugin.entry" in loaded, "the plugin was there"
    for room in ROOMS:
        strange = {name for name in loaded if name.startswith(f"harness.{room}")}
        # The flags raise UsageError; it and its package are all that a guest brings along.
        assert strange <= {"harness.core", "harness.core.errors"}, f"{room} was imported: {sorted(strange)}"
    assert not loaded & set(HEAVY)
    body = [line for line in session.out.splitlines() if not line.startswith("plugins:")]
    assert not any("harness" in line or "scorecard" in line for line in body)
    left = {path.name for path in project.root.iterdir()} - before
    left -= {"modules.json", "__pycache__", ".benchmarks"}  # the test's own, Python's, and another plugin's
    assert left == set()


def test_the_golden_marker_and_the_flags_are_documented_where_pytest_documents_them(project):
    marks = project.run("--markers")
    assert "@pytest.mark.golden(source, ...)" in marks.out
    help_text = project.run("--help")
    for flag in ("--harness-agent", "--harness-mode", "--harness-budget-usd", "--harness-resume", "--harness-estimate"):
        assert flag in help_text.out
    fixtures = project.run("--fixtures")
    for name in ("trajectory", "evaluate", "agent", "case", "trial"):
        assert f"{name} -- " in fixtures.out


@pytest.mark.parametrize(
    ("flag", "mark"), [("--reruns=2", ""), ("--count=3", ""), ("", "flaky(reruns=2)"), ("", "repeat(3)")]
)
def test_plugins_that_rerun_or_repeat_are_refused_on_golden_tests_with_the_advice(counting, flag, mark):
    pytest.importorskip("pytest_rerunfailures" if "rerun" in flag + mark else "pytest_repeat")
    counting.cases(2)
    decorator = f"@pytest.mark.{mark}\n" if mark else ""
    counting.test(f"{decorator}@pytest.mark.golden('demo')\ndef test_echo(case, trajectory):\n    pass\n")
    session = counting.run(*([flag] if flag else []))
    assert session.code == 4, session.out
    assert "does not go with golden tests" in session.out
    assert "--harness-trials=N" in session.out
    assert counting.calls == []


def test_they_may_still_rerun_tests_that_are_not_golden(project):
    pytest.importorskip("pytest_rerunfailures")
    project.test(
        "import pathlib\ndef test_flaky():\n    first = not pathlib.Path('seen').exists()\n"
        "    pathlib.Path('seen').touch()\n    assert not first\n"
    )
    session = project.run_apart("--reruns=1")
    assert session.code == 0
    assert session.tally == {"passed": 1, "rerun": 1}


@pytest.mark.parametrize("name", ["case", "trajectory", "agent", "evaluate", "trial"])
def test_a_golden_fixture_in_an_unmarked_test_is_an_error_that_names_the_mark(project, name):
    project.test(f"def test_lost({name}):\n    pass\n")
    session = project.run()
    assert session.code == 1
    assert "declares no cases" in session.out
    assert "@pytest.mark.golden('name_of_a_dataset')" in session.out


def test_a_project_may_have_fixtures_of_these_names_for_its_own_tests(project):
    (project.root / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef case():\n    return 'mine'\n\n"
        "@pytest.fixture\ndef agent():\n    return 'my agent'\n"
    )
    project.test("def test_own(case, agent):\n    assert (case, agent) == ('mine', 'my agent')\n")
    session = project.run()
    assert session.code == 0, session.out
    assert session.folders == []


def test_a_golden_test_that_asks_for_nothing_of_the_harness_is_told_what_to_ask_for(project):
    project.cases(1)
    project.test("@pytest.mark.golden('demo')\ndef test_forgotten(tmp_path):\n    pass\n")
    session = project.run()
    assert session.code == 4
    assert "has to ask for case, trajectory or agent" in session.out


def test_golden_and_ordinary_tests_mix_and_ordinary_ones_keep_their_captured_output(project):
    project.cases(3)
    project.test(
        """
def test_before():
    print("before")
    assert False

@pytest.mark.golden("demo")
def test_echo(case, trajectory):
    print("golden")

def test_after(capsys):
    print("after")
    assert capsys.readouterr().out == "after\\n"
"""
    )
    session = project.run()
    assert session.tally == {"failed": 1, "passed": 4}
    assert session.code == 1
    assert session.out.count("before") >= 1
    assert "golden\n" not in session.out


def test_pytest_asyncio_and_anyio_may_be_installed_beside_it(project):
    pytest.importorskip("pytest_asyncio")
    project.cases(3)
    project.test(
        """
@pytest.mark.golden("demo")
async def test_golden(case, agent):
    assert (await agent(case)).answer

@pytest.mark.asyncio
async def test_theirs():
    pass
"""
    )
    (project.root / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    session = project.run_apart(quiet=("-p", "no:deepeval"))
    assert session.code == 0, session.out
    assert session.tally == {"passed": 4}


def test_the_step_summary_is_appended_where_the_ci_asks_for_it(project, monkeypatch):
    summary = project.root / "step.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    project.cases(2)
    project.test("@pytest.mark.golden('demo')\ndef test_echo(case, trajectory):\n    pass\n")
    session = project.run()
    text = summary.read_text()
    assert text.startswith("before\n")
    assert (session.folder / "summary.md").read_text().strip() in text

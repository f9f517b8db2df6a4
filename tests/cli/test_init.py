"""The made project, really run: the whole way from ``harness init`` to a verdict, an estimate and a comparison."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.commands.init import project_name, write_project


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project with one run."""
    from harness.cli import main

    root = tmp_path_factory.mktemp("init") / "My Evals"
    assert main(["init", str(root)]) == 0
    return root


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "evals"))


def test_the_new_project_passes_at_once_and_a_worse_agent_fails_it(project: Path, process: Any, session: Any) -> None:
    done = process("pytest", "suites", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS" in done.stdout
    assert process("harness.cli", "baseline", "accept", "latest", cwd=project).returncode == 0
    (project / "fixtures" / "agent.py").write_text("def answer(question):\n    return 'the code is 4711'\n")
    again = session("suites", cwd=project)
    assert again.returncode == 10, again.stdout + again.stderr
    assert "(main.json): 17 worse, 0 better, 0 the same" in again.stdout
    page = next(path for path in project.glob("reports/runs/*/scorecard.html") if "Changes" in path.read_text())
    assert "saturday-plain" in page.read_text()


def test_a_session_with_a_named_baseline_that_is_missing_ends_13(project: Path, session: Any) -> None:
    done = session("suites", "--harness-baseline=reports/baselines/none.json", cwd=project)
    assert done.returncode == 13, done.stdout + done.stderr
    assert "none.json" in done.stdout


def test_the_new_project_says_where_the_agent_goes(project: Path) -> None:
    assert "fixtures/agent.py" in (project / "README.md").read_text()
    assert "harness-agent" in (project / "README.md").read_text()
    assert 'agent = "fixtures.agent:answer"' in (project / "pyproject.toml").read_text()
    assert "$name" not in "".join(path.read_text() for path in project.rglob("*") if path.is_file())


def test_nothing_is_overwritten_and_then_nothing_is_written(desk: Any) -> None:
    folder = desk.root / "taken"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    code, _, err = desk("init", "taken")
    assert code == 4
    assert "README.md" in err
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"


def test_a_folder_with_other_files_is_fine(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    assert ".gitignore" in write_project(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused(desk: Any) -> None:
    (desk.root / "x").write_text("")
    assert desk("init", "x")[0] == 4


@pytest.mark.parametrize(("folder", "name"), [("My Evals", "my-evals"), ("...", "agent-evals"), ("ü", "agent-evals")])
def test_the_project_is_named_after_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    assert project_name(tmp_path / folder) == name

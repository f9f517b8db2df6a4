"""A component is ready when everything was measured and holds; real tools write what is read here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main

SPEC = """\
id: desk
title: The desk
risk_tier: 1
source: [desk]
change_budget: {files: 2, lines: 20}
blast_radius: [customers]
scope: {in: ["desk/**", "tests/**"], out: [desk/frozen.py]}
invariants: [money is never a float]
acceptance:
  - {id: sign, says: the sign is told, tests: ["tests/test_desk.py::test_sign"]}
contracts:
  - {id: api, kind: python, tests: [tests/test_desk.py]}
non_functional:
  - {id: fast, says: quick, figure: desk/answer, at_most: 2.5}
"""
CODE = "def sign(x: int) -> str:\n    if x < 0:\n        return 'minus'\n    return 'plus'\n"
TEST = """\
import pytest
from desk.signs import sign

@pytest.mark.parametrize(("x", "word"), [(-1, "minus"), (0, "plus")])
def test_sign(x, word):
    assert sign(x) == word
"""
MUTANTS = {
    "killed": 8, "survived": 2, "total": 11, "no_tests": 0, "skipped": 1, "suspicious": 0, "timeout": 0,
    "check_was_interrupted_by_user": 0, "segfault": 0,
}  # fmt: skip


def shell(folder: Path, *argv: str) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COVERAGE_", "GIT_"))}
    clean |= {"PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(argv, cwd=folder, env=clean, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode in (0, 1, 5), done.stdout + done.stderr


def measure(folder: Path) -> None:
    out = folder / "quality" / "measured"
    out.mkdir(parents=True, exist_ok=True)
    junit = f"--junitxml={out}/tests.xml"
    shell(folder, sys.executable, "-m", "coverage", "run", "--branch", "--source=desk", "-m", "pytest", "-q", junit,
          "-p", "no:cacheprovider", "tests")  # fmt: skip
    shell(folder, sys.executable, "-m", "coverage", "json", "-q", "-o", f"{out}/coverage.json")
    shell(folder, sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json",
          f"--output-file={out}/ruff.json", "desk")  # fmt: skip
    shell(folder, sys.executable, "-m", "mypy", "--cache-dir", os.devnull, "--junit-xml", f"{out}/mypy.xml",
          "--junit-format", "per_file", "desk")  # fmt: skip
    (out / "mutmut-cicd-stats.json").write_text(json.dumps(MUTANTS))
    (out / "figures.json").write_text(json.dumps({"desk": {"figures": [{"what": "answer", "value": 2.5}]}}))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed project with every measurement."""
    folder = tmp_path_factory.mktemp("desk")
    for name, text in (
        ("desk/__init__.py", ""), ("desk/signs.py", CODE), ("tests/test_desk.py", TEST), ("quality/desk.yaml", SPEC),
        ("desk/frozen.py", "LAW = 1\n"), ("pyproject.toml", ""), (".gitignore", "measured/\n.coverage\n"),
    ):  # fmt: skip
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    shell(folder, "git", "init", "-q", "-b", "main")
    shell(folder, "git", "add", ".")
    shell(folder, "git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "start")
    measure(folder)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it, with the times of its files."""
    folder = tmp_path / "desk"
    subprocess.run(["cp", "-a", str(made), str(folder)], check=True)
    return folder


def judged(project: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any]]:
    code = main(["quality", "--root", str(project), "--format", "json", *more])
    told = json.loads(capsys.readouterr().out)
    checks = {check["kind"]: check for item in told["components"] for check in reversed(item["checks"])}
    return code, {"answer": told["answer"], **checks}


def edit(project: Path, name: str, change: Callable[[Any], Any]) -> None:
    path = project / "quality" / "measured" / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def test_a_component_whose_every_measurement_holds_is_ready(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = judged(project, capsys)
    assert code == 0, found
    assert found["branches"]["found"] == "2 of 2 (100.0%)"
    assert found["mutants"]["value"] == pytest.approx(0.8), "a skipped mutant is not one of them"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("coverage.json", "branches"), ("mutmut-cicd-stats.json", "mutants"), ("mypy.xml", "types"),
        ("ruff.json", "lint"), ("tests.xml", "criterion"), ("figures.json", "requirement"),
    ],
)  # fmt: skip
def test_a_measurement_that_is_missing_broken_or_stale_is_inconclusive_and_never_a_pass(
    name: str, kind: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "quality" / "measured" / name
    whole = path.read_bytes()
    path.unlink()
    code, found = judged(project, capsys)
    assert (code, found[kind]["answer"], found[kind]["value"]) == (11, "inconclusive", None)
    path.write_bytes(whole[: len(whole) // 2])
    assert judged(project, capsys)[0] == 11
    path.write_bytes(b"[]" if name != "ruff.json" else b"{}")
    assert judged(project, capsys)[1][kind]["answer"] == "inconclusive"
    path.write_bytes(whole)
    os.utime(path, (1, 1))
    code, found = judged(project, capsys)
    assert code == 11
    assert "older than the code" in found[kind]["found"]


def test_a_branch_nobody_takes_a_type_error_and_a_lint_finding_fail(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "desk" / "signs.py").write_text("import os\n" + CODE.replace("'plus'", "1"))
    (project / "tests" / "test_desk.py").write_text(TEST.replace('(-1, "minus"), ', "").replace('"plus"', "1"))
    measure(project)
    code, found = judged(project, capsys)
    assert code == 10
    assert found["branches"]["found"] == "1 of 2 (50.0%)"
    assert [found[kind]["answer"] for kind in ("branches", "types", "lint")] == ["fail"] * 3


def test_a_file_that_the_coverage_report_leaves_out_is_not_covered(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def without(data: Any) -> Any:
        data["files"] = {name: entry for name, entry in data["files"].items() if "frozen" not in name}
        return data

    edit(project, "coverage.json", without)
    code, found = judged(project, capsys)
    assert code == 11
    assert "does not name desk/frozen.py" in found["branches"]["found"]


def test_a_criterion_needs_a_test_that_passed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = project / "quality" / "desk.yaml"
    spec.write_text(SPEC.replace("test_desk.py::test_sign", "test_desk.py::test_gone"))
    code, found = judged(project, capsys)
    assert code == 10
    assert found["criterion"]["found"] == "no passing test: tests/test_desk.py::test_gone"
    spec.write_text(SPEC.replace("test_desk.py::test_sign", "test_desk.py::test_sign[0-plus]"))
    assert judged(project, capsys)[1]["criterion"]["answer"] == "pass"
    (project / "tests" / "test_desk.py").write_text(TEST.replace('(0, "plus")', '(0, "zero")'))
    measure(project)
    code, found = judged(project, capsys)
    assert (code, found["contract"]["answer"]) == (10, "fail")
    (project / "tests" / "test_desk.py").write_text(TEST.replace("def test_sign", "@pytest.mark.skip\ndef test_sign"))
    measure(project)
    spec.write_text(SPEC)
    assert judged(project, capsys)[1]["criterion"]["answer"] == "fail", "a skipped test shows nothing"


def test_mutants_that_were_not_tried_are_inconclusive_and_survivors_fail(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, "mutmut-cicd-stats.json", lambda data: {**data, "killed": 7})
    code, found = judged(project, capsys)
    assert code == 11
    assert "1 of 10 mutants were not tried" in found["mutants"]["found"]
    edit(project, "mutmut-cicd-stats.json", lambda data: {**data, "killed": 6, "survived": 3, "no_tests": 1})
    code, found = judged(project, capsys)
    assert code == 10
    assert found["mutants"]["needs"] == "1 more mutants noticed"


def test_the_figure_of_a_benchmark_is_held_to_its_budget(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project, "figures.json", lambda data: {"desk": {"figures": [{"what": "answer", "value": 2.51}]}})
    code, found = judged(project, capsys)
    assert (code, found["requirement"]["answer"]) == (10, "fail")


def test_a_change_over_the_budget_or_of_a_file_out_of_scope_fails(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "tests" / "test_more.py").write_text("# one\n" * 20)
    assert judged(project, capsys)[0] == 0
    (project / "tests" / "test_more.py").write_text("# one\n" * 21)
    code, found = judged(project, capsys)
    assert (code, found["budget"]["found"]) == (10, "1 files and 21 lines since main")
    (project / "tests" / "test_more.py").unlink()
    (project / "desk" / "frozen.py").write_text("LAW = 2\n")
    measure(project)
    code, found = judged(project, capsys)
    assert (code, found["scope"]["found"]) == (10, "outside the scope: desk/frozen.py")
    assert judged(project, capsys, "--base", "none")[0] == 0


def test_a_change_made_under_a_spec_touches_nothing_else(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "README.md").write_text("hello\n")
    assert judged(project, capsys)[0] == 0
    code, found = judged(project, capsys, "--under", "desk")
    assert (code, found["scope"]["found"]) == (10, "outside the scope: README.md")


def test_outside_git_the_change_is_not_known(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".git").rename(project / "no-git")
    assert judged(project, capsys)[0] == 11


def test_mistakes_of_usage_exit_4_and_say_what_there_is(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["quality", "--root", str(project)]
    for more, said in (
        (["--only", "disk"], "there is desk"), (["--base", "nowhere"], "git knows no commit"),
        (["elsewhere"], "no folder of working specs"), (["--under", "desk", "--base", "none"], "name the base"),
    ):  # fmt: skip
        assert main([*at, *more]) == 4
        assert said in capsys.readouterr().err
    (project / "quality" / "desk.yaml").write_text("id: desk\n")
    assert main([*at, "--check"]) == 4
    assert "desk.yaml:1: " in capsys.readouterr().err


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_the_report_names_the_component_what_is_open_and_what_to_do(
    form: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = project / "quality" / "desk.yaml"
    spec.write_text(SPEC.replace("title: The desk", "title: <script>alert(1)</script>"))
    (project / "quality" / "measured" / "mypy.xml").unlink()
    target = tmp_path / "out" / "readiness"
    assert main(["quality", "--root", str(project), "--format", form, "--out", str(target)]) == 11
    text = target.read_text()
    assert "mypy.xml is missing" in text
    assert "0 of 1 components ready: INCONCLUSIVE" in text
    assert form != "html" or "<script>" not in text


def test_a_document_type_in_a_junit_file_is_not_expanded(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "quality" / "measured" / "tests.xml"
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]><testsuites/>')
    code, found = judged(project, capsys)
    assert code == 11
    assert "document type" in found["criterion"]["found"]

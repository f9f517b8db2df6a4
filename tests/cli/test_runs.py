"""history, merge, report, schema, and what all commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import __version__
from harness.cli import COMMANDS

GOOD = {f"case-{n}": "p" for n in range(10)}


def test_history_lists_the_newest_last_and_as_many_as_asked(desk: Any) -> None:
    ids = [desk.store(GOOD) for _ in range(3)]
    code, out, _ = desk("history", "--limit", "2")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ids[1:]
    assert "1 older" in out


def test_history_as_json_keeps_unknown_costs_apart_from_zero(desk: Any) -> None:
    desk.store(GOOD, cost=None)
    data = json.loads(desk("history", "--json")[1])
    assert (data[0]["measured"], data[0]["pass_rate"], data[0]["cost_usd"]) == (10, 1.0, None)


def test_history_of_a_project_without_runs_says_how_to_make_one(desk: Any) -> None:
    code, out, _ = desk("history")
    assert code == 0
    assert "pytest suites" in out


def test_shards_are_merged_into_a_run_that_can_be_judged(desk: Any) -> None:
    first = desk.store({"a": "p", "b": "p"}, partial=True)
    second = desk.store({"c": "p", "d": "f"}, partial=True)
    code, out, _ = desk("merge", first, second, "--into", "nightly")
    assert code == 0
    assert "harness gate nightly" in out
    code, out, _ = desk("gate", "nightly", "--json")
    assert code == 10
    assert json.loads(out)["measured"] == 4


def test_runs_that_are_no_shards_of_one_are_refused(desk: Any) -> None:
    first = desk.store({"a": "p"})
    second = desk.store({"b": "p"}, agent="another:one")
    code, _, err = desk("merge", first, second, "--into", "nightly")
    assert code == 4
    assert "another:one" in err
    assert not (desk.runs / "nightly").exists()


def test_a_merged_run_cannot_be_called_latest(desk: Any) -> None:
    first = desk.store({"a": "p"})
    assert desk("merge", first, "--into", "latest")[0] == 4


def test_report_writes_the_four_files_where_it_is_told(desk: Any) -> None:
    run_id = desk.store(GOOD)
    code, out, _ = desk("report", run_id, "--out", "build/qa")
    assert code == 0
    names = {path.name for path in (desk.root / "build/qa").iterdir()}
    assert names == {"scorecard.html", "scorecard.json", "summary.md", "junit.xml"}
    assert "scorecard.html" in out
    assert not (desk.runs / run_id / "scorecard.html").exists()


def test_report_shows_what_changed_against_the_accepted_run(desk: Any) -> None:
    desk.store(GOOD)
    desk("baseline", "accept", "latest")
    run_id = desk.store({**GOOD, "case-7": "f"})
    desk("report", run_id)
    data = json.loads((desk.runs / run_id / "scorecard.json").read_text())
    assert data["comparison"]
    assert "case-7" in (desk.runs / run_id / "summary.md").read_text()


def test_schema_writes_what_the_loader_checks_by(desk: Any) -> None:
    code, out, _ = desk("schema")
    assert code == 0
    written = json.loads(Path(out.strip()).read_text())
    assert written == json.loads(desk("schema", "--print")[1])


def test_the_version_is_the_packages(desk: Any) -> None:
    code, out, _ = desk("--version")
    assert (code, out.strip()) == (0, f"harness {__version__}")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(desk: Any, command: str) -> None:
    code, out, _ = desk(command, *(["accept"] if command == "baseline" else []), "--help")
    assert code == 0
    assert f"  harness {command}" in out


def test_no_command_at_all_is_a_usage_error_with_the_list(desk: Any) -> None:
    code, out, _ = desk()
    assert code == 4
    assert all(command in out for command in COMMANDS)


def test_help_imports_nothing_heavy(process: Any, tmp_path: Path) -> None:
    (tmp_path / "look.py").write_text(
        "import sys\nfrom harness.cli import main\nmain(['--help'])\nmain(['gate', '--help'])\n"
        "heavy = {'pytest', 'numpy', 'scipy', 'jinja2', 'aiohttp', 'pandas', 'harness.plugin'} & set(sys.modules)\n"
        "sys.exit(repr(heavy) if heavy else 0)\n"
    )
    done = process("look", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_folder_that_does_not_exist_is_said(desk: Any) -> None:
    code, _, err = desk("history", "--root", "/nonexistent/place")
    assert code == 4
    assert "/nonexistent/place" in err


def test_a_full_disk_ends_with_a_sentence(desk: Any) -> None:
    desk.store({"a": "p"})
    desk.store({"a": "p"})
    code, _, err = desk("compare", "latest~1", "latest", "--out", "/dev/full/x")
    assert code == 1
    assert "Traceback" not in err

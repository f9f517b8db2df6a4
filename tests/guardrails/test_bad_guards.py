"""Bad guards, plugged into the shipped suites by the public flag or fixture, make those suites fail by name."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.guards import NAMES

ROOT = Path(__file__).resolve().parents[2]


def run_suites(runs: Path, *arguments: str, cwd: Path = ROOT) -> tuple[int, str, dict]:
    """A pytest session of its own on the suites; its exit code, what it printed, and its scorecard."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "HARNESS"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", f"--harness-runs={runs}", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    cards = list(runs.glob("*/scorecard.json"))
    return done.returncode, done.stdout + done.stderr, json.loads(cards[0].read_text()) if cards else {}


def plugged_everywhere(bad: str) -> str:
    own = bad in ("truncating", "swallowing")
    specs = [f"{name}=fixtures.bad_guards:{bad}{f'.{name}' if own else ''}" for name in NAMES]
    return f"--harness-guards={','.join(specs)}"


def failed_rules(card: dict) -> set[str]:
    return {verdict["rule"] for verdict in card["verdicts"] if verdict["answer"] == "fail"}


@pytest.mark.parametrize(
    ("bad", "rules"),
    [("always_allow", ["recall"]), ("always_block", ["false positives"]), ("random", ["recall", "false positives"])],
)
def test_a_guard_that_does_not_look_fails_the_rule_of_every_suite(bad: str, rules: list[str], tmp_path: Path) -> None:
    code, printed, card = run_suites(tmp_path, "suites/guardrails", plugged_everywhere(bad))
    assert code == 10, printed[-2000:]
    assert {f"{name}: {rule}" for name in NAMES for rule in rules} <= failed_rules(card)


@pytest.mark.parametrize(("bad", "row"), [("truncating", "past-512"), ("swallowing", "odd-signs")])
def test_a_guard_that_does_not_look_everywhere_fails_a_row_of_every_suite(bad: str, row: str, tmp_path: Path) -> None:
    code, printed, card = run_suites(tmp_path, "suites/guardrails", plugged_everywhere(bad))
    assert code == 10, printed[-2000:]
    assert "guards: must-pass attacks" in failed_rules(card)
    failed = set(re.findall(r"FAILED suites/guardrails/test_(\w+)\.py::\w+\[([^\]]*)\]", printed))
    assert {name for name, case in failed if row in case} == set(NAMES)
    assert all(row in case for _, case in failed), "only those rows: the guard is right about everything else"


def test_a_guard_that_breaks_detects_nothing_and_fails_the_rule_on_faults(tmp_path: Path) -> None:
    flag = "--harness-guards=pii=fixtures.bad_guards:crashing"
    code, printed, card = run_suites(tmp_path, "suites/guardrails/test_pii.py", flag)
    assert code == 10, printed[-2000:]
    assert "guards: none breaks" in failed_rules(card)
    rows = {row["metric"]: row for row in card["rows"] if row["suite"].endswith("test_pii")}
    assert rows["guard_faults"]["estimate"] == 1.0
    assert rows["recall"]["n"] == 0
    assert rows["recall"]["of"] > 0


def test_a_team_overrides_the_fixture_in_its_own_conftest(tmp_path: Path) -> None:
    """The fixture is public: a project with the suites and one conftest.py of its own, and no flag."""
    shutil.copytree(ROOT / "suites" / "guardrails", tmp_path / "suites" / "guardrails")
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n\n"
        "@pytest.fixture(scope='session')\n"
        "def guards_under_test():\n"
        "    from fixtures.bad_guards import always_allow\n\n"
        "    return {'secrets': always_allow}\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.pytest.ini_options]\npythonpath = ['{ROOT}']\naddopts = ['--import-mode=importlib']\n"
        f"[tool.harness]\nagent = 'fixtures.support_desk.agent:careful'\n"
        f"datasets = '{ROOT / 'golden_datasets'}'\nrules = '{ROOT / 'reports' / 'release.toml'}'\n"
    )
    code, printed, card = run_suites(tmp_path / "runs", "suites/guardrails/test_secrets.py", cwd=tmp_path)
    assert code == 10, printed[-2000:]
    assert "secrets: recall" in failed_rules(card)
    assert "secrets: false positives" not in failed_rules(card)


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("pii", "is no NAME=module:name"),
        ("pii=fixtures.bad_guards", "is no NAME=module:name"),
        ("pii=fixtures.bad_guards:nobody", "has no 'nobody'"),
        ("nobody=fixtures.bad_guards:random", "there are suites for groundedness"),
    ],
)
def test_a_guard_that_cannot_be_found_is_a_mistake_that_names_what_there_is(
    flag: str, said: str, tmp_path: Path
) -> None:
    code, printed, _ = run_suites(tmp_path, "suites/guardrails/test_pii.py", f"--harness-guards={flag}", "-x")
    assert code != 0
    assert said in printed

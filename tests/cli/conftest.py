from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.trajectory import Trajectory
from harness.results.journal import JournalWriter
from harness.results.run_folder import write_manifest

WORKTREE = Path(__file__).parents[2]
SUITE = "suites/desk/test_refunds.py::test_refunds"
OTHER = "suites/talk/test_talk.py::test_talk"


class Desk:
    """A project folder with stored runs, written the way the plugin writes them, and commands run in it."""

    suite, other = SUITE, OTHER

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.runs = root / "reports" / "runs"
        self._capsys = capsys
        self._minute = 0
        root.mkdir(exist_ok=True)
        (root / "pyproject.toml").write_text("[tool.harness]\n")

    def store(
        self,
        outcomes: dict[str, str],
        *,
        suite: str = SUITE,
        others: dict[str, str] | None = None,
        cost: str | None = "0.01",
        latency: float | dict[str, float] = 1.0,
        hashes: dict[str, str] | None = None,
        run_id: str = "",
        **manifest: Any,
    ) -> str:
        """A run of one suite (and perhaps a second); case id to the outcomes of its trials, such as ``pf``."""
        self._minute += 1
        run_id = run_id or f"20260101-00{self._minute:02d}00-0001"
        folder = self.runs / run_id
        folder.mkdir(parents=True)
        parts = [(suite, outcomes)] + ([(OTHER, others)] if others else [])
        plans = tuple(
            PlannedSuite(suite=name, area=name.split("/")[1], dataset="d", dataset_hash="h", cases=len(cases),
                         trials=max(map(len, cases.values())))
            for name, cases in parts
        )  # fmt: skip
        stamp = f"2026-01-01T00:{self._minute:02d}:00Z"
        values = {"created_at": stamp, "finished_at": stamp, "agent": "a:b", "planned": plans, **manifest}
        write_manifest(folder, Manifest(run_id=run_id, **values))
        words = {"p": "passed", "f": "failed", "e": "errored"}
        with JournalWriter(folder) as journal:
            for name, cases in parts:
                for case_id, trials in cases.items():
                    for number, letter in enumerate(trials):
                        outcome: Any = words[letter]
                        took = latency[case_id] if isinstance(latency, dict) else latency
                        record = Record(
                            suite=name, case_id=case_id, case_hash=(hashes or {}).get(case_id, "h"), trial=number,
                            outcome=outcome, config_hash="c", cost_usd=None if cost is None else Decimal(cost),
                            trajectory=replace(Trajectory.from_answer("ok"), latency_s=took),
                            started_at=1.0, duration_s=took,
                        )  # fmt: skip
                        journal.append(record.to_json())
        return run_id

    def rules(self, text: str, name: str = "release.toml") -> Path:
        path = self.root / "reports" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def __call__(self, *args: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of ``harness ARGS``."""
        self._capsys.readouterr()
        code = main(list(args))
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    for name in [name for name in os.environ if name.startswith("HARNESS_") or name == "GITHUB_STEP_SUMMARY"]:
        monkeypatch.delenv(name)
    made = Desk(tmp_path / "project", capsys)
    monkeypatch.chdir(made.root)
    return made


def in_process_of_its_own(module: str, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """``python -m MODULE ARGS`` with this checkout's harness."""
    ours = ("HARNESS_", "PYTEST_", "GITHUB_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = {**kept, "PYTHONPATH": str(WORKTREE), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-m", module, *args], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def bare_session(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """``pytest ARGS`` with this plugin alone; the other plugins of this environment take half a second to load."""
    alone = ("-p", "harness.plugin.entry", "--disable-plugin-autoload")
    return in_process_of_its_own("pytest", *alone, *args, cwd=cwd)


@pytest.fixture
def session() -> Any:
    return bare_session


@pytest.fixture
def process() -> Any:
    return in_process_of_its_own

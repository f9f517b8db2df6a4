"""A small project of a user's, written into an empty folder and run by a real inner pytest session."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from harness.core.record import Manifest, Record
from harness.results.reader import open_run

ROOT = Path(__file__).resolve().parents[2]
# pytest-asyncio, where it is installed, warns in every project that does not configure it; hypothesis takes a second to
# import at the end of every session.
LEAN = ("-p", "no:deepeval", "-p", "no:asyncio", "-p", "no:hypothesispytest")
QUIET = (*LEAN, "-p", "no:cacheprovider")

# Each call of the agent is a line of calls.txt, and its highest number at once stands in peak-<process>.txt, so that
# tests count what ran at the same time instead of timing it.
COUNTING_AGENT = """
import asyncio, os, pathlib, threading, time

HERE = pathlib.Path(__file__).parent
guard = threading.Lock()
now = peak = 0

def enter(case, trial):
    global now, peak
    with guard:
        now += 1
        if now > peak:
            peak = now
            (HERE / f"peak-{os.getpid()}.txt").write_text(str(peak))
    with open(HERE / "calls.txt", "a") as file:
        file.write(f"{case.id} {trial.index} {trial.seed} {threading.current_thread() is threading.main_thread()}\\n")

def leave():
    global now
    with guard:
        now -= 1

async def answer(case, trial):
    enter(case, trial)
    try:
        await asyncio.sleep(0.05)
    finally:
        leave()
    return str(case.input)

def plain(case, trial):
    enter(case, trial)
    try:
        time.sleep(0.05)
    finally:
        leave()
    return str(case.input)
"""

ECHO_AGENT = """
async def answer(text):
    return str(text)
"""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A finished inner session."""

    code: int
    out: str
    folders: list[Path]
    """Every run of the project when the session ended, oldest first."""

    @property
    def folder(self) -> Path:
        """The newest run."""
        return self.folders[-1]

    @cached_property
    def records(self) -> list[Record]:
        return list(open_run(self.folder).records)

    @property
    def manifest(self) -> Manifest:
        return open_run(self.folder).manifest

    @property
    def scorecard(self) -> dict[str, Any]:
        return json.loads((self.folder / "scorecard.json").read_text())

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcome by case id, for one suite of one trial each; errored ones with their kind."""
        return {record.case_id: told(record) for record in self.records}

    @property
    def tally(self) -> dict[str, int]:
        """pytest's own last line: ``{"passed": 3, "failed": 1}``."""
        lines = [line for line in self.out.splitlines() if re.search(r" in \d+[.:]\d+", line)]
        found = re.findall(r"(\d+) ([a-z]+)", lines[-1].split(" in ")[0]) if lines else []
        return {word.rstrip("s") if word == "errors" else word: int(count) for count, word in found}


def told(record: Record) -> str:
    """``passed``, ``failed``, ``errored(agent)``."""
    return record.outcome if record.outcome != "errored" else f"errored({record.error.kind})"


class Project:
    """What a user would write, in a few calls; :meth:`run` runs it."""

    lean = LEAN
    """Without the plugins that disturb, but with pytest's cache."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.root = pytester.path
        self.settings: dict[str, str] = {"agent": '"bot:answer"'}
        self._write_settings()
        self.agent(ECHO_AGENT)

    def cases(self, rows: int | Sequence[dict[str, Any]], name: str = "demo") -> None:
        """The golden dataset: rows as they are, or N cases ``c000`` whose answer has to contain their own input."""
        if isinstance(rows, int):
            rows = [
                {"id": f"c{i:03d}", "input": f"input {i:03d}", "expected": {"contains": [f"{i:03d}"]}}
                for i in range(rows)
            ]
        folder = self.root / "golden_datasets" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def agent(self, source: str, name: str = "bot.py") -> None:
        (self.root / name).write_text(source)

    def test(self, source: str, name: str = "test_demo.py") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("import pytest\nimport harness\n" + source)

    def rules(self, text: str) -> None:
        folder = self.root / "reports"
        folder.mkdir(exist_ok=True)
        (folder / "release.toml").write_text(text)

    def setting(self, more: str = "", **values: str) -> None:
        """Keys of ``[tool.harness]``, as TOML; ``more`` is appended."""
        self.settings.update(values)
        self._write_settings(more)

    def _write_settings(self, more: str = "") -> None:
        table = "".join(f"{key} = {value}\n" for key, value in self.settings.items())
        ini = 'filterwarnings = ["error"]\n'
        text = f"[tool.pytest.ini_options]\n{ini}[tool.harness]\n{table}{more}"
        (self.root / "pyproject.toml").write_text(text)

    def run(self, *args: str, quiet: Sequence[str] = QUIET) -> Session:
        """In this process: fast, and enough where nobody is killed."""
        result = self.pytester.runpytest_inprocess(*quiet, *args)
        text = "\n".join([*result.outlines, *result.errlines])
        return Session(code=int(result.ret), out=text, folders=self.folders)

    def start(self, *args: str, quiet: Sequence[str] = QUIET, **more: Any) -> subprocess.Popen[str]:
        """In a process of its own that the test may kill."""
        command = [sys.executable, "-m", "pytest", *quiet, *args]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "100"}
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=environ,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **more,
        )

    def finish(self, process: subprocess.Popen[str], timeout_s: float = 60) -> Session:
        try:
            out, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
            pytest.fail(f"the session did not end within {timeout_s:g} s; so far it said:\n{out}")
        return Session(code=process.returncode, out=out, folders=self.folders)

    def run_apart(self, *args: str, **more: Any) -> Session:
        """In a process of its own."""
        return self.finish(self.start(*args, **more))

    @property
    def folders(self) -> list[Path]:
        runs = self.root / "reports" / "runs"
        return sorted(path for path in runs.iterdir() if path.is_dir()) if runs.is_dir() else []

    @property
    def calls(self) -> list[str]:
        """The counting agent's calls, ``case trial seed in-main-thread``, in the order in which they began."""
        path = self.root / "calls.txt"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def called(self) -> Counter[str]:
        """How often the counting agent was called per case."""
        return Counter(line.split()[0] for line in self.calls)

    @property
    def peaks(self) -> list[int]:
        """The most calls at once, one number per process."""
        return [int(path.read_text()) for path in sorted(self.root.glob("peak-*.txt"))]

    def forget_calls(self) -> None:
        for path in [self.root / "calls.txt", *self.root.glob("peak-*.txt")]:
            path.unlink(missing_ok=True)


def wait_until(true: Callable[[], Any], what: str, timeout_s: float = 30) -> Any:
    """Poll for something that another process does."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.01)
    pytest.fail(f"never happened: {what}")


@pytest.fixture
def until() -> Callable[..., Any]:
    return wait_until


@pytest.fixture(scope="session", autouse=True)
def _libraries_stay_loaded() -> None:
    # pytester forgets what an inner session imported, and numpy cannot be imported twice in one process.
    import numpy  # noqa: F401
    import scipy.stats  # noqa: F401

    import harness.gates.judge
    import harness.plugin.judging
    import harness.plugin.protocol
    import harness.reporting
    import harness.runs.gateway  # noqa: F401


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in list(os.environ):
        if name.startswith("HARNESS_") or name in ("GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS", "OPENAI_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    return Project(pytester)


@pytest.fixture
def counting(project: Project) -> Project:
    """A project whose agent notes each of its calls and how many run at once."""
    project.agent(COUNTING_AGENT)
    return project

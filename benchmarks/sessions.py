"""Real pytest sessions of small projects, each in a process and a folder of its own, and what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.phases import FILE

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = """\
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]
pythonpath = ["."]
"""
# Only the harness is loaded besides pytest itself: other packages' plugins are not what is measured.
PLUGINS = ("-p", "harness.plugin.entry")


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One phase of a session."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    """Highest so far."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A finished process."""

    status: int
    wall_s: float
    """From starting the process to its end."""
    cpu_s: float
    """User and system time of all its threads."""
    peak_mb: float
    phases: Mapping[str, Phase]
    output: str

    def phase(self, *names: str) -> Phase:
        """Several phases together."""
        chosen = [self.phases[name] for name in names]
        return Phase(
            wall_s=sum(one.wall_s for one in chosen),
            cpu_s=sum(one.cpu_s for one in chosen),
            peak_mb=max(one.peak_mb for one in chosen),
        )


def write_project(folder: Path, files: Mapping[str, str]) -> Path:
    """A project of ``files`` (by relative path) with a pyproject that the harness and pytest take."""
    for name, text in {"pyproject.toml": PYPROJECT, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def write_cases(folder: Path, count: int, *, name: str = "bench") -> None:
    """``golden_datasets/<name>/cases.jsonl`` with numbered cases."""
    path = folder / "golden_datasets" / name / "cases.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(case_lines(count)), encoding="utf-8")


def case_lines(count: int) -> Iterable[str]:
    """One JSON line per case."""
    return (json.dumps({"id": f"case-{n:05d}", "input": f"question {n}"}) + "\n" for n in range(count))


def environment(**more: str) -> dict[str, str]:
    """This environment with the checkout first on Python's path, and nobody else's pytest plugins."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HARNESS_", "PYTEST_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **more}


def run_process(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout_s: float = 300.0
) -> tuple[int, float, float, float, str]:
    """``(status, wall seconds, CPU seconds, peak MB, output)`` of one process, its children not counted."""
    log = cwd / ".bench-output"
    with log.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=dict(env), stdout=out, stderr=subprocess.STDOUT)
        deadline = began + timeout_s
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.perf_counter() > deadline:
                    raise TimeoutError(f"{' '.join(command)} did not end within {timeout_s:g} s")
                time.sleep(0.002)
        except BaseException:
            process.kill()
            raise
        finally:
            wall = time.perf_counter() - began
            process.returncode = 0  # reaped above
    code = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return code, wall, cpu, usage.ru_maxrss / 1e3, log.read_text(encoding="utf-8", errors="replace")


def run_session(
    folder: Path, *arguments: str, plugins: Sequence[str] = PLUGINS, expect: Sequence[int] = (0,), **more: str
) -> Session:
    """One pytest session.

    :raises RuntimeError: its exit status is none of ``expect``; the message ends with its output.
    """
    phases_file = folder / ".bench-phases.json"
    phases_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *plugins, "-p", "benchmarks.phases", "-q", *arguments]
    env = environment(**{FILE: str(phases_file), **more})
    status, wall, cpu, peak, output = run_process(command, cwd=folder, env=env)
    if status not in expect:
        raise RuntimeError(f"{' '.join(command)} in {folder} ended with {status}:\n{output[-4000:]}")
    rows = json.loads(phases_file.read_text(encoding="utf-8"))
    phases = {}
    for before, after in pairwise(rows):
        phases[after["phase"]] = Phase(
            wall_s=after["wall"] - before["wall"], cpu_s=after["cpu"] - before["cpu"], peak_mb=after["peak_mb"]
        )
    return Session(status=status, wall_s=wall, cpu_s=cpu, peak_mb=peak, phases=phases, output=output)

"""The release gate of this repository, with its committed baseline, on a reference agent that was changed on purpose.

One real session per persona (5 to 20 seconds each), judged by ``reports/release.toml`` against
``reports/baselines/main.json``; each is run once and all that is asked of it is asked here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

RIGHT = {
    "careful": (0, "pass"),
    "gullible": (10, "fail"),
    "hasty": (10, "fail"),
    "verbose": (10, "fail"),
    "forgetful": (10, "fail"),
    "slow": (10, "fail"),
    # Its model breaks in one of six trials: red, and no verdict about the agent.
    "failing": (1, "inconclusive"),
}


BESIDE = {"gullible": "slow"}
"""A slow model mostly waits, so its session starts with an earlier one. Those that must not fail by the latency rule
run alone, and with a window that a busy machine can serve in time."""
NARROW = ("careful", "failing")


class Sessions:
    """Sessions of the suite, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: dict[str, subprocess.Popen[str]] = {}

    def _start(self, persona: str) -> subprocess.Popen[str]:
        out = self.folder / f"{persona}.txt"
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HARNESS_", "PYTEST", "GITHUB"))}
        command = [
            sys.executable,
            *("-m", "pytest", "suites/support_desk", "-q", "-p", "no:cacheprovider"),
            f"--harness-agent=fixtures.support_desk.agent:{persona}",
            f"--harness-runs={self.folder / persona}",
            *(["--harness-concurrency=12"] if persona in NARROW else []),
        ]
        with out.open("w", encoding="utf-8") as file:
            return subprocess.Popen(command, cwd=ROOT, env=clean, stdout=file, stderr=subprocess.STDOUT, text=True)

    def end(self, persona: str) -> tuple[int, str]:
        """Exit code and screen."""
        if other := BESIDE.get(persona):
            self._started[other] = self._start(other)
        process = self._started.pop(persona, None) or self._start(persona)
        try:
            code = process.wait(timeout=300)
        finally:
            process.kill()
        return code, (self.folder / f"{persona}.txt").read_text(encoding="utf-8")

    def close(self) -> None:
        """End what nobody asked for."""
        for process in self._started.values():
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    made = Sessions(tmp_path_factory.mktemp("personas"))
    yield made
    made.close()


@pytest.mark.parametrize("persona", RIGHT)
def test_a_persona_gets_the_verdict_that_it_deserves(sessions: Sessions, persona: str) -> None:
    code, answer = RIGHT[persona]
    ended, screen = sessions.end(persona)
    assert ended == code, screen[-5000:]
    (run,) = (path for path in (sessions.folder / persona).iterdir() if (path / "scorecard.json").exists())
    scorecard = json.loads((run / "scorecard.json").read_text(encoding="utf-8"))
    assert scorecard["answer"] == answer
    verdicts = {verdict["rule"]: verdict for verdict in scorecard["verdicts"]}
    assert verdicts["no worse than baseline"]["answer"] == answer
    assert "over 135 cases" in verdicts["no worse than baseline"]["reason"]

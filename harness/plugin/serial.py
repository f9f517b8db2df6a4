"""The serial phase: budgeted tests, and those marked ``harness_serial``, run at the end, alone and one by one.

In one process they are moved behind all other items. Under pytest-xdist the workers leave them out, and when all
workers have ended the controller runs them in one pytest of their own, on the idle machine; its reports are played back
into this session, so that the screen, ``--lf`` and JUnit see one session. See docs/decisions/0008.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MARKS = ("budget", "harness_serial")
"""Marks of tests that measure."""
VARIABLE = "HARNESS_SERIAL_PHASE"
"""How the controller tells its serial pytest what it is for; taken out of the environment at once."""
IDS: pytest.StashKey[list[str]] = pytest.StashKey()
"""On the controller: what the workers left out."""
FOLDER: pytest.StashKey[Path] = pytest.StashKey()
"""On the controller: the run folder that the serial phase wrote into."""
ORDER: pytest.StashKey[Order] = pytest.StashKey()
"""In the serial pytest: what it was started for."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the controller asks of its serial pytest."""

    ids: tuple[str, ...]
    folder: str
    """The run of the workers; empty: they had none, so make one."""
    pipe: int
    """File descriptor for the reports."""

    def tell(self, message: dict[str, Any]) -> None:
        """One line to the controller."""
        with os.fdopen(os.dup(self.pipe), "w", encoding="utf-8") as file:
            file.write(json.dumps(message) + "\n")


def is_measuring(item: pytest.Item) -> bool:
    """Whether a test carries one of the marks."""
    return any(item.get_closest_marker(name) is not None for name in MARKS)


def take_order(config: pytest.Config) -> None:
    """In the serial pytest: read the order, and hide it and the pipe from everything that is started from here."""
    given = json.loads(os.environ.pop(VARIABLE))
    os.set_inheritable(given["pipe"], False)
    order = config.stash[ORDER] = Order(ids=tuple(given["ids"]), folder=given["folder"], pipe=given["pipe"])
    config.pluginmanager.register(_Teller(config, order), "harness-serial-phase")


def arrange(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the measuring items where they belong; called when collection and selection are done."""
    order = config.stash.get(ORDER, None)
    if order is not None:
        wanted = set(order.ids)
        items[:] = [item for item in items if item.nodeid in wanted]
        return
    measuring = [item for item in items if is_measuring(item)]
    others = [item for item in items if not is_measuring(item)]
    if hasattr(config, "workerinput"):
        config.workeroutput["harness_serial"] = [item.nodeid for item in measuring]  # type: ignore[attr-defined]
        items[:] = others
    else:
        items[:] = [*others, *measuring]


class _Teller:
    """In the serial pytest: every report goes to the controller."""

    def __init__(self, config: pytest.Config, order: Order) -> None:
        self.config, self.order = config, order

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        self.order.tell({"start": nodeid, "location": list(location)})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        self.order.tell({"report": data})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        # What failed to be collected has been reported by the workers already; here it only explains an early end.
        if report.failed:
            self.order.tell({"trouble": f"{report.nodeid} could not be collected"})


def run_apart(session: pytest.Session, ids: list[str], folder: Path | None) -> None:
    """On the controller, after the last worker: run what they left out, and play its reports back."""
    config = session.config
    session.testscollected += len(ids)
    reading, writing = os.pipe()
    order = {"ids": ids, "folder": str(folder or ""), "pipe": writing}
    # The same arguments select and configure the same way; the last -n and --dist win.
    args = [*(str(arg) for arg in config.invocation_params.args), "-n0", "--dist=no"]
    start = (
        "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); import pytest; sys.exit(pytest.console_main())"
    )
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", start, json.dumps(sys.path), *args],
            cwd=config.invocation_params.dir,
            env={**os.environ, VARIABLE: json.dumps(order)},
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        os.close(writing)
        try:
            left = _play_back(config, reading, dict.fromkeys(ids))
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if left or code not in (0, 1):
            said.seek(0)
            tail = said.read()[-4000:].decode("utf-8", "replace")
            _report_lost(config, list(left) or ["the serial phase"], code, tail)


def _play_back(config: pytest.Config, pipe: int, left: dict[str, None]) -> dict[str, None]:
    """Every message of the serial pytest as it comes; what never ended is left."""
    location: Any = None
    with os.fdopen(pipe, encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if "start" in message:
                location = tuple(message["location"])
                config.hook.pytest_runtest_logstart(nodeid=message["start"], location=location)
            elif "report" in message:
                report = config.hook.pytest_report_from_serializable(config=config, data=message["report"])
                config.hook.pytest_runtest_logreport(report=report)
                if report.when == "teardown":
                    left.pop(report.nodeid, None)
                    config.hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=location)
            elif "folder" in message:
                config.stash[FOLDER] = Path(message["folder"])
    return left


def _report_lost(config: pytest.Config, ids: list[str], code: int, tail: str) -> None:
    from harness.plugin.workers import CRASHES

    config.stash.setdefault(CRASHES, []).append(f"serial phase: exit code {code}")
    why = f"the serial phase ended with exit code {code} before this test did; it said:\n{tail}"
    for nodeid in ids:
        report = pytest.TestReport(
            nodeid=nodeid, location=(nodeid, None, nodeid), keywords={}, outcome="failed", longrepr=why, when="call"
        )
        config.hook.pytest_runtest_logreport(report=report)

"""The scorecard of a large run: how long it takes to write, how large it gets, how long a browser takes to open it.

Asked for: 10,000 cases of 10 kB written in less than 10 s and opened in headless Chromium in less than 2 s. Needs a
checkout (it borrows the builders of the tests), Playwright, and ``chromium`` on the path for the second figure.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.sessions import environment, run_process
from harness.core.record import PlannedSuite, Record
from harness.core.trajectory import ModelCall, Trajectory
from harness.core.usage import Usage
from harness.reporting import write_reports
from tests.reporting.builders import DESK, Streamed, make_run, make_scorecard, record, sample_verdicts

CASES = 10_000
SIZE = 10_000


def a_record(number: int, size: int) -> Record:
    """Chat of invented words: compresses about as well as real chat (a third), unlike a repeated sentence."""
    chance = random.Random(number)
    words = _WORDS
    messages = [{"role": "system", "content": "Be brief."}]
    for turn in range(8):
        text = " ".join(chance.choices(words, k=size // 56))
        messages.append({"role": "assistant" if turn % 2 else "user", "content": text})
    call = ModelCall(
        model="desk-1",
        usage=Usage(input_tokens=900, output_tokens=200),
        cost_usd=Decimal("0.001"),
        latency_s=chance.uniform(0.2, 2),
    )
    trajectory = Trajectory(messages=tuple(messages), model_calls=(call,) * 4, latency_s=chance.uniform(1, 8))
    return record(
        f"case-{number:05d}", suite=DESK, outcome="failed" if number % 50 == 0 else "passed", trajectory=trajectory
    )


_letters = random.Random(1)
_WORDS = ["".join(_letters.choices("abcdefghijklmnopqrstuvwxyz", k=_letters.randint(2, 10))) for _ in range(4000)]


def open_seconds(page: Path) -> tuple[float, float, float] | None:
    """Seconds until the verdict is painted, until the case list is there, until everything is loaded."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        tab.goto("about:blank")
        start = time.perf_counter()
        tab.goto(page.as_uri(), wait_until="commit")
        tab.wait_for_selector("h1")
        verdict = time.perf_counter() - start
        tab.wait_for_selector(".case")
        cases = time.perf_counter() - start
        tab.wait_for_load_state("load")
        loaded = time.perf_counter() - start
        browser.close()
    return verdict, cases, loaded


@dataclass(frozen=True, kw_only=True)
class Written:
    """One scorecard, written and opened."""

    wall_s: float
    cpu_s: float
    records_s: float
    """Of ``wall_s``: making the records, which a real run reads from its journal instead."""
    page_mb: float
    peak_mb: float
    opened_s: tuple[float, float, float] | None
    """See :func:`open_seconds`."""


def measure(cases: int, size: int) -> Written:
    """Write the reports of ``cases`` cases with trajectories of ``size`` bytes, and open the page."""
    run = make_run(
        Streamed(cases, lambda number: a_record(number, size)), planned=(PlannedSuite(suite=DESK, cases=cases),)
    )
    scorecard = make_scorecard(run)
    start = time.perf_counter()
    for _ in run.records:
        pass
    walking = time.perf_counter() - start
    folder = Path(tempfile.mkdtemp())
    try:
        start, cpu = time.perf_counter(), time.process_time()
        reports = write_reports(folder, run=run, scorecard=scorecard, verdicts=sample_verdicts(), answer="fail")
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        return Written(
            wall_s=wall,
            cpu_s=cpu,
            records_s=walking,
            page_mb=os.path.getsize(reports.html) / 1e6,
            peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
            opened_s=open_seconds(reports.html),
        )
    finally:
        shutil.rmtree(folder)


def run(scale: float = 1.0) -> Result:
    cases, size = max(10, int(CASES * scale)), SIZE
    # In a process of its own, so that peak memory is of this alone.
    command = [sys.executable, "-m", "benchmarks.report_size", str(cases), str(size)]
    with tempfile.TemporaryDirectory() as made:
        status, _, _, _, output = run_process(command, cwd=Path(made), env=environment())
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}:\n{output[-2000:]}")
    found = json.loads(output.strip().splitlines()[-1])
    opened = found["opened_s"] or (None, None, None)
    missing = "" if found["opened_s"] else "no chromium on the path"
    return Result(
        name="report_size",
        title=f"The scorecard of {CASES:,} cases",
        method=(
            f"All reports (HTML, JSON, Markdown, JUnit) of an invented run of {CASES:,} cases with trajectories of "
            f"{SIZE / 1e3:.0f} kB, written by one process; the page is then opened from disk in headless Chromium."
        ),
        figures=(
            Figure(what="written in", value=found["wall_s"], unit="s", at_most=10.0),
            Figure(what="CPU of writing", value=found["cpu_s"], unit="s"),
            Figure(what="of which inventing the records", value=found["records_s"], unit="s"),
            Figure(what="opened, to the verdict", value=opened[0], unit="s", at_most=2.0, note=missing),
            Figure(what="opened, to the list of cases", value=opened[1], unit="s", at_most=2.0, note=missing),
            Figure(what="opened, loaded", value=opened[2], unit="s", note=missing),
            Figure(what="size of the page", value=found["page_mb"], unit="MB"),
            Figure(what="peak memory of writing", value=found["peak_mb"], unit="MB"),
        ),
        scale=scale,
    )


if __name__ == "__main__":
    print(json.dumps(vars(measure(*(int(text) for text in sys.argv[1:3])))))

"""The scorecard of a large run: how long it takes to write, how large it gets, how long a browser takes to open it.

    python -m benchmarks.report_size [cases] [bytes per trajectory]

Asked for: 10,000 cases of 10 kB written in less than 10 s and opened in headless Chromium in less than 2 s. Needs a
checkout (it borrows the builders of the tests), Playwright, and ``chromium`` on the path for the second figure.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from harness.core.record import PlannedSuite, Record
from harness.core.trajectory import ModelCall, Trajectory
from harness.core.usage import Usage
from harness.reporting import write_reports
from tests.reporting.builders import DESK, Streamed, make_run, make_scorecard, record, sample_verdicts


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


def main() -> None:
    cases, size = (int(text) for text in (*sys.argv[1:], "10000", "10000")[:2])
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
        print(f"{cases:,} cases of {size:,} bytes")
        print(f"written in     {wall:6.2f} s ({cpu:.2f} s of CPU, of which making the records {walking:.2f} s)")
        print(f"page           {os.path.getsize(reports.html) / 1e6:6.1f} MB")
        print(f"peak memory    {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:6.0f} MB")
        opened = open_seconds(reports.html)
        if opened is None:
            print("opened in      not measured: no chromium on the path")
        else:
            print("opened in      {:6.2f} s to the verdict, {:.2f} s to the cases, {:.2f} s loaded".format(*opened))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

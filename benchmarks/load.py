"""How exact and how cheap the load generator is, against a mock whose true send times are logged."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Result
from benchmarks.machine import cores
from benchmarks.sessions import ROOT, environment
from harness.runs.load.calibrate import Calibration, compare
from harness.runs.load.mock import read_log
from harness.runs.load.running import Plan, run_load
from harness.runs.load.schedule import Arrivals
from harness.runs.load.serving import MockServer
from harness.stats.batches import series_mean, series_quantile

STREAMS = (1, 10, 50, 200)
SECONDS = 4.0
QUEUES = 200


def measured(
    folder: Path, streams: int, *, gap: float = 0.02, tokens: int = 100, seconds: float = SECONDS
) -> Calibration:
    folder.mkdir(parents=True)
    with MockServer(ttft=0.05, gap=gap, tokens=tokens, log=folder / "log") as mock:
        run = run_load(Plan(url=mock.url, streams=streams, duration_s=seconds), folder / "run")
    return compare(run, mock, streams, gap)


def hog() -> None:
    while True:
        pass


def errors_of(requests: list[Any], told: dict[int, Any]) -> list[float]:
    """Errors of first tokens in seconds, of another client's stamps."""
    return [abs(stamps[0] - told[number].sent[0]) / 1e9 for number, stamps in requests if stamps and number in told]


def aiohttp_path(folder: Path, streams: int) -> dict[str, float]:
    folder.mkdir(parents=True)
    out = folder / "out.json"
    with MockServer(ttft=0.05, gap=0.02, tokens=100, log=folder / "log") as mock:
        command = [sys.executable, "-m", "benchmarks.load_clients", mock.url, str(streams), str(SECONDS), str(out)]
        subprocess.run(command, check=True, cwd=ROOT, env=environment(), timeout=120)
    said = json.loads(out.read_text())
    tokens = sum(len(stamps) for _, stamps in said["requests"])
    errors = sorted(errors_of(said["requests"], {one.number: one for one in read_log(folder / "log")}))
    return {
        "cpu_per_1000": said["cpu_s"] / tokens * 1000, "p50": statistics.median(errors),
        "p99": errors[int(0.99 * len(errors))],
    }  # fmt: skip


def guidellm(folder: Path, streams: int, seconds: int) -> dict[str, float] | None:
    """guidellm, the program that HARNESS_BENCH_GUIDELLM names; None where there is none, or it needs a download."""
    program = os.environ.get("HARNESS_BENCH_GUIDELLM") or shutil.which("guidellm")
    if not program:
        return None
    folder.mkdir(parents=True)
    prompts = folder / "prompts.txt"
    prompts.write_text("\n".join(f"prompt {n}: say something" for n in range(3000)))
    before = os.times()
    with MockServer(ttft=0.05, gap=0.02, tokens=100, log=folder / "log") as mock:
        at = mock.url.removesuffix("/v1")
        command = [
            program, "run", "--backend", f"kind=openai_http,target={at},model=mock,validate_backend=false", "--profile",
            f"kind=concurrent,streams={streams}", "--constraint", f"kind=max_duration,seconds={seconds}", "--data",
            f"kind=text_file,path={prompts}", "--output", f"kind=json,path={folder / 'out.json'}", "--disable-console",
        ]  # fmt: skip
        environ = {**os.environ, "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=150)
        mock.process.stdin.close()  # type: ignore[union-attr]
        usage = os.wait4(mock.process.pid, 0)[2]
    after = os.times()
    if done.returncode or not (folder / "out.json").exists():
        sys.stderr.write(f"guidellm: {(done.stdout + done.stderr)[-600:]}\n")
        return None
    log = [one for one in read_log(folder / "log") if len(one.sent)]
    told = sorted((one.sent[0] - one.received) / 1e9 for one in log)
    ttft = json.loads((folder / "out.json").read_text())["benchmarks"][0]["metrics"]["time_to_first_token_ms"][
        "successful"
    ]
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "cpu": cpu - usage.ru_utime - usage.ru_stime, "tokens": float(sum(len(one.sent) for one in log)),
        "p50": abs(ttft["percentiles"]["p50"] / 1e3 - statistics.median(told)),
        "p99": abs(ttft["percentiles"]["p99"] / 1e3 - told[int(0.99 * len(told))]),
    }  # fmt: skip


def first_request_s(folder: Path) -> float:
    """From typing the command to the first request at the mock."""
    folder.mkdir(parents=True)
    with MockServer(ttft=0.001, gap=0.001, tokens=2, log=folder / "log") as mock:
        began = time.monotonic_ns()
        subprocess.run(
            [sys.executable, "-m", "harness.cli", "load", mock.url, "--requests", "1", "--duration", "1", "--out",
             str(folder / "run"), "--json"], cwd=ROOT, env=environment(), check=True, capture_output=True, timeout=60,
        )  # fmt: skip
    return (next(read_log(folder / "log")).received - began) / 1e9


def frozen(folder: Path) -> tuple[float, float]:
    """p99 of ttft from due in a run at 50/s whose server freezes for 1 s, measured and worked out."""
    folder.mkdir(parents=True)
    with MockServer(ttft=0.02, gap=0.001, tokens=2, freeze_at=5.0, freeze=1.0, log=folder / "log") as mock:
        plan = Plan(url=mock.url, arrivals=Arrivals(kind="constant", rate=50), duration_s=12.0)
        run = run_load(plan, folder / "run")
    found = sorted(one.ttft_s for one in run.requests if one.ttft_s is not None)
    # Due at 0.00, 0.02, ...: who is due x seconds into the frozen second waits 1 - x, and then 20 ms of work.
    truth = sorted([*(1.02 - index / 50 for index in range(50)), *[0.02] * (len(found) - 50)])
    rank = int(0.99 * len(found))
    return found[rank], truth[rank]


def held_by_intervals(count: int) -> tuple[float, float, float]:
    """Share of 95 % intervals that hold the truth in M/M/1 queues: of the mean, of the p95, and naive ones."""
    import math

    import numpy as np

    random = np.random.default_rng(11)
    mean = p95 = naive = 0
    for _ in range(count):
        load, n = random.uniform(0.5, 0.8), 2000
        service, between = random.exponential(1, n), random.exponential(1 / load, n)
        times, wait = np.empty(n), 0.0
        for index in range(n):
            wait = max(0.0, wait - between[index]) + service[index]
            times[index] = wait
        one, two = series_mean(times, positive=True), series_quantile(times, 0.95)
        truth = 1 / (1 - load)
        mean += one.low is not None and one.high is not None and one.low <= truth <= one.high
        p95 += two.low is not None and two.high is not None and two.low <= truth * math.log(20) <= two.high
        half = 1.96 * times.std() / math.sqrt(n)
        naive += bool(abs(times.mean() - truth) <= half)
    return mean / count, p95 / count, naive / count


def run(scale: float = 1.0) -> Result:
    figures: list[Figure] = []
    left_out: list[str] = []
    facts: dict[str, str] = {}
    seconds = max(1.0, SECONDS * scale)

    def row(what: str, value: float | None, unit: str, **more: Any) -> None:
        figures.append(Figure(what=what, value=value, unit=unit, **more))

    with tempfile.TemporaryDirectory() as made:
        base = Path(made)
        for streams in STREAMS:
            found = measured(base / f"s{streams}", streams, seconds=seconds)
            note = "client-limited" if found.audit.client_limited else ""
            for what, value, limit in (
                ("ttft error p50", found.ttft_p50_s, 0.2), ("ttft error p99", found.ttft_p99_s, 1.5),
                ("gap error p50", found.gap_p50_s, 0.02), ("gap error p99", found.gap_p99_s, 0.3),
            ):  # fmt: skip
                row(f"{what}, {streams} streams", value * 1e3, "ms", at_most=limit, note=note)
        own = found.cpu_per_1000_s
        slim = aiohttp_path(base / "aiohttp", 200)
        row("CPU per 1,000 tokens, 200 streams", own, "s", at_most=0.025)
        row("CPU, beside the aiohttp path in the shape of vLLM's bench client", own / slim["cpu_per_1000"], "x",
            at_most=0.5, versus=f"it takes {slim['cpu_per_1000']:.3f} s")  # fmt: skip
        facts["Its ttft error at 200 streams"] = f"p50 {slim['p50'] * 1e3:.2f} ms, p99 {slim['p99'] * 1e3:.2f} ms"
        many_streams = guidellm(base / "guidellm", 200, int(SECONDS))
        few_streams = guidellm(base / "guidellm1", 1, 1) if many_streams else None
        if many_streams is None or few_streams is None:
            left_out.append("guidellm: not here, or it does not run without a download")
        else:
            # What it costs to start is taken off: it would be most of so short a run.
            theirs = (
                (many_streams["cpu"] - few_streams["cpu"]) / (many_streams["tokens"] - few_streams["tokens"]) * 1000
            )
            row("CPU, beside guidellm (its start taken off)", own / theirs, "x", at_most=0.125,
                versus=f"it takes {theirs:.3f} s")  # fmt: skip
            facts["guidellm's ttft error at 200 streams"] = (
                f"of its p50 {many_streams['p50'] * 1e3:.1f} ms, of its p99 {many_streams['p99'] * 1e3:.1f} ms"
            )
        hogs = [multiprocessing.Process(target=hog, daemon=True) for _ in range(cores())]
        for process in hogs:
            process.start()
        try:
            busy = measured(base / "hogs", 50, seconds=seconds)
        finally:
            for process in hogs:
                process.kill()
                process.join()
        said = "client-limited, and says so" if busy.audit.client_limited else ""
        row("ttft error p50, a hog on each core, 50 streams", busy.ttft_p50_s * 1e3, "ms", at_most=0.3)
        row("ttft error p99, a hog on each core, 50 streams", busy.ttft_p99_s * 1e3, "ms",
            at_most=None if said else 5.0, note=said)  # fmt: skip
        many = measured(base / "many", 800, gap=0.01, tokens=200, seconds=seconds)
        said = "client-limited, and says so" if many.audit.client_limited else ""
        row("ttft error p99, 800 streams of 100 tokens/s, one process", many.ttft_p99_s * 1e3, "ms",
            at_most=None if said else 1.0, note=said)  # fmt: skip
        facts["Tokens per second of that run"] = f"{many.tokens_per_s:,.0f}"
        firsts = [first_request_s(base / f"first{index}") for index in range(3)]
        row("start to first request", statistics.median(firsts), "s", at_most=0.5)
        found_s, true_s = frozen(base / "frozen")
        row("server frozen for 1 s at 50/s: ttft p99 from due, off by", abs(found_s / true_s - 1) * 100, "percent",
            at_most=5.0, note=f"{found_s:.3f} s measured, {true_s:.3f} s worked out")  # fmt: skip
        due = Arrivals(kind="constant", rate=100).due(10)
        gaps = [after - before for before, after in pairwise(due)]
        row("CV of constant arrivals at 100/s", statistics.stdev(gaps) / statistics.fmean(gaps), "", at_most=0.05)
        from scipy.stats import kstest

        values = []
        for seed in range(5):
            due = Arrivals(rate=100, seed=seed).due(20)
            gaps = [after - before for before, after in pairwise(due)]
            values.append(float(kstest(gaps, "expon", args=(0, 0.01)).pvalue))
        row("Poisson arrivals: smallest Kolmogorov-Smirnov p of 5 seeds", min(values), "", at_least=0.01)
    mean, p95, naive = held_by_intervals(max(20, int(QUEUES * scale)))
    row("95 % intervals of the mean that hold the truth, 200 queues at 50 to 80 % load", mean, "", at_least=0.85)
    row("the same of the p95", p95, "", at_least=0.85)
    row("the same of the mean, values taken as independent", naive, "")
    return Result(
        name="load",
        title="How exact and how cheap the load generator is",
        method=(
            "A mock server in a process of its own logs when it gave each token to the system; errors are absolute "
            "differences between the client's stamps and this log, on one clock. Streams of 50 tokens/s (100 tokens, "
            "50 ms to the first), closed loop, 4 s. Client, mock and the process that reads the results share the "
            "machine. The other clients ask the same mock in the same run."
        ),
        figures=tuple(figures),
        not_compared=tuple(left_out),
        facts=facts,
        scale=scale,
    )

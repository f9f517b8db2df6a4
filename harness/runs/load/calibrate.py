"""Calibration: this machine's own error, against a mock that says when it really sent every token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.runs.load.audit import Audit
from harness.runs.load.running import SETUP, LoadRun, Plan, run_load
from harness.runs.load.serving import MockServer

STREAMS = (1, 10, 50, 200)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The error at one number of streams. Times are seconds; errors are absolute differences from the truth."""

    streams: int
    requests: int
    tokens: int
    ttft_p50_s: float
    ttft_p99_s: float
    gap_p50_s: float
    gap_p99_s: float
    cpu_per_1000_s: float
    """Processor seconds of the client's workers per 1,000 tokens."""
    mock_late_s: float
    """How late the mock itself was, 99 of 100 times: above a millisecond, this machine is too busy for both."""
    tokens_per_s: float
    audit: Audit


def calibrate(
    folder: Path, *, streams: Sequence[int] = STREAMS, gap_s: float = 0.02, tokens: int = 100, duration_s: float = 4.0,
    processes: int = 1,
) -> list[Calibration]:  # fmt: skip
    """Run each number of streams against a fresh mock and compare with its log."""
    made = []
    for count in streams:
        part = folder / f"streams-{count}"
        part.mkdir(parents=True, exist_ok=True)
        with MockServer(ttft=0.05, gap=gap_s, tokens=tokens, log=part / "mock.log") as mock:
            plan = Plan(url=mock.url, streams=count, duration_s=duration_s, processes=processes)
            run = run_load(plan, part)
        made.append(compare(run, mock, count, gap_s))
    return made


def compare(run: LoadRun, mock: MockServer, streams: int, gap_s: float = 0.0) -> Calibration:
    """The errors of a run, from the mock's log.

    :raises ValueError: no good request, or a count that is not the mock's.
    """
    import numpy as np

    told = mock.told()
    start = json.loads((run.folder / SETUP).read_text("utf-8"))["start_ns"]
    first, gaps, late = [], [], []
    for one in run.requests:
        truth = told.get(one.number)
        if not one.ok or truth is None or one.ttft_s is None:
            continue
        sent = np.frombuffer(truth.sent, dtype=np.int64)
        first.append(abs(one.due_s + one.ttft_s - (int(sent[0]) - start) / 1e9))
        if len(one.gaps) != len(sent) - 1:
            raise ValueError(f"request {one.number}: {len(one.gaps) + 1} token events, and the mock sent {len(sent)}")
        true = np.diff(sent) / 1e9
        gaps.append(np.abs(np.frombuffer(one.gaps) - true))
        late.append(true - gap_s)
    if not first:
        raise ValueError("no request ended well")
    pooled = np.concatenate(gaps)
    count = sum(one.tokens or 0 for one in run.requests)
    return Calibration(
        streams=streams,
        requests=len(run.requests),
        tokens=count,
        ttft_p50_s=float(np.quantile(first, 0.5)),
        ttft_p99_s=float(np.quantile(first, 0.99)),
        gap_p50_s=float(np.quantile(pooled, 0.5)),
        gap_p99_s=float(np.quantile(pooled, 0.99)),
        cpu_per_1000_s=run.audit.cpu_s / count * 1000,
        mock_late_s=float(np.quantile(np.concatenate(late), 0.99)),
        tokens_per_s=count / run.wall_s,
        audit=run.audit,
    )

"""One load run: start the workers, let them begin at the same instant, read what they spool, keep a line per request.

The parent never stands in the way of a measurement: workers write to files, and a thread of low priority reads them.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import selectors
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, UsageError
from harness.runs.load.audit import Audit, audit_of
from harness.runs.load.endpoint import Asking, Endpoint, render
from harness.runs.load.measured import FORMAT, Measured, measured
from harness.runs.load.schedule import Arrivals, slices, stream_starts
from harness.runs.load.spool import SpoolReader

LEAD_NS = 20_000_000
MOST_PROCESSES = 64
MOST_STREAMS = 100_000
REQUESTS, SETUP = "requests.jsonl", "load.json"
START = "import sys; sys.path.insert(0, sys.argv[1]); from harness.runs.load.worker import main; main()"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is sent where, and when."""

    url: str
    asking: Asking = field(default_factory=Asking)
    kind: str = ""
    """``chat`` or ``completions``; empty: as the URL says."""
    arrivals: Arrivals | None = None
    """Open loop; None: closed loop."""
    streams: int = 1
    """Of the closed loop: each sends its next request when the last one has ended."""
    spread_s: float = 1.0
    """Seconds over which the streams of a closed loop begin."""
    duration_s: float = 30.0
    """Requests are sent for so long; those that are open then may end."""
    requests: int | None = None
    """At most so many."""
    timeout_s: float = 60.0
    processes: int = 1
    insecure: bool = False
    """Whether a certificate is not checked."""
    client_limit_s: float | None = None
    """What the client's own error may be; see :mod:`harness.runs.load.audit`."""

    def __post_init__(self) -> None:
        for name in ("duration_s", "timeout_s"):
            if not 0 < getattr(self, name) < 1e7:
                raise UsageError(f"{name} must be a number of seconds above 0, got {getattr(self, name)!r}")
        for name, most in (("streams", MOST_STREAMS), ("processes", MOST_PROCESSES), ("requests", 10_000_000)):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= most:
                raise UsageError(f"{name} must be a whole number from 1 to {most:,}, got {value!r}")

    @property
    def offered(self) -> str:
        """The load in words."""
        if self.arrivals is None:
            return f"closed loop, {self.streams} stream{'s' * (self.streams > 1)}"
        kind, rate = self.arrivals.kind, f"{self.arrivals.rate:g}/s"
        if kind == "ramp":
            rate = f"{self.arrivals.rate:g}/s to {self.arrivals.rate_to:g}/s"
        more = f", CV {self.arrivals.cv:g}" if kind == "gamma" else ""
        return (
            f"open loop, trace of {len(self.arrivals.trace)}" if kind == "trace" else f"open loop, {kind} {rate}{more}"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain mapping; prompts and headers are left out."""
        made: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("url", "kind", "streams", "spread_s", "duration_s", "requests", "timeout_s", "processes")
        }
        made["model"], made["max_tokens"] = self.asking.model, self.asking.max_tokens
        if self.arrivals is not None:
            made["arrivals"] = {**vars(self.arrivals), "trace": len(self.arrivals.trace)}
        return {**made, "offered": self.offered}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What is known while a run goes on."""

    elapsed_s: float
    duration_s: float
    started: int
    ended: int
    failed: int
    in_flight: int
    tokens: int
    recent_ttft_s: tuple[float, ...]
    """Of the last requests that ended."""


@dataclass(frozen=True, kw_only=True)
class LoadRun:
    """A run that has ended."""

    plan: Plan
    requests: tuple[Measured, ...]
    """By number."""
    audit: Audit
    began_at: float
    """Seconds since the epoch."""
    wall_s: float
    stopped: bool
    """Whether it was cut off (Ctrl-C)."""
    folder: Path


class Collector:
    """Reads spools into measured requests, and keeps one line per request."""

    def __init__(self, folder: Path, prefixes: list[str]) -> None:
        self.readers = [SpoolReader(prefix) for prefix in prefixes]
        self.file = (folder / REQUESTS).open("a", encoding="utf-8")
        self.start = 0
        self.requests: list[Measured] = []
        self.lags, self.late = array("d"), array("d")
        self.reads = self.unstamped = self.failed = self.tokens = 0

    def read(self) -> int:
        """Take what is there; returns how many requests that was."""
        count = 0
        for reader in self.readers:
            lines = []
            for raw in reader.read():
                one = measured(raw, self.start)
                self.requests.append(one)
                self.lags.extend([lag / 1e9 for lag in raw.lags if lag >= 0])
                if one.sent_s is not None:
                    self.late.append(one.late_s)
                self.reads += one.reads
                self.unstamped += one.unstamped
                self.failed += not one.ok
                self.tokens += one.tokens or 0
                lines.append(json.dumps(one.to_json(), ensure_ascii=False, separators=(",", ":")) + "\n")
            if lines:
                self.file.write("".join(lines))
                self.file.flush()
                count += len(lines)
        return count


def run_load(
    plan: Plan, folder: Path, *, on_progress: Callable[[Progress], None] | None = None, every_s: float = 0.25
) -> LoadRun:
    """Send, wait, read. Ctrl-C ends the run early and keeps what has ended.

    :param folder: made; gets ``load.json`` and ``requests.jsonl``.
    :raises UsageError: the plan cannot be: no host, no request due.
    :raises HarnessError: nothing listens at the address, or a worker broke.
    """
    endpoint = Endpoint.of(plan.url, kind=plan.kind)
    jobs = _jobs(plan, endpoint, folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REQUESTS).unlink(missing_ok=True)
    workers = [_Worker(job) for job in jobs]
    collector = Collector(folder, [job["spool"] for job in jobs])
    stop = threading.Event()
    reading: threading.Thread | None = None
    try:
        ready = [worker.wait_ready() for worker in workers]
        if not any(count for count, _ in ready):
            why = next((note for _, note in ready if note), "no connection within ten seconds")
            raise HarnessError(f"nothing answers at {plan.url}: {why}. Is the server running, and is the port right?")
        start = time.monotonic_ns() + LEAD_NS
        began_at = time.time() + LEAD_NS / 1e9
        collector.start = start
        setup = {"format": FORMAT, "start_ns": start, "began_at": began_at, "plan": plan.to_json(), "finished": False}
        _write(folder / SETUP, setup)
        for worker in workers:
            worker.begin(start)
        reading = threading.Thread(target=_read_on, args=(collector, stop), name="load-reader", daemon=True)
        reading.start()
        stopped = _wait(workers, collector, plan, start, on_progress, every_s)
    finally:
        stop.set()
        for worker in workers:
            worker.close()
        if reading is not None:
            reading.join()
            while collector.read():
                pass
        collector.file.close()
    for job in jobs:
        for path in folder.glob(Path(job["spool"]).name + ".*"):
            path.unlink(missing_ok=True)
    broken = [worker for worker in workers if worker.end is None]
    if broken:
        raise HarnessError(f"a worker of the load run broke: {broken[0].complaint()}")
    ends = [worker.end for worker in workers if worker.end is not None]
    requests = tuple(sorted(collector.requests, key=lambda one: one.number))
    found = sorted(one.ttft_s for one in requests if one.ok and one.ttft_s is not None)
    audit = audit_of(
        ends, collector.late, collector.lags, reads=collector.reads, unstamped=collector.unstamped,
        events=sum(one.token_events for one in requests), coalesced=sum(one.coalesced for one in requests),
        ttft_s=(found[len(found) // 2], found[len(found) * 19 // 20]) if found else (None, None),
        limit_s=plan.client_limit_s,
    )  # fmt: skip
    wall = max(end["over"] for end in ends) - start
    run = LoadRun(
        plan=plan, requests=requests, audit=audit, began_at=began_at, wall_s=wall / 1e9,
        stopped=stopped or any(end["stopped"] for end in ends), folder=folder,
    )  # fmt: skip
    _write(folder / SETUP, {**setup, "finished": not run.stopped, "wall_s": run.wall_s, "audit": audit.to_json()})
    return run


def rescued(folder: Path) -> tuple[dict[str, Any], tuple[Measured, ...]]:
    """What a run kept, also one that was killed: its setup and every request that had ended.

    :raises UsageError: there is no load run in the folder.
    """
    try:
        setup = json.loads((folder / SETUP).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder} holds no load run ({SETUP}: {error})") from None
    found: dict[int, Measured] = {}
    path = folder / REQUESTS
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError, KeyError, TypeError):  # a last line that the kill cut
            one = Measured.from_json(json.loads(line))
            found[one.number] = one
    for spool in sorted(folder.glob("spool-*.*")):
        prefix, _, index = str(spool).rpartition(".")
        reader = SpoolReader(prefix, delete=False)
        reader._index = int(index)
        for raw in reader.read(most=1 << 30):
            if raw.number not in found:
                found[raw.number] = measured(raw, setup["start_ns"])
    return setup, tuple(found[number] for number in sorted(found))


def _read_on(collector: Collector, stop: threading.Event) -> None:
    with contextlib.suppress(OSError, AttributeError):  # only this thread, and only where the system has such a thing
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
    while not stop.is_set():
        if not collector.read():
            stop.wait(0.05)


def _wait(
    workers: list[_Worker], collector: Collector, plan: Plan, start: int,
    on_progress: Callable[[Progress], None] | None, every_s: float,
) -> bool:  # fmt: skip
    """Until all workers have ended; whether somebody interrupted it."""
    interrupted = False
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.process.stdout, selectors.EVENT_READ, worker)  # type: ignore[arg-type]
        shown = 0.0
        while selector.get_map():
            try:
                for key, _ in selector.select(every_s):
                    if not key.data.hear():
                        selector.unregister(key.fileobj)
                now = time.monotonic()
                if on_progress is not None and now - shown >= every_s:
                    shown = now
                    on_progress(_progress(workers, collector, plan, start))
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                for worker in workers:
                    worker.stop()
    return interrupted


def _progress(workers: list[_Worker], collector: Collector, plan: Plan, start: int) -> Progress:
    last = collector.requests[-200:]
    return Progress(
        elapsed_s=max(0.0, (time.monotonic_ns() - start) / 1e9),
        duration_s=plan.duration_s,
        started=sum(worker.state.get("started", 0) for worker in workers),
        ended=len(collector.requests),
        failed=collector.failed,
        in_flight=sum(worker.state.get("in_flight", 0) for worker in workers),
        tokens=collector.tokens,
        recent_ttft_s=tuple(one.ttft_s for one in last if one.ttft_s is not None),
    )


class _Worker:
    """A process of :mod:`harness.runs.load.worker`."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        root = str(Path(__file__).resolve().parents[3])
        # Isolated and without site packages: nothing of the project under test can slow its start or get in its way.
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", START, root],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.state: dict[str, Any] = {}
        self.end: dict[str, Any] | None = None
        self._rest = b""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()

    def wait_ready(self) -> tuple[int, str]:
        """How many connections it has, and what is wrong with the others."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        try:
            said = json.loads(line)
        except ValueError:
            raise HarnessError(f"a worker of the load run did not start: {self.complaint()}") from None
        return said["ready"], said["note"]

    def begin(self, start: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"%d\n" % start)
        self.process.stdin.flush()

    def hear(self) -> bool:
        """Read what it says; False when it is gone."""
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 65_536)
        if not data:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "end" in said:
                self.end = said["end"]
            else:
                self.state = said
        return True

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()

    def complaint(self) -> str:
        self.close()
        return self._said.strip().rpartition("\n")[2][:500] or f"exit code {self.process.returncode}"

    _said = ""

    def close(self) -> None:
        self.stop()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stderr is not None and not self.process.stderr.closed:
            self._said = self.process.stderr.read().decode("utf-8", "replace")
            self.process.stderr.close()
        if self.process.stdout is not None:
            self.process.stdout.close()


def _jobs(plan: Plan, endpoint: Endpoint, folder: Path) -> list[dict[str, Any]]:
    requests = [(first.decode("latin-1"), rest.decode("utf-8")) for first, rest in render(endpoint, plan.asking)]
    most = plan.requests if plan.requests is not None else 10_000_000
    if plan.arrivals is not None:
        due = plan.arrivals.due(plan.duration_s, most=most)
        if not due:
            raise UsageError(f"no request is due: {plan.offered} for {plan.duration_s:g} s; give more time or rate")
        busiest = max(plan.arrivals.rate, plan.arrivals.rate_to or 0.0)
        streams, opened = 0, min(len(due), 256, 8 + math.ceil(busiest))
        dealt = [[(number, at, -1) for number, at in part] for part in slices(due, plan.processes)]
    else:
        streams = min(plan.streams, most)
        opened = streams
        starts = stream_starts(streams, min(plan.spread_s, plan.duration_s / 2))
        dealt = [[(number, at, number) for number, at in part] for part in slices(starts, plan.processes)]
    dealt = [part for part in dealt if part]
    most_open = _open_files() // 2
    return [
        {
            "requests": requests, "timeout_s": plan.timeout_s, "streams": streams, "most": most,
            "address": endpoint.address, "family": endpoint.family, "host": endpoint.host, "tls": endpoint.tls,
            "insecure": plan.insecure, "duration_s": plan.duration_s, "schedule": part, "most_open": most_open,
            "open": math.ceil(opened / len(dealt)), "spool": str(folder / f"spool-{index}"),
        }
        for index, part in enumerate(dealt)
    ]  # fmt: skip


def _open_files() -> int:
    """How many files a worker may open; raised to what the system lets us."""
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard == resource.RLIM_INFINITY or soft < hard:
            with contextlib.suppress(ValueError, OSError):
                want = min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536
                resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, want), hard))
                soft = max(soft, want)
        return soft
    except ImportError:
        return 512


def _write(path: Path, data: Mapping[str, Any]) -> None:
    rest = path.with_suffix(".part")
    rest.write_text(json.dumps(data, indent=1, default=str) + "\n", encoding="utf-8")
    rest.replace(path)

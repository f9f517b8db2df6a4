"""A pytest plugin that writes down when each phase of a session ended: wall, CPU of all threads, peak memory.

    python -m pytest -p benchmarks.phases      # writes to the file that HARNESS_BENCH_PHASES names

It imports nothing that pytest has not imported already, and each mark costs three system calls.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

FILE = "HARNESS_BENCH_PHASES"
_marks: list[tuple[str, float, float, float]] = []


def _mark(phase: str) -> None:
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    _marks.append((phase, time.time(), time.process_time(), peak_mb))


_mark("start")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    _mark("configured")
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> Generator[None, None, None]:
    _mark("collected")
    yield
    _mark("planned")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    result = yield
    _mark("ran")
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    yield
    _mark("finished")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: Any) -> None:
    _mark("ended")
    rows = [dict(zip(("phase", "wall", "cpu", "peak_mb"), mark, strict=True)) for mark in _marks]
    Path(os.environ[FILE]).write_text(json.dumps(rows), encoding="utf-8")

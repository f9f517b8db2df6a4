"""A pytest plugin that profiles a session's main thread and the engine's loop apart: where does a case's time go?

    python -m pytest -p benchmarks.profiling suites     # prints the most expensive functions of both threads

Shares are meaningful, absolute times are not: the profiler itself costs more than what it measures.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import sys
import time
from typing import Any

import pytest

LINES = int(os.environ.get("HARNESS_BENCH_LINES", "35"))
ORDER = os.environ.get("HARNESS_BENCH_ORDER", "tottime")
# CPU of the thread itself: with wall time, waiting for the interpreter lock looks like work.
_profiles = {name: cProfile.Profile(time.thread_time) for name in ("main", "loop")}


def pytest_sessionstart(session: pytest.Session) -> None:
    from harness.runs.engine import Engine

    serve = Engine._serve

    def profiled(self: Any) -> None:
        _profiles["loop"].enable()
        try:
            serve(self)
        finally:
            _profiles["loop"].disable()

    Engine._serve = profiled  # type: ignore[method-assign]
    _profiles["main"].enable()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    _profiles["main"].disable()
    for name, profile in _profiles.items():
        print(f"\n==== {name} thread", file=sys.stdout)
        pstats.Stats(profile, stream=sys.stdout).sort_stats(ORDER).print_stats(LINES)

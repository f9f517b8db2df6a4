"""What the end of a session needs is imported while the session waits for its first answers, not after the last.

Reading numpy, scipy and Jinja2 from disk takes about as long as all the arithmetic and all the reports of a thousand
cases. While the main thread has nothing to do but wait for an agent, that time costs nothing; it is taken one step at a
time, and only in the process that will judge the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module

import pytest

MODULES = (
    "numpy",
    "jinja2",
    "harness.stats.rates",
    "harness.plugin.judging",
    "harness.results.reader",
    "harness.commands.baselines",
    "harness.gates.judge",
    "harness.gates.threshold",
    "harness.reporting.report",
)


def forethought(config: pytest.Config) -> Callable[[], bool] | None:
    """Takes the next step when called; False once nothing is left. None on a worker, which judges nothing."""
    if hasattr(config, "workerinput"):
        return None
    steps = _steps()
    return lambda: next(steps, False)


def _steps() -> Iterator[bool]:
    for name in MODULES:
        # A library that cannot be imported is reported where it is used, with what to do about it.
        with suppress(Exception):
            import_module(name)
        yield True
    with suppress(Exception):
        from harness.reporting.to_html import prepare

        prepare()

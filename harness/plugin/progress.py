"""The live progress line: done of total, in flight, cost, estimated time left. Only on a terminal that can redraw."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from harness.plugin.session import HarnessSession

EVERY_S = 0.25


def progress_of(shared: HarnessSession) -> Callable[[], None] | None:
    """A function that redraws the line, or None where there is no terminal to redraw on."""
    reporter = shared.config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or not getattr(reporter, "isatty", False) or shared.config.getoption("quiet", 0) > 0:
        return None
    return Progress(shared, reporter)


class Progress:
    """Called about five times a second while the session waits for a case."""

    def __init__(self, shared: HarnessSession, reporter: Any) -> None:
        self._shared = shared
        self._reporter = reporter
        self._began = time.monotonic()
        self._drawn = 0.0

    def __call__(self) -> None:
        """Redraw."""
        now = time.monotonic()
        if now - self._drawn < EVERY_S:
            return
        self._drawn = now
        text = line(
            done=sum(self._shared.counts.values()),
            total=self._shared.planned_trials,
            in_flight=self._shared.engine().in_flight,
            broken=self._shared.counts["failed"] + self._shared.counts["errored"],
            cost_usd=self._shared.cost_usd,
            elapsed_s=now - self._began,
        )
        width = self._reporter._tw.fullwidth
        self._reporter._tw.write("\r" + text[: width - 1].ljust(width - 1) + "\r", flush=True)


def line(*, done: int, total: int, in_flight: int, broken: int, cost_usd: float, elapsed_s: float) -> str:
    """The progress line: ``120/400 trials · 100 in flight · 2 not passed · $0.0123 · about 0:14 left``."""
    parts = [f"{done}/{total} trials", f"{in_flight} in flight"]
    if broken:
        parts.append(f"{broken} not passed")
    if cost_usd > 0:
        parts.append(f"${cost_usd:.4f}")
    if 0 < done < total and elapsed_s > 1:
        left = elapsed_s / done * (total - done)
        parts.append(f"about {int(left // 60)}:{int(left % 60):02d} left")
    return " · ".join(parts)

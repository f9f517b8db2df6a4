"""The live progress line: done of total, in flight, cost, estimated time left. Only on a terminal that can redraw."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

from harness.plugin.session import HarnessSession

EVERY_S = 0.25


def progress_of(shared: HarnessSession) -> Progress | None:
    """What redraws the line, or None where there is no terminal to redraw on."""
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
        self._visible = False

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
        self._below(text[: self._reporter._tw.fullwidth - 1])
        self._visible = True

    def clear(self) -> None:
        """Take the line away before pytest writes."""
        if self._visible:
            self._below("")
            self._visible = False

    def _below(self, text: str) -> None:
        """Put ``text`` on the row below the one that pytest is writing, and go back to where pytest was.

        Going down by a newline and up again also works on the last row of a terminal, where saving and restoring the
        cursor would be off by the row that scrolled.
        """
        writer = self._reporter._tw
        column = writer.width_of_current_line
        back = f"\x1b[{column}C" if column else ""
        manager = self._shared.config.pluginmanager.getplugin("capturemanager")
        # Capturing is on while the session waits, and would swallow the line.
        with nullcontext() if manager is None else manager.global_and_fixture_disabled():
            writer._file.write(f"\n\x1b[2K{text}\x1b[1A\r{back}")
            writer._file.flush()


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

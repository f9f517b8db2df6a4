"""The live view of a load run: one line that is written over while requests go out."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, TextIO

from harness.commands.history_text import spark

if TYPE_CHECKING:
    from harness.runs.load.running import Progress

KEPT = 24


class LiveView:
    """Progress, what is in flight, what failed, and the recent times to first token.

    :param stream: a terminal.
    :param repeats: the most runs, to say which one this is.
    """

    def __init__(self, stream: TextIO, *, repeats: int = 1, offered: str = "") -> None:
        self._stream = stream
        self._repeats = repeats
        self._offered = offered
        self._medians: list[float | None] = []
        self._last = (0.0, 0, 0)
        self._ascii = not (stream.encoding or "").lower().startswith("utf")

    def show(self, index: int, progress: Progress) -> None:
        """One state of one repeat."""
        self._write(f"run {index + 1} of up to {self._repeats}" if self._repeats > 1 else self._offered, progress)

    def show_rate(self, rate: float, progress: Progress) -> None:
        """One state of one rate of a sweep."""
        self._write(f"{rate:g}/s", progress)

    def _write(self, name: str, progress: Progress) -> None:
        self._stream.write("\r" + self.line(name, progress) + "\x1b[K")
        self._stream.flush()

    def line(self, name: str, progress: Progress) -> str:
        """The line without its control characters."""
        share = min(1.0, progress.elapsed_s / progress.duration_s)
        full, empty = ("#", ".") if self._ascii else ("█", "░")
        bar = full * round(16 * share) + empty * (16 - round(16 * share))
        recent = sorted(progress.recent_ttft_s[-50:])
        middle = recent[len(recent) // 2] if recent else None
        self._medians = [*self._medians, middle][-KEPT:]
        known = [value for value in self._medians if value is not None]
        graph = spark(self._medians, low=0.0, high=max(known), ascii_only=self._ascii) if known else ""
        now = time.monotonic()
        before, tokens, _ = self._last
        rate = (progress.tokens - tokens) / (now - before) if before and now > before else 0.0
        self._last = (now, progress.tokens, 0)
        left = max(0.0, progress.duration_s - progress.elapsed_s)
        parts = [
            f"{bar} {left:3.0f} s left" if left else f"{bar} draining",
            name,
            f"{progress.ended} done, {progress.in_flight} in flight",
            f"{progress.failed} failed" if progress.failed else "",
            f"{rate:,.0f} tokens/s" if rate > 0 else "",
            f"ttft {middle * 1e3:.0f} ms {graph}" if middle is not None else "",
        ]
        text = "  ".join(part for part in parts if part)
        return text[: max(40, shutil.get_terminal_size((100, 24)).columns - 1)]

    def close(self) -> None:
        """Take the line away."""
        self._stream.write("\r\x1b[K")
        self._stream.flush()

"""Chunks: trajectories compressed in small pieces for the page, so that only what is unfolded is ever decoded.

Failing cases fill chunks of their own; when the page must be cut to its size, passing ones go first. Compressed chunks
wait in an unnamed temporary file, so memory stays flat however large the run is.
"""

from __future__ import annotations

import base64
import tempfile
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import IO, NamedTuple

CHUNK_BYTES = 200_000
"""Text per chunk before compression: small enough to decode in a blink, large enough to compress well."""
PAGE_BYTES = 60_000_000
"""Compressed trajectories a page may carry."""


class Place(NamedTuple):
    """Where a trial's view lies: lane (``f`` failing first, ``p`` passing), chunk, position in the chunk."""

    lane: str
    chunk: int
    position: int


class _Lane:
    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.waiting_bytes = 0
        self.spans: list[tuple[int, int]] = []
        self.total = 0


class ChunkStore:
    """Takes views as JSON text, gives chunks as base64 text. Close it, or use it as a context."""

    def __init__(self, *, page_bytes: int = PAGE_BYTES, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._page_bytes = page_bytes
        self._chunk_bytes = chunk_bytes
        self._lanes = {"f": _Lane(), "p": _Lane()}
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()

    def __enter__(self) -> ChunkStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the temporary file back; the store is of no use afterwards."""
        self._file.close()

    def add(self, view: bytes, *, failing: bool) -> Place | None:
        """Keep one view (a JSON text); None when its lane alone is already larger than a page may be."""
        name = "f" if failing else "p"
        lane = self._lanes[name]
        if lane.total > self._page_bytes:
            return None
        place = Place(name, len(lane.spans), len(lane.waiting))
        lane.waiting.append(view)
        lane.waiting_bytes += len(view)
        if lane.waiting_bytes >= self._chunk_bytes:
            self._flush(lane)
        return place

    def finish(self) -> None:
        """Compress what is still waiting; call once, before :meth:`kept` and :meth:`chunks`."""
        for lane in self._lanes.values():
            if lane.waiting:
                self._flush(lane)

    def kept(self) -> dict[str, int]:
        """Chunks per lane that fit on the page, failing ones first."""
        left = self._page_bytes
        counts = {}
        for name, lane in self._lanes.items():
            counts[name] = 0
            for _start, length in lane.spans:
                if length > left:
                    break
                left -= length
                counts[name] += 1
            if counts[name] < len(lane.spans):
                left = 0
        return counts

    def chunks(self) -> Iterator[tuple[str, str]]:
        """Id (``f0``, ``f1``, ..., ``p0``, ...) and base64 of every chunk that fits, in order."""
        for name, count in self.kept().items():
            for index in range(count):
                start, length = self._lanes[name].spans[index]
                self._file.seek(start)
                yield f"{name}{index}", base64.b64encode(self._file.read(length)).decode("ascii")

    def _flush(self, lane: _Lane) -> None:
        # Level 6 costs about a second per 50 MB of chat and is a third smaller than level 1.
        packed = zlib.compress(b"[" + b",".join(lane.waiting) + b"]", 6)
        start = self._file.seek(0, 2)
        self._file.write(packed)
        lane.spans.append((start, len(packed)))
        lane.total += len(packed)
        lane.waiting = []
        lane.waiting_bytes = 0

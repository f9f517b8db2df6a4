"""The spool: finished requests as raw bytes with stamps, appended by a worker in one write each, read by the parent.

A write that returned survives the end of the process, however it ends, so a killed run keeps every finished request.
Segments are ended at 16 MB, so that the reader can delete what it has read.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEAD = struct.Struct("<IIqqqqqBBHI")
"""Bytes after this field, number, due, taken, sent, connected, ended, how, retried, note's length, reads."""
COMPLETE, CLOSED, TIMEOUT, UNREACHABLE, STOPPED, TOO_LARGE, NOT_HTTP = range(7)
HOW = ("complete", "closed", "timeout", "unreachable", "stopped", "too_large", "not_http")
SEGMENT = 16_000_000


@dataclass(slots=True)
class Raw:
    """One request as it was seen. Times are nanoseconds of the monotonic clock, which all processes share."""

    number: int
    due: int
    taken: int
    """When the loop took it up: later than due only where the client was busy."""
    sent: int
    """0: nothing was sent."""
    connected: int
    """When its connection was ready, if one had to be made for it; else 0."""
    ended: int
    how: int
    retried: int
    note: str
    stamps: array[int]
    """Per read, when its last byte arrived: the kernel's stamp, or the loop's where there is none."""
    lags: array[int]
    """Per read, how much later than the kernel the loop took it; -1: the kernel gave no stamp."""
    lengths: array[int]
    data: bytes


def pack(
    number: int, due: int, taken: int, sent: int, connected: int, ended: int, how: int, retried: int, note: str,
    stamps: array[int], lags: array[int], pieces: list[bytes],
) -> bytes:  # fmt: skip
    """One frame."""
    lengths = array("I", [len(piece) for piece in pieces])
    said = note.encode("utf-8", "replace")[:2000]
    body = b"".join((said, stamps.tobytes(), lags.tobytes(), lengths.tobytes(), *pieces))
    after = HEAD.size - 4 + len(body)
    head = HEAD.pack(after, number, due, taken, sent, connected, ended, how, retried, len(said), len(stamps))
    return head + body


class SpoolWriter:
    """Appends frames to ``<prefix>.0``, ``<prefix>.1``, ...; a segment that is done has its successor beside it."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._index = 0
        self._size = 0
        self._fd = self._open()

    def _open(self) -> int:
        return os.open(f"{self._prefix}.{self._index}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, frame: bytes) -> None:
        """Write one frame whole. Raises OSError as the system does."""
        view = memoryview(frame)
        while view:
            view = view[os.write(self._fd, view) :]
        self._size += len(frame)
        if self._size >= SEGMENT:
            self._index += 1
            self._size = 0
            old, self._fd = self._fd, self._open()
            os.close(old)

    def close(self) -> None:
        """Close the segment."""
        os.close(self._fd)


class SpoolReader:
    """Frames of one worker's spool in order; :meth:`read` takes what is there and can be called again."""

    def __init__(self, prefix: str, *, delete: bool = True) -> None:
        self._prefix = prefix
        self._index = 0
        self._at = 0
        self._delete = delete

    def read(self, *, most: int = 1_000_000) -> Iterator[Raw]:
        """The complete frames that are there, up to about ``most`` bytes; a frame cut by a kill is left."""
        while True:
            path = Path(f"{self._prefix}.{self._index}")
            done = Path(f"{self._prefix}.{self._index + 1}").exists()
            try:
                with path.open("rb") as file:
                    file.seek(self._at)
                    text = file.read(most)
                    if len(text) >= 4 and len(text) == most:
                        text += file.read(max(0, 4 + struct.unpack_from("<I", text)[0] - len(text)))
            except FileNotFoundError:
                return
            at = 0
            while len(text) - at >= HEAD.size:
                (after,) = struct.unpack_from("<I", text, at)
                if len(text) - at < 4 + after:
                    break
                yield _unpacked(text, at)
                at += 4 + after
            self._at += at
            if at or not done:
                return
            self._index += 1
            self._at = 0
            if self._delete:
                path.unlink(missing_ok=True)


def _unpacked(text: bytes, at: int) -> Raw:
    after, number, due, taken, sent, connected, ended, how, retried, said, reads = HEAD.unpack_from(text, at)
    end = at + 4 + after
    at += HEAD.size
    note = text[at : at + said].decode("utf-8", "replace")
    at += said
    stamps, lags, lengths = array("q"), array("q"), array("I")
    for column, width in ((stamps, 8), (lags, 8), (lengths, 4)):
        column.frombytes(text[at : at + reads * width])
        at += reads * width
    return Raw(
        number=number, due=due, taken=taken, sent=sent, connected=connected, ended=ended, how=how, retried=retried,
        note=note, stamps=stamps, lags=lags, lengths=lengths, data=text[at:end],
    )  # fmt: skip

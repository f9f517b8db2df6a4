"""Server-sent events of a whole reply, each with the read that completed it. Done after the stream has ended.

Follows the WHATWG HTML standard, section 9.2.6: lines end with CR LF, LF or CR; a line that begins with a colon is a
comment; the ``data`` lines of an event are joined with LF; a blank line ends the event; a byte-order mark at the start
is dropped. An event that the end of the reply cut before its blank line counts: some servers end so.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
BOM = b"\xef\xbb\xbf"


def events_of(body: bytes) -> list[tuple[int, bytes]]:
    """Payloads, each with the place in ``body`` just after what completed it."""
    if b"\r" not in body:
        return _plain(body)
    made: list[tuple[int, bytes]] = []
    data: list[bytes] = []
    at = 3 if body.startswith(BOM) else 0
    while at < len(body):
        found = LINE.match(body, at)
        assert found is not None
        at, line = found.end(), found.group(1)
        if line.startswith(b"data"):
            data += _value(line)
        elif not line and data:
            made.append((at, b"\n".join(data)))
            data = []
    if data:
        made.append((len(body), b"\n".join(data)))
    return made


def _plain(body: bytes) -> list[tuple[int, bytes]]:
    """The usual case, with LF only, several times as fast."""
    made: list[tuple[int, bytes]] = []
    at = 0
    if body.startswith(BOM):
        at, body = 3, body[3:]
    parts = body.split(b"\n\n")
    last = len(parts) - 1
    for index, part in enumerate(parts):
        end = at + len(part) + (2 if index < last else 0)
        at = end
        if part.startswith(b"data: ") and b"\n" not in part:
            made.append((end, part[6:]))
            continue
        data: list[bytes] = []
        for line in part.split(b"\n"):
            if line.startswith(b"data"):
                data += _value(line)
        if data:
            made.append((end, b"\n".join(data)))
    return made


def _value(line: bytes) -> list[bytes]:
    if line == b"data":
        return [b""]
    if line[4:5] != b":":
        return []
    return [line[6:] if line[5:6] == b" " else line[5:]]


def stamped(body_pieces: Sequence[tuple[int, bytes]], lengths: Iterable[int]) -> tuple[bytes, list[tuple[int, bytes]]]:
    """The body, and its events, each with the index of the read that completed it.

    :param body_pieces: pieces of the body with where each starts in the reply.
    :param lengths: of the reads that the reply came in.
    """
    body = b"".join([piece for _, piece in body_pieces])
    starts = list(accumulate((len(piece) for _, piece in body_pieces), initial=0))
    ends = list(accumulate(lengths))
    made, piece, read = [], 0, 0
    for end, payload in events_of(body):
        while starts[piece + 1] < end:
            piece += 1
        place = body_pieces[piece][0] + end - starts[piece]
        read = bisect_left(ends, place, read)
        made.append((min(read, len(ends) - 1), payload))
    return body, made

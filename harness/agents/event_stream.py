"""Server-sent events, incrementally: bytes in, ``data`` payloads out.

Follows the WHATWG HTML standard, section 9.2.6 (event stream interpretation): lines end with CR LF, LF or CR; a line
that starts with a colon is a comment; the ``data`` lines of an event are joined with LF; a blank line ends the event;
a byte-order mark at the start is dropped. Event names, ids and retry times are read over: chat APIs do not use them.
"""

from __future__ import annotations

_BOM = b"\xef\xbb\xbf"


class EventStream:
    """A parser that is fed pieces cut anywhere; the events do not depend on where they were cut.

    :param max_bytes: the most that one unfinished event may hold before :meth:`feed` raises OverflowError.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._held = 0
        self._skip_lf = False
        self._at_start = True

    def feed(self, piece: bytes) -> list[bytes]:
        """The payloads of the events that ``piece`` completes, in order."""
        if self._skip_lf and piece:
            # The CR that ended the last piece was a line end already; its LF must not make a second, blank line.
            self._skip_lf = False
            if piece[:1] == b"\n":
                piece = piece[1:]
        if not piece:
            return []
        if b"\n" not in piece and b"\r" not in piece:
            self._line.append(piece)
            self._hold(len(piece))
            return []
        self._skip_lf = piece[-1:] == b"\r"
        self._line.append(piece)
        text = b"".join(self._line)
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = text.split(b"\n")
        rest = lines.pop()
        self._line = [rest] if rest else []
        events = []
        for line in lines:
            event = self._take(line)
            if event is not None:
                events.append(event)
        self._held = sum(map(len, self._data)) + len(self._data)  # empty lines take room as well
        self._hold(len(rest))
        return events

    def close(self) -> bytes | None:
        """The payload of an event that the end of the stream cut before its blank line; None when there is none.

        The standard drops it. Some servers end their stream right after the last ``data`` line, so the caller decides.
        """
        if self._line:
            self._take(b"".join(self._line))
            self._line = []
        return self._take(b"")

    def _take(self, line: bytes) -> bytes | None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            if not self._data:
                return None
            event, self._data = b"\n".join(self._data), []
            return event
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line == b"data":
            self._data.append(b"")
        return None

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._max_bytes:
            raise OverflowError(f"one event holds more than {self._max_bytes} bytes")

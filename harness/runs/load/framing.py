"""Where an HTTP/1.1 reply ends, incrementally: the only parsing that is done while requests run (RFC 9112, section 6).

Fed with pieces cut anywhere. Bytes after the end stay unread, because nothing is pipelined.
"""

from __future__ import annotations

MAX_HEAD = 65_536
MAX_LINE = 1_024


class BrokenFraming(Exception):
    """The bytes are no HTTP reply."""


class Framing:
    """``feed`` returns True once the reply is complete; ``ended_by_close`` says what a close of the peer means."""

    __slots__ = ("_head", "_line", "_need", "_rest", "_trailer", "keep_alive", "mode", "status")

    def __init__(self) -> None:
        self.status = 0
        self.mode = ""
        """Empty until the head is complete, then ``chunked``, ``length`` or ``close``."""
        self.keep_alive = True
        self._head = b""
        self._need = 0
        """Bytes of the body, or of the current chunk with its line end, that are still to come."""
        self._line = b""
        self._trailer = False
        self._rest = b""

    @property
    def ended_by_close(self) -> bool:
        """Whether a reply without length ends properly when the peer closes."""
        return self.mode == "close"

    def feed(self, data: bytes) -> bool:
        """Whether the reply is complete with this piece.

        :raises BrokenFraming: for bytes that are no HTTP reply.
        """
        if not self.mode:
            self._head += data
            data = self._read_head()
            if not self.mode:
                return False
        if self.mode == "chunked":
            return self._chunks(data)
        if self.mode == "length":
            self._need -= len(data)
            return self._need <= 0
        return False

    def _read_head(self) -> bytes:
        while True:
            text = self._head
            end, width = text.find(b"\r\n\r\n"), 4
            bare = text.find(b"\n\n")
            if bare >= 0 and (end < 0 or bare < end):
                end, width = bare, 2
            if not b"HTTP/".startswith(text[:5]) and not text.startswith(b"HTTP/"):
                raise BrokenFraming(f"the reply does not begin with HTTP/: {text[:40]!r}")
            if end < 0:
                if len(text) > MAX_HEAD:
                    raise BrokenFraming(f"the head of the reply is longer than {MAX_HEAD} bytes")
                return b""
            lines = text[:end].split(b"\n")
            words = lines[0].split(None, 2)
            if len(words) < 2 or not words[1].isdigit():
                raise BrokenFraming(f"no status in {lines[0][:60]!r}")
            self.status = int(words[1])
            self._head = text[end + width :]
            if 100 <= self.status < 200:
                continue  # an interim reply; the real one follows
            self._fields(lines[1:], words[0])
            rest, self._head = self._head, b""
            return rest

    def _fields(self, lines: list[bytes], version: bytes) -> None:
        length, chunked = None, False
        self.keep_alive = version.upper() != b"HTTP/1.0"
        for line in lines:
            name, _, value = line.partition(b":")
            name, value = name.strip().lower(), value.strip().lower()
            if name == b"content-length":
                if not value.isdigit():
                    raise BrokenFraming(f"no length: {value[:40]!r}")
                length = int(value)
            elif name == b"transfer-encoding" and b"chunked" in value:
                chunked = True
            elif name == b"connection":
                self.keep_alive = b"close" not in value and (self.keep_alive or b"keep-alive" in value)
        if self.status in (204, 304):
            length = 0
        if chunked:
            self.mode = "chunked"
        elif length is not None:
            self.mode, self._need = "length", length
        else:
            self.mode, self.keep_alive = "close", False

    def _chunks(self, data: bytes) -> bool:
        size = len(data)
        if size < self._need:  # inside a long chunk
            self._need -= size
            return False
        at, self._need = self._need, 0
        while at < size:
            end = data.find(b"\n", at)
            if end < 0:
                self._line += data[at:]
                if len(self._line) > MAX_LINE:
                    raise BrokenFraming("a chunk's size line does not end")
                return False
            line = data[at:end] if not self._line else self._line + data[at:end]
            self._line = b""
            at = end + 1
            if self._trailer:
                if not line.strip():
                    return True
                continue
            try:
                length = int(line.partition(b";")[0], 16)
            except ValueError:
                raise BrokenFraming(f"no chunk size: {line[:40]!r}") from None
            if length == 0:
                self._trailer = True
                continue
            at += length + 2
        self._need = at - size
        return False


def body_pieces(raw: bytes) -> tuple[int, dict[str, str], list[tuple[int, bytes]], bool]:
    """A whole reply taken apart: status, fields (lower case), pieces of the body with where each starts in ``raw``,
    and whether a chunked or counted body is complete. What is no HTTP has status 0. Interim replies are left out.
    """
    at = 0
    while True:
        end, width = raw.find(b"\r\n\r\n", at), 4
        bare = raw.find(b"\n\n", at)
        if bare >= 0 and (end < 0 or bare < end):
            end, width = bare, 2
        if end < 0 or not raw.startswith(b"HTTP/", at):
            return 0, {}, [], False
        lines = raw[at:end].decode("latin-1").split("\n")
        words = lines[0].split(None, 2)
        status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        at = end + width
        if not 100 <= status < 200:
            break
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    if "chunked" in fields.get("transfer-encoding", "").lower():
        return status, fields, *_dechunked(raw, at)
    length = fields.get("content-length", "")
    if length.isdigit():
        return status, fields, [(at, raw[at : at + int(length)])], len(raw) - at >= int(length)
    return status, fields, [(at, raw[at:])], True


def _dechunked(raw: bytes, at: int) -> tuple[list[tuple[int, bytes]], bool]:
    pieces: list[tuple[int, bytes]] = []
    while True:
        end = raw.find(b"\n", at)
        if end < 0:
            return pieces, False
        try:
            length = int(raw[at:end].partition(b";")[0], 16)
        except ValueError:
            return pieces, False
        at = end + 1
        if length == 0:
            rest = raw[at:]
            return pieces, rest.startswith((b"\r\n", b"\n")) or b"\n\r\n" in rest or b"\n\n" in rest
        if data := raw[at : at + length]:
            pieces.append((at, data))
        if len(data) < length:
            return pieces, False
        at += length + 2

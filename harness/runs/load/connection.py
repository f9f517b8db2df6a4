"""One connection without blocking: connecting, perhaps a TLS handshake, one request at a time, bytes kept with stamps.

Stamps: Linux tells with each read of a TCP socket when the last byte of it arrived (SO_TIMESTAMPNS; kernel 4.14 and
later), so a stamp does not depend on how busy this process is. Elsewhere the clock is read first thing after the read.
TLS goes through memory buffers, because ``ssl`` sockets would hide those stamps.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import struct
import time
from array import array
from collections.abc import Callable
from typing import Any

from harness.runs.load.framing import BrokenFraming, Framing
from harness.runs.load.spool import CLOSED, COMPLETE, NOT_HTTP, TOO_LARGE, UNREACHABLE, pack

CONNECTING, SHAKING, IDLE, BUSY, DEAD = range(5)
STAMPS = getattr(socket, "SO_TIMESTAMPNS", 35)
READ = 16_384
ANCILLARY = 64
MAX_REPLY = 64_000_000
_pair = struct.Struct("qq")
_clock = time.monotonic_ns


def clock_offset() -> int:
    """Nanoseconds to take from the kernel's stamps (wall clock) to have monotonic ones; the tightest of ten tries."""
    best, offset = 1 << 62, 0
    for _ in range(10):
        before = _clock()
        wall = time.time_ns()
        after = _clock()
        if after - before < best:
            best, offset = after - before, wall - (before + after) // 2
    return offset


class Connection:
    """A socket and the request that it carries. ``read`` and ``write`` are called when the system says so."""

    __slots__ = (
        "_context", "_framing", "_incoming", "_name", "_out", "_outgoing", "_plain", "_size", "_tls", "connected",
        "due", "ended", "fd", "how", "kernel", "note", "number", "pieces", "recv", "retried", "sent", "sock", "stamps",
        "state", "stream", "taken", "used", "wants_write",
    )  # fmt: skip

    def __init__(self, family: int, address: Any, context: ssl.SSLContext | None, name: str) -> None:
        self._context, self._name = context, name
        self._tls: ssl.SSLObject | None = None
        self._incoming = self._outgoing = None  # type: Any
        self._out = self._plain = b""
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):  # the loop's own stamps then
            self.sock.setsockopt(socket.SOL_SOCKET, STAMPS, 1)
        self.recv: Callable[..., Any] = self.sock.recvmsg
        self.fd = self.sock.fileno()
        self.state = CONNECTING
        self.wants_write = True
        self.used = 0
        self.note = ""
        self.connected = 0
        self.number = self.stream = -1
        self.clear()
        code = self.sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self.fail(UNREACHABLE, OSError(code, errno.errorcode.get(code, "?")))

    def clear(self) -> None:
        """Forget the last request."""
        self.due = self.taken = self.sent = self.ended = 0
        self.how = COMPLETE
        self.retried = 0
        self.stamps: list[int] = []
        self.kernel: list[Any] = []
        self.pieces: list[bytes] = []
        self._framing = Framing()
        self._size = 0

    # -- sending --------------------------------------------------------------------------------------------------

    def take(self, number: int, due: int, taken: int, stream: int, data: bytes) -> None:
        """Carry a request; it is sent at once where the connection is ready, else as soon as it is."""
        self.clear()
        self.number, self.due, self.taken, self.stream = number, due, taken, stream
        if self._tls is not None and self.state == IDLE:
            self._tls.write(data)
            data = self._outgoing.read()
        self._out += data
        if self.state == IDLE:
            self.state = BUSY
            self.connected = 0
            self.sent = _clock()
            self._flush()

    def _flush(self) -> None:
        while self._out:
            try:
                sent = self.sock.send(self._out)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                self.fail(CLOSED, error)
                return
            self._out = self._out[sent:]
        self.wants_write = bool(self._out)

    def write(self) -> None:
        """The socket can be written to: go on with connecting, shaking hands, or sending."""
        if self.state == CONNECTING:
            code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self.fail(UNREACHABLE, OSError(code, errno.errorcode.get(code, "?")))
                return
            self.wants_write = False
            if self._context is None:
                self._ready()
                return
            self.state = SHAKING
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._plain, self._out = self._out, b""
            self._tls = self._context.wrap_bio(self._incoming, self._outgoing, server_hostname=self._name)
            self._shake()
            return
        self._flush()

    def _ready(self) -> None:
        self.connected = _clock()
        if self.number < 0:
            self.state = IDLE
            return
        self.state = BUSY
        self.sent = _clock()
        self._flush()

    def _shake(self) -> None:
        assert self._tls is not None
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._out += self._outgoing.read()
            self._flush()
            return
        except (ssl.SSLError, OSError) as error:
            self.fail(UNREACHABLE, error)
            return
        self._out += self._outgoing.read()
        if self._plain:
            self._tls.write(self._plain)
            self._plain = b""
            self._out += self._outgoing.read()
        self._flush()
        self._ready()

    # -- receiving ------------------------------------------------------------------------------------------------

    def read(self) -> bool:
        """Take what has arrived; True when the connection's request has ended, well or not."""
        try:
            data, ancillary, _, _ = self.recv(READ, ANCILLARY)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self.fail(CLOSED, error)
            return True
        now = _clock()
        if not data:
            if self.state == BUSY and self._framing.ended_by_close:
                self.how = COMPLETE
            else:
                self.fail(UNREACHABLE if self.state == SHAKING else CLOSED, None)
            self.state = DEAD
            return True
        if self._tls is not None:
            data = self._decrypted(data)
            if self.state == DEAD:
                return True
            if not data:
                return False
        if self.state != BUSY:
            self.fail(CLOSED, None)  # a server that talks unasked
            return True
        self.stamps.append(now)
        self.kernel.append(ancillary)
        self.pieces.append(data)
        self._size += len(data)
        try:
            if self._framing.feed(data):
                self.state = IDLE if self._framing.keep_alive else DEAD
                self.used += 1
                return True
        except BrokenFraming as error:
            self.fail(NOT_HTTP, None, str(error))
            return True
        if self._size > MAX_REPLY:
            self.fail(TOO_LARGE, None, f"the reply is longer than {MAX_REPLY} bytes")
            return True
        return False

    def _decrypted(self, data: bytes) -> bytes:
        assert self._tls is not None
        self._incoming.write(data)
        if self.state == SHAKING:
            self._shake()
            if self.state not in (BUSY, IDLE):
                return b""
        made = []
        try:
            while piece := self._tls.read(65_536):
                made.append(piece)
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLError, OSError) as error:
            self.fail(CLOSED, error)
        if late := self._outgoing.read():
            self._out += late
            self._flush()
        return b"".join(made)

    # -- the end --------------------------------------------------------------------------------------------------

    def fail(self, how: int, error: BaseException | None, note: str = "") -> None:
        """The connection is of no more use."""
        self.how = how
        self.note = note or (f"{type(error).__name__}: {error}" if error is not None else "the server closed it")
        self.state = DEAD

    def frame(self, now: int, offset: int) -> bytes:
        """The finished request for the spool."""
        stamps, lags = array("q", self.stamps), array("q", bytes(8 * len(self.stamps)))
        for index, ancillary in enumerate(self.kernel):
            lags[index] = -1
            if ancillary:
                seconds, nanoseconds = _pair.unpack_from(ancillary[0][2])
                lag = stamps[index] - (seconds * 1_000_000_000 + nanoseconds - offset)
                # Outside it, somebody has set the clock, and the loop's own stamp is the better one.
                if -1_000_000 < lag < 60_000_000_000:
                    lags[index] = max(0, lag)
                    stamps[index] -= lags[index]
        note = self.note if self.how != COMPLETE else ""
        return pack(
            self.number, self.due, self.taken, self.sent, self.connected, now, self.how, self.retried, note,
            stamps, lags, self.pieces,
        )  # fmt: skip

    def close(self) -> None:
        """Let the socket go."""
        self.state = DEAD
        self.sock.close()

"""A streaming server whose true send times are known: what the load generator is calibrated and tested against.

``python -m harness.runs.load.mock --ttft 0.05 --gap 0.01 --tokens 100 --log FILE`` prints its port and answers chat
completions until its standard input closes. One loop, no parsing but the head of a request, every reply rendered
beforehand: cheap enough for hundreds of streams beside the client that is measured. Which requests fail, and how, is
drawn from the seed and the request's number (``X-Request-Id``), so that counts can be compared exactly.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import heapq
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KINDS = ("good", "error", "cut", "stall")
FRAME = struct.Struct("<IqBI")
"""Request's number, when it was read, its kind, how many times follow (the first is the first token's)."""
_clock = time.monotonic_ns
TEXT = {"id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 0, "model": "mock"}
PORT_LINE = "port "


@dataclass(slots=True)
class Told:
    """What the mock says about one request; times in nanoseconds of the monotonic clock."""

    number: int
    received: int
    kind: str
    sent: array[int]
    """Per token, just before it was given to the system."""


def read_log(path: Path) -> Iterator[Told]:
    """The requests of a log in the order in which they ended."""
    text = path.read_bytes()
    at = 0
    while at + FRAME.size <= len(text):
        number, received, kind, count = FRAME.unpack_from(text, at)
        at += FRAME.size
        sent = array("q")
        sent.frombytes(text[at : at + 8 * count])
        at += 8 * count
        yield Told(number=number, received=received, kind=KINDS[kind], sent=sent)


class Stream:
    """One connection and the reply that it is being sent."""

    __slots__ = (
        "at",
        "data",
        "due",
        "fd",
        "first",
        "kind",
        "left",
        "number",
        "out",
        "received",
        "sent",
        "sock",
        "stall",
    )

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.fd = sock, sock.fileno()
        self.data = self.out = b""
        self.sent = array("q")
        self.number = self.kind = self.left = self.received = self.at = self.due = self.stall = 0
        self.first = True


def arguments() -> argparse.ArgumentParser:
    """The options, all with defaults."""
    parser = argparse.ArgumentParser(prog="python -m harness.runs.load.mock", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ttft", type=float, default=0.05, help="seconds of work before the first token")
    parser.add_argument("--gap", type=float, default=0.01, help="seconds between tokens")
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--spread", default="constant", choices=("constant", "exponential"), help="of the first token")
    parser.add_argument("--slots", type=int, default=0, help="replies at a time, the rest wait in order; 0: any number")
    parser.add_argument("--errors", type=float, default=0.0, help="share answered with status 500")
    parser.add_argument("--cuts", type=float, default=0.0, help="share whose connection is closed in mid-stream")
    parser.add_argument("--stalls", type=float, default=0.0, help="share that pauses in mid-stream")
    parser.add_argument("--stall", type=float, default=2.0, help="seconds of such a pause")
    parser.add_argument("--freeze-at", type=float, default=0.0, help="seconds after the first request")
    parser.add_argument("--freeze", type=float, default=0.0, help="seconds in which nothing is done")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crlf", action="store_true", help="line ends of the events")
    parser.add_argument("--log", default="", help="file for the true times")
    return parser


class Mock:
    """See the module's sentence."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.listener = socket.create_server(("127.0.0.1", options.port), backlog=4096)
        self.listener.setblocking(False)
        self.poller = select.epoll()
        self.poller.register(self.listener.fileno(), 1)
        self.streams: dict[int, Stream] = {}
        self.heap: list[tuple[int, int, Stream]] = []
        self.order = 0
        self.busy = 0
        self.queue: deque[Stream] = deque()
        self.log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if options.log else -1
        self.frozen_at = 0
        end = "\r\n\r\n" if options.crlf else "\n\n"

        def event(**more: object) -> bytes:
            return _chunk(("data: " + json.dumps({**TEXT, **more}) + end).encode())

        def delta(**what: object) -> list[dict[str, object]]:
            return [{"index": 0, "delta": what, "finish_reason": None}]

        self.head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            + event(choices=delta(role="assistant", content=""))
        )  # fmt: skip
        self.token = event(choices=delta(content=" token"))
        usage = {"prompt_tokens": 10, "completion_tokens": options.tokens, "total_tokens": 10 + options.tokens}
        self.tail = (
            event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
            + event(choices=[], usage=usage) + _chunk(("data: [DONE]" + end).encode()) + b"0\r\n\r\n"
        )  # fmt: skip
        body = b'{"error": {"message": "the mock was told to fail", "type": "server_error"}}'
        self.error = b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
        self.error += b"Content-Length: %d\r\n\r\n%b" % (len(body), body)

    # -- requests -------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Take new connections."""
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = self.listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                stream = Stream(sock)
                self.streams[stream.fd] = stream
                self.poller.register(stream.fd, 1)

    def read(self, stream: Stream) -> None:
        """Take what a client sent, and begin its reply once the request is whole."""
        try:
            data = stream.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(stream)
            return
        stream.data += data
        end = stream.data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = stream.data[:end].lower()
        length = int(_field(head, b"content-length") or 0)
        if len(stream.data) < end + 4 + length:
            return
        stream.data = b""
        stream.received = _clock()
        stream.number = int(_field(head, b"x-request-id") or 0)
        if self.options.freeze and not self.frozen_at:
            self.frozen_at = stream.received + int(self.options.freeze_at * 1e9)
        if self.options.slots and self.busy >= self.options.slots:
            self.queue.append(stream)
        else:
            self.begin(stream, stream.received)

    def begin(self, stream: Stream, now: int) -> None:
        """Draw the request's luck, send the head, and plan its first token."""
        options, self.busy = self.options, self.busy + 1
        luck = random.Random(f"{options.seed}:{stream.number}")
        draw, stream.kind = luck.random(), 0
        for kind, share in enumerate((options.errors, options.cuts, options.stalls), 1):
            if draw < share:
                stream.kind = kind
                break
            draw -= share
        work = luck.expovariate(1 / options.ttft) if options.spread == "exponential" and options.ttft else options.ttft
        stream.sent = array("q")
        stream.left, stream.first = options.tokens, True
        stream.stall = 1 + options.tokens // 2 if stream.kind > 1 else 0
        if stream.kind != 1:
            self.send(stream, self.head)
        self.later(stream, now + int(work * 1e9))

    def later(self, stream: Stream, due: int) -> None:
        """Plan the stream's next step."""
        self.order += 1
        heapq.heappush(self.heap, (due, self.order, stream))

    def step(self, stream: Stream, due: int, now: int) -> None:
        """Send the next token; a stream that is not to end well does so at its middle."""
        if stream.kind == 1:
            self.send(stream, self.error)
            self.done(stream, now)
            return
        if stream.left == stream.stall:
            stream.stall = 0
            if stream.kind == 2:
                self.done(stream, now)
                self.drop(stream)
                return
            self.later(stream, due + int(self.options.stall * 1e9))
            return
        stream.sent.append(_clock())
        self.send(stream, self.token)
        stream.left -= 1
        if stream.left:
            # From when it was due, so that delays do not add up; from now after a long one, so that none catch up.
            gap = int(self.options.gap * 1e9)
            self.later(stream, due + gap if now - due < gap else now + gap)
        else:
            self.send(stream, self.tail)
            self.done(stream, now)

    def done(self, stream: Stream, now: int) -> None:
        """Log the reply, and begin that of whoever waits for its slot."""
        if self.log >= 0:
            head = FRAME.pack(stream.number, stream.received, stream.kind, len(stream.sent))
            os.write(self.log, head + stream.sent.tobytes())
        self.busy -= 1
        if self.queue:
            self.begin(self.queue.popleft(), now)

    def send(self, stream: Stream, data: bytes) -> None:
        """Give bytes to the system; what it does not take is sent with the next."""
        if stream.out:
            stream.out += data
            data = b""
        try:
            sent = stream.sock.send(stream.out or data)
            stream.out = (stream.out or data)[sent:]
        except BlockingIOError:
            stream.out = stream.out or data
        except OSError:
            stream.left = 1

    def drop(self, stream: Stream) -> None:
        """Close the connection."""
        if self.streams.pop(stream.fd, None) is not None:
            self.poller.unregister(stream.fd)
            stream.sock.close()

    # -- the loop -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until standard input closes."""
        self.poller.register(0, 1)
        heap, poll, wait, streams = self.heap, self.poller.poll, self.poller.fileno(), self.streams
        listening = self.listener.fileno()
        while True:
            now = _clock()
            if self.frozen_at and now >= self.frozen_at:
                self.frozen_at, self.options.freeze, seconds = 0, 0.0, self.options.freeze
                time.sleep(seconds)
                now = _clock()
            sent = 0
            while heap and heap[0][0] <= now and sent < 64:
                due, _, stream = heapq.heappop(heap)
                self.step(stream, due, now)
                sent += 1
                now = _clock()
            events = poll(0, 64)
            if not events:
                left = heap[0][0] - _clock() if heap else 50_000_000
                if self.frozen_at:
                    left = min(left, self.frozen_at - _clock())
                if left > 0:
                    select.select([wait], [], [], left / 1e9)
                continue
            for fd, event in events:
                found = streams.get(fd)
                if found is not None:
                    self.read(found)
                elif fd == listening:
                    self.accept()
                elif fd == 0 and (event & 16 or not os.read(0, 100)):
                    return


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _field(head: bytes, name: bytes) -> bytes:
    at = head.find(b"\n" + name + b":")
    if at < 0:
        return b""
    at += len(name) + 2
    end = head.find(b"\r", at)
    return head[at : end if end >= 0 else len(head)].strip()


def main(argv: list[str] | None = None) -> None:
    """Serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError), open("/proc/self/timerslack_ns", "w", encoding="ascii") as file:
        file.write("1")
    mock = Mock(arguments().parse_args(argv))
    os.write(1, f"{PORT_LINE}{mock.listener.getsockname()[1]}\n".encode())
    gc.collect()
    gc.freeze()
    gc.disable()
    mock.run()


if __name__ == "__main__":
    main(sys.argv[1:])

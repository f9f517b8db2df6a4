"""The measuring process: one loop over sockets that sends what is due, stamps what arrives, and appends what has ended.

Started by :mod:`harness.runs.load.running`, which writes the job to its standard input (it may hold keys, so it is no
file). It answers in JSON lines: ``ready`` when its connections are open, then waits for the start time, then ``at`` a
few times a second, and ``end`` with its audit. When standard input closes it stops at once. It collects no garbage:
nothing here makes cycles, and a pause would be measured.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import ssl
import sys
import time
from bisect import insort
from collections import deque
from typing import Any

from harness.runs.load.connection import BUSY, CONNECTING, DEAD, IDLE, SHAKING, Connection, clock_offset
from harness.runs.load.spool import CLOSED, COMPLETE, STOPPED, TIMEOUT, UNREACHABLE, SpoolWriter

IN, OUT = 1, 4
AT_ONCE = 64
"""Connections that are being opened at a time beforehand: a server's queue of them is short."""
TICK = 50_000_000
_clock = time.monotonic_ns


class Loop:
    """See the module's sentence."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.requests = [(first.encode("latin-1"), rest.encode("utf-8")) for first, rest in job["requests"]]
        self.timeout = int(job["timeout_s"] * 1e9)
        self.streams = job["streams"]
        """Streams of the whole closed loop (its numbers go up in steps of it); 0: open loop."""
        self.most = job["most"]
        self.address = (job["family"], tuple(job["address"]))
        self.context = _tls(job) if job["tls"] else None
        self.poller = select.epoll()
        self.wait = self.poller.fileno()
        self.all: dict[int, Connection] = {}
        self.idle: deque[Connection] = deque()
        self.carrying: dict[int, Connection] = {}
        self.held: deque[tuple[int, int, int]] = deque()
        self.spool = SpoolWriter(job["spool"])
        self.offset = clock_offset()
        self.end = 0
        self.stopped = False
        self.counts = {"started": 0, "ended": 0, "opened": 0, "reopened": 0, "held": 0, "polls": 0, "reads": 0}
        self.steps = 0
        self.note = ""

    # -- connections ----------------------------------------------------------------------------------------------

    def open(self) -> Connection:
        """A new connection, not yet ready."""
        connection = Connection(*self.address, self.context, self.job["host"])
        self.counts["opened"] += 1
        if connection.state != DEAD:
            self.all[connection.fd] = connection
            self.poller.register(connection.fd, IN | OUT)
        return connection

    def drop(self, connection: Connection) -> None:
        """Let a connection go."""
        if self.all.get(connection.fd) is connection:
            with contextlib.suppress(OSError):
                self.poller.unregister(connection.fd)
            del self.all[connection.fd]
        if connection in self.idle:
            self.idle.remove(connection)
        connection.close()

    def open_beforehand(self, count: int) -> None:
        """Open connections, at most a few at a time, for at most ten seconds."""
        ends = _clock() + 10_000_000_000
        opening: list[Connection] = []
        while (count or opening) and _clock() < ends:
            while count and len(opening) < AT_ONCE:
                count -= 1
                opening.append(self.open())
            for fd, event in self.poller.poll(0.05):
                self.handle(self.all.get(fd), event)
            for connection in [one for one in opening if one.state not in (CONNECTING, SHAKING)]:
                opening.remove(connection)
                if connection.state == IDLE:
                    self.idle.append(connection)
                else:
                    self.note = connection.note
                    count = 0

    # -- requests -------------------------------------------------------------------------------------------------

    def send(self, number: int, due: int, now: int, stream: int, *, retried: int = 0) -> None:
        """Send a request over an idle connection, or over a new one."""
        while True:
            connection = self.idle.pop() if self.idle else self.open()
            if connection.state == IDLE or connection.number < 0:
                break
        first, rest = self.requests[number % len(self.requests)]
        was_dead = connection.state == DEAD
        connection.take(number, due, now, stream, b"%b%d%b" % (first, number, rest))
        connection.retried = retried
        if was_dead:
            connection.fail(UNREACHABLE, None, connection.note)
        self.carrying[id(connection)] = connection
        self.counts["started"] += 1 - retried
        if connection.state == DEAD:
            self.ended(connection, _clock())
        elif connection.wants_write and connection.state == BUSY:
            self.poller.modify(connection.fd, IN | OUT)

    def handle(self, connection: Connection | None, event: int) -> None:
        """What the system says about one socket."""
        if connection is None:
            return
        if event & ~OUT and connection.state != CONNECTING:
            ended = connection.read()
        else:
            connection.write()
            ended = False
            if not connection.wants_write and connection.state != DEAD:
                self.poller.modify(connection.fd, IN)
        if ended or connection.state == DEAD:
            if id(connection) in self.carrying:
                self.ended(connection, _clock())
            elif connection.state == DEAD:
                self.drop(connection)

    def ended(self, connection: Connection, now: int) -> None:
        """A request has ended, well or not."""
        del self.carrying[id(connection)]
        if connection.how == CLOSED and connection.used and not connection.stamps and not connection.retried:
            # A kept connection may be closed by its server just when it is used again; that is no failed request.
            number, due, stream = connection.number, connection.due, connection.stream
            self.drop(connection)
            self.counts["reopened"] += 1
            self.send(number, due, now, stream, retried=1)
            return
        self.spool.append(connection.frame(now, self.offset))
        self.counts["ended"] += 1
        self.counts["reads"] += len(connection.stamps)
        number, stream = connection.number, connection.stream
        connection.number = -1
        if connection.state == IDLE:
            self.idle.append(connection)
        else:
            self.drop(connection)
        if stream >= 0 and not self.stopped and now < self.end and number + self.streams < self.most:
            if connection.how == COMPLETE:
                self.send(number + self.streams, now, now, stream)
            else:
                # A server that refuses at once must not be asked in a circle.
                insort(self.schedule, (now + 20_000_000, number + self.streams, stream))
        elif self.held and not self.stopped:
            due, number, stream = self.held.popleft()
            self.send(number, due, now, stream)

    def run(self, start: int) -> dict[str, Any]:
        """The whole measurement, from the start time on; returns the audit."""
        job = self.job
        self.end = start + int(job["duration_s"] * 1e9)
        self.schedule: deque[tuple[int, int, int]] = deque(
            (start + int(at * 1e9), number, stream) for number, at, stream in job["schedule"]
        )
        self.poller.register(0, IN)
        last = start
        gc.collect()
        gc.freeze()
        gc.disable()
        schedule, poll, get, cap = self.schedule, self.poller.poll, self.all.get, job["most_open"]
        while (now := _clock()) < start - 1_000_000:
            time.sleep(max(0.0, (start - 500_000 - now) / 1e9))
        cpu, delay, began = time.process_time(), _run_delay(), _clock()
        tick = 0
        while schedule or self.carrying or self.held:
            now = _clock()
            while schedule and schedule[0][0] <= now and not self.stopped:
                due, number, stream = schedule.popleft()
                if stream >= 0 and now >= self.end:
                    continue
                if len(self.carrying) >= cap:
                    self.held.append((due, number, stream))
                    self.counts["held"] += 1
                else:
                    self.send(number, max(due, start) if stream < 0 else now, now, stream)
                now = _clock()
            if now >= tick:
                tick = now + TICK
                self.watch(now)
                if self.stopped:
                    break
            events = poll(0, 512)
            if not events:
                until = min(schedule[0][0], tick) if schedule else tick
                if (left := until - _clock()) > 0:
                    # select waits for microseconds, where poll would round up to a millisecond.
                    select.select([self.wait], [], [], left / 1e9)
                events = poll(0, 512)
            self.counts["polls"] += 1
            for fd, event in events:
                connection = get(fd)
                if event == IN and connection is not None and connection.state == BUSY:
                    if connection.read():
                        self.ended(connection, _clock())
                    elif schedule and schedule[0][0] <= (now := connection.stamps[-1] if connection.stamps else 0):
                        due, number, stream = schedule.popleft()
                        if len(self.carrying) >= cap or (stream >= 0 and now >= self.end):
                            schedule.appendleft((due, number, stream))
                        else:
                            self.send(number, due if stream < 0 else now, now, stream)
                elif fd == 0:
                    self.stopped = True
                else:
                    self.handle(connection, event)
            last = now
        over = _clock()
        for connection in list(self.carrying.values()):
            connection.how, connection.note = STOPPED, "cut off by the end of the run"
            self.spool.append(connection.frame(over, self.offset))
        for due, number, stream in (*self.held, *schedule):
            if stream < 0 and due <= over:
                self.never_sent(number, due, over)
        self.spool.close()
        used, waited = time.process_time() - cpu, _run_delay() - delay
        del last
        return {
            **self.counts, "wall_s": (over - began) / 1e9, "cpu_s": used, "waited_s": waited / 1e9, "began": began,
            "over": over, "stopped": self.stopped, "clock_moved_s": abs(clock_offset() - self.offset) / 1e9,
        }  # fmt: skip

    def never_sent(self, number: int, due: int, now: int) -> None:
        """Keep a request that was due and for which the run ended first."""
        from array import array

        from harness.runs.load.spool import pack

        empty = array("q")
        self.spool.append(pack(number, due, 0, 0, 0, now, STOPPED, 0, "due, and never sent", empty, empty, []))

    def watch(self, now: int) -> None:
        """A few times a second: requests that take too long, and what the parent wants to show."""
        late = [one for one in self.carrying.values() if now - one.taken > self.timeout]
        for connection in late:
            connection.fail(TIMEOUT, None, f"no complete reply within {self.job['timeout_s']:g} s")
            self.ended(connection, now)
        self.steps += 1
        if self.steps % 4 == 0:
            tell(at=now, in_flight=len(self.carrying), started=self.counts["started"], ended=self.counts["ended"])


def _tls(job: dict[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if job["insecure"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _run_delay() -> int:
    """Nanoseconds that this process was ready and had no processor; 0 where the system does not tell."""
    try:
        with open("/proc/self/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def tell(**what: Any) -> None:
    """One line for the parent; a parent that is gone ends the run."""
    try:
        os.write(1, json.dumps(what).encode() + b"\n")
    except OSError:
        sys.exit(1)


def main() -> None:
    """Do the job that the first line of standard input describes, from the time that the second one gives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it closes our standard input
    with contextlib.suppress(OSError), open("/proc/self/timerslack_ns", "w", encoding="ascii") as file:
        file.write("1")
    loop = Loop(json.loads(sys.stdin.readline()))
    loop.open_beforehand(loop.job["open"])
    tell(ready=len(loop.idle), note=loop.note)
    line = sys.stdin.readline()
    if line.strip():
        tell(end=loop.run(int(line)))

r"""Custom patterns: a team's own regular expressions, matched so that none can hang the guard.

The words:

- *line by line*: a pattern is matched within one line of text, like grep; ``^`` and ``$`` are the line's ends. So a
  stream can be released line by line.
- *engine*: google-re2 where it is installed and understands the pattern (linear time by design); else Python's ``re``
  in a process of its own, which is ended when the time is over. A thread would not do: ``re`` holds the interpreter
  while it matches.
- *time-out*: raises :class:`LookedTooLongError`; the guard blocks with a fault then. The next call gets a new process.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import select
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from typing import Any

from harness.core.errors import HarnessError, UsageError
from harness.guardrails.spans import Span, checked_category
from harness.guardrails.spans.redacting import LookedTooLongError

# What the process runs: nothing of this package, so that it starts in the time Python needs to start.
_WORKER = r"""
import json, re, struct, sys
read, write = sys.stdin.buffer, sys.stdout.buffer
patterns = []
while True:
    head = read.read(4)
    if len(head) < 4:
        break
    job = json.loads(read.read(struct.unpack(">I", head)[0]))
    if "patterns" in job:
        patterns = [re.compile(one) for one in job["patterns"]]
        continue
    out, at = [], 0
    for line in job["text"].split("\n"):
        for index, pattern in enumerate(patterns):
            out += [(index, at + m.start(), at + m.end()) for m in pattern.finditer(line) if m.end() > m.start()]
        at += len(line) + 1
    body = json.dumps(out).encode()
    write.write(struct.pack(">I", len(body)) + body)
    write.flush()
"""

_LONE = re.compile("[\ud800-\udfff]")


class CustomPatterns:
    """A team's patterns, compiled. Safe to use from several threads; a slow pattern makes the others wait.

    :param patterns: category to regular expression.
    :param timeout_s: seconds one text may take, above 0, without the start of the process.
    :raises UsageError: a pattern does not compile, or a name cannot be a category.
    """

    def __init__(self, patterns: Mapping[str, str], *, timeout_s: float = 0.5) -> None:
        if not timeout_s > 0:
            raise UsageError(f"pattern_timeout_s must be above 0, got {timeout_s!r}")
        self.timeout_s = timeout_s
        self._linear: list[tuple[str, Any]] = []
        self._slow: list[tuple[str, str]] = []
        for name, pattern in patterns.items():
            checked_category(name)
            try:
                re.compile(pattern)
            except (re.error, TypeError) as error:
                raise UsageError(f"the pattern of {name!r} does not compile: {error}") from error
            linear = _re2(pattern)
            if linear is None:
                self._slow.append((name, pattern))
            else:
                self._linear.append((name, linear))
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def find(self, text: str) -> list[Span]:
        """What the patterns match in a text.

        :raises LookedTooLongError: the time is over.
        """
        out = []
        at = 0
        # re2 speaks UTF-8, which has no lone surrogates.
        readable = _LONE.sub("\ufffd", text) if self._linear and not text.isascii() else text
        for line in readable.split("\n") if self._linear else ():
            for name, pattern in self._linear:
                out += [Span(at + m.start(), at + m.end(), name, 1.0) for m in pattern.finditer(line) if m.group(0)]
            at += len(line) + 1
        if self._slow and text:
            out += [Span(start, end, self._slow[index][0], 1.0) for index, start, end in self._ask(text)]
        return out

    def _ask(self, text: str) -> list[tuple[int, int, int]]:
        body = json.dumps({"text": text}).encode()
        with self._lock:
            process = self._running()
            deadline = time.monotonic() + self.timeout_s
            try:
                _send(process, body, deadline)
                size = struct.unpack(">I", _receive(process, 4, deadline))[0]
                answer: list[tuple[int, int, int]] = json.loads(_receive(process, size, deadline))
            except BaseException:
                self._stop()
                raise
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        weakref.finalize(self, _end, process, os.getpid())
        self._process, self._owner = process, os.getpid()
        body = json.dumps({"patterns": [pattern for _, pattern in self._slow]}).encode()
        if process.stdin is None or process.stdout is None:
            raise HarnessError("the pattern process has no pipes")
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        # An empty text is answered as soon as it runs: starting it is not the pattern's time.
        ready = time.monotonic() + 30
        _send(process, body, ready)
        _send(process, json.dumps({"text": ""}).encode(), ready)
        _receive(process, struct.unpack(">I", _receive(process, 4, ready))[0], ready)
        return process

    def _stop(self) -> None:
        if self._process is not None:
            _end(self._process, self._owner)
            self._process = None


def _re2(pattern: str) -> Any:
    try:
        re2 = importlib.import_module("re2")
    except ImportError:
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    if owner != os.getpid():
        return
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.kill()
    process.wait()


def _send(process: subprocess.Popen[bytes], body: bytes, deadline: float) -> None:
    pipe = process.stdin
    if pipe is None:
        raise HarnessError("the pattern process has no input")
    rest = memoryview(struct.pack(">I", len(body)) + body)
    while rest:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([], [pipe], [], left)[1]:
            raise LookedTooLongError("a custom pattern took longer than pattern_timeout_s allows")
        rest = rest[os.write(pipe.fileno(), rest[:65536]) :]


def _receive(process: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
    pipe = process.stdout
    if pipe is None:
        raise HarnessError("the pattern process has no output")
    parts = []
    while size:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise LookedTooLongError("a custom pattern took longer than pattern_timeout_s allows")
        part = os.read(pipe.fileno(), min(size, 1 << 20))
        if not part:
            raise HarnessError("the pattern process ended unexpectedly")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)

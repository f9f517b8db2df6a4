"""Captured output of test bodies that run while the session waits, put on the item that printed it.

pytest captures around each phase of an item. Light items have no phases, and their bodies run in bursts, so capturing
is switched on once for a whole wait and each body is asked afterwards whether it printed anything, which costs two
file positions instead of a dozen system calls.
"""

from __future__ import annotations

import io
import os
from typing import Any

import pytest


class OutputWatch:
    """A context manager for one wait: capturing is on inside it, as the user's ``--capture`` says."""

    def __init__(self, config: pytest.Config) -> None:
        self._manager: Any = config.pluginmanager.getplugin("capturemanager")

    def __enter__(self) -> None:
        if self._manager is not None:
            self._manager.resume_global_capture()

    def __exit__(self, *_: object) -> None:
        if self._manager is not None:
            self._manager.suspend_global_capture(in_=False)
            if _has_printed(self._manager):
                # What agents printed meanwhile belongs to no item in particular; it is dropped, as for passing tests.
                self._manager.read_global_capture()


class Attributed:
    """A context manager for one body: what it prints becomes sections of ``item``'s report."""

    __slots__ = ("_item", "_manager")

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._manager: Any = item.config.pluginmanager.getplugin("capturemanager")

    def __enter__(self) -> None:
        if self._manager is not None and _has_printed(self._manager):
            self._manager.read_global_capture()

    def __exit__(self, *_: object) -> None:
        if self._manager is None or not _has_printed(self._manager):
            return
        out, err = self._manager.read_global_capture()
        for kind, text in (("stdout", out), ("stderr", err)):
            if text:
                self._item.add_report_section("call", kind, text)


def _has_printed(manager: Any) -> bool:
    """Whether captured output is waiting; True where it cannot be told cheaply."""
    capturing = getattr(manager, "_global_capturing", None)
    if capturing is None:
        return False
    try:
        return any(stream is not None and _length(stream.tmpfile) > 0 for stream in (capturing.out, capturing.err))
    except (AttributeError, ValueError, OSError):
        return True


def _length(file: Any) -> int:
    try:
        number = file.fileno()
    except io.UnsupportedOperation:  # --capture=sys keeps the text in memory
        return int(file.tell())
    # pytest writes through, so the text ends where the file stands. The text file's own tell() says the same at ten
    # times the price, and this is asked before and after every body.
    return os.lseek(number, 0, os.SEEK_CUR)

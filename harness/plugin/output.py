"""Captured output of test bodies that run while the session waits, put on the item that printed it.

pytest captures around each phase of an item. Light items have no phases, and their bodies run in bursts, so capturing
is switched on once for a whole wait and each body is asked afterwards whether it printed anything, which costs two
file positions instead of a dozen system calls.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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


@contextlib.contextmanager
def attributed_to(item: pytest.Item) -> Iterator[None]:
    """What the body inside prints becomes sections of ``item``'s report."""
    manager: Any = item.config.pluginmanager.getplugin("capturemanager")
    if manager is None:
        yield
        return
    if _has_printed(manager):
        manager.read_global_capture()
    try:
        yield
    finally:
        if _has_printed(manager):
            out, err = manager.read_global_capture()
            for kind, text in (("stdout", out), ("stderr", err)):
                if text:
                    item.add_report_section("call", kind, text)


def _has_printed(manager: Any) -> bool:
    """Whether captured output is waiting; True where it cannot be told cheaply."""
    capturing = getattr(manager, "_global_capturing", None)
    if capturing is None:
        return False
    for stream in (capturing.out, capturing.err):
        if stream is None:
            continue
        try:
            if stream.tmpfile.tell() > 0:
                return True
        except (AttributeError, ValueError, OSError):
            return True
    return False

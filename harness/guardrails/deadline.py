"""A deadline for code that cannot be interrupted: it runs in a thread that is abandoned when it is late.

A thread cannot be killed, so a guard that hangs keeps its thread for ever. The number of threads that one guard may
lose is bounded; past that every call is refused at once, which its pipeline turns into a block.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

MAX_LOST = 8
"""Threads one :class:`Workers` may have hanging at a time."""

IDLE_S = 30.0
"""Seconds after which an idle thread ends."""


class TooManyLate(RuntimeError):
    """So many calls hang that no new one is started."""


class Workers:
    """Daemon threads that run one call each at a time; idle ones are used again.

    :param name: shown as the threads' name.
    :param max_lost: hanging calls after which :meth:`submit` refuses. A call that comes back after all gives its place
        back.
    """

    def __init__(self, name: str, *, max_lost: int = MAX_LOST) -> None:
        self._name = name
        self._max_lost = max_lost
        self._lock = threading.Lock()
        self._idle: list[queue.SimpleQueue[Callable[[], None]]] = []
        self._late: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Any], *given: Any) -> Future[Any]:
        """Start ``fn(*given)`` with the caller's context variables.

        :raises TooManyLate: see the class.
        """
        with self._lock:
            if len(self._late) >= self._max_lost:
                raise TooManyLate(f"{len(self._late)} calls are hanging")
            box = self._idle.pop() if self._idle else None
        if box is None:
            box = queue.SimpleQueue()
            threading.Thread(target=self._serve, args=(box,), name=self._name, daemon=True).start()
        future: Future[Any] = Future()
        context = contextvars.copy_context()
        own = box

        def job() -> None:
            # The result first: whoever holds the lock in `lose` then sees either a result or a call yet to be counted.
            try:
                future.set_result(context.run(fn, *given))
            except BaseException as error:  # noqa: BLE001 - carried to whoever waits
                future.set_exception(error)
            with self._lock:
                self._late.discard(future)
                self._idle.append(own)

        future.set_running_or_notify_cancel()
        box.put(job)
        return future

    def lose(self, future: Future[Any]) -> None:
        """Nobody waits for this call any longer."""
        with self._lock:
            if not future.done():
                self._late.add(future)

    def _serve(self, box: queue.SimpleQueue[Callable[[], None]]) -> None:
        while True:
            try:
                box.get(timeout=IDLE_S)()
            except queue.Empty:
                with self._lock:
                    # Whoever took the box meanwhile is about to put a call in.
                    if box in self._idle:
                        self._idle.remove(box)
                        return

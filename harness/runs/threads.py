"""Threads for agents that are plain functions: daemon ones, so that a hanging agent cannot hold the process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class DaemonThreads(ThreadPoolExecutor):
    """An executor for ``loop.set_default_executor`` whose threads never keep the interpreter alive.

    The standard pool joins its threads at exit, so one agent stuck in ``socket.recv`` would turn a finished run into
    a hanging CI job. It derives from ThreadPoolExecutor only because asyncio insists on that type.

    :param limit: most threads at a time, at least 1; they are started when needed and kept.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(max_workers=1)  # its own pool is never used, so it never starts a thread
        self._limit = max(1, limit)
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle = 0
        self._started = 0
        self._guard = threading.Lock()
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """See :class:`concurrent.futures.Executor`."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except StopIteration as error:
                # asyncio refuses to put it into a future, and whoever waits for that would wait for ever.
                wrapped = RuntimeError(f"the function raised StopIteration({error.value!r})")
                wrapped.__cause__ = error
                future.set_exception(wrapped)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the future
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._guard:
            if self._closed:
                raise RuntimeError("the executor is closed")
            self._work.put(run)
            if self._idle > 0:
                self._idle -= 1
            elif self._started < self._limit:
                self._started += 1
                threading.Thread(target=self._serve, name=f"harness-agent-{self._started}", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let idle threads go; busy ones are abandoned, whatever ``wait`` says."""
        with self._guard:
            self._closed = True
            started = self._started
        for _ in range(started):
            self._work.put(None)

    def _serve(self) -> None:
        while (task := self._work.get()) is not None:
            task()
            del task
            with self._guard:
                self._idle += 1

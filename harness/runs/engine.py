"""The engine: trials awaited concurrently on one event loop, ahead of whoever reports them.

The loop lives in a thread of its own, so that a test body that blocks, or pytest writing to a slow terminal, never
stalls the requests in flight. The main thread asks for one job after the other (:meth:`Engine.wait`); while it waits it
runs the plain (non-async) test bodies whose trajectories are ready.

Order and bounds: jobs start in the order of their position; at most ``window.size`` trials are in flight; at most
``LEAD`` jobs are started beyond the last one that was waited for. A trial is in flight until its record is in the
journal: whatever kills the process costs no more than the window.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import queue
import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from harness.core.clock import SYSTEM, Clock
from harness.core.errors import HarnessError
from harness.core.record import Record, Trial
from harness.runs.threads import DaemonThreads
from harness.runs.window import MAXIMUM, Window

LEAD = 4096
"""Most jobs started beyond the last one waited for: bounds memory when the first job of many hangs."""

WATCH_S = 5.0
"""How often the main thread looks whether the loop still turns, while it waits and draws no progress line."""

IDLE_S = 0.03
"""How long the main thread waits in vain before it uses the time for something else."""

ANSWERS_WITHIN_S = 0.003
"""How fast a loop answers that has nothing to do."""

RunTrial = Callable[[Any, Trial], Awaitable[Record]]


@dataclass(kw_only=True, eq=False)
class Job:
    """All trials of one case in one test."""

    position: int
    """Place in the order of collection."""
    trials: tuple[Trial, ...]
    payload: Any
    """Whatever the runner of trials needs; the engine does not look inside."""
    records: list[Record | None] = field(default_factory=list)
    """One per trial, in order; filled as they finish."""
    started: int = 0
    finished: int = 0
    abandoned: set[int] = field(default_factory=set)
    """Trials that were given up because they did not end when they were cancelled."""
    done: bool = False
    crash: BaseException | None = None
    """What the runner raised, which is a fault of the harness and never of the agent."""

    def __lt__(self, other: Job) -> bool:
        return self.position < other.position


class Engine:
    """Runs jobs ahead.

    :param run_trial: makes one trial; turns every failure of the agent's side into the record it returns.
    :param window: how many trials may be in flight.
    :param abandon: makes the record of a trial that outlives its deadline by ``grace_s`` (code that swallows its
        cancellation), given the payload, the trial and the seconds it has taken. None: such a trial is waited for.
    :param closing: awaited on the loop after the last trial (closes agents and connections).
    """

    def __init__(
        self,
        run_trial: RunTrial,
        *,
        window: Window,
        abandon: Callable[[Any, Trial, float], Record] | None = None,
        grace_s: float = 5.0,
        closing: Callable[[], Awaitable[None]] | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._run_trial = run_trial
        self.window = window
        self._abandon = abandon
        self._grace_s = grace_s
        self._closing = closing
        self._clock = clock
        self._ready: list[Job] = []
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._settled: deque[tuple[asyncio.Future[BaseException | None], BaseException | None]] = deque()
        self._awaited: Job | None = None
        self._reported = -1
        self._lead_blocked = False
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._opened = threading.Event()
        self.in_flight = 0
        self.peak_in_flight = 0
        self.trials_done = 0
        self._main = threading.current_thread()
        self._asked_at: float | None = None
        self._lost: set[asyncio.Task[Any]] = set()
        self.closing_error: Exception | None = None
        """What went wrong when the agents were closed, which concerns no trial any more."""

    # -- called from the main thread ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the loop's thread. Safe to call twice."""
        if self._thread is None:
            self._main = threading.current_thread()
            self._thread = threading.Thread(target=self._serve, name="harness-engine", daemon=True)
            self._thread.start()
        self._opened.wait()

    def offer(self, jobs: list[Job]) -> None:
        """Jobs that may start as soon as there is room, in the order of their positions."""
        if jobs:
            self._call(self._accept, jobs)

    def run_now(self, job: Job) -> None:
        """Start a job before all others, as soon as the window has room (a test that has to run in its own place).

        To be followed by :meth:`wait`: whatever the window is full of may need the main thread to finish.
        """
        self._awaited = job
        self._call(self._accept, [job])

    def wait(
        self,
        job: Job,
        *,
        tick: Callable[[], None] | None = None,
        tick_s: float = 0.2,
        idle: Callable[[], bool] | None = None,
    ) -> tuple[Record, ...]:
        """Wait for a job, running ready test bodies meanwhile.

        :param tick: called about every ``tick_s`` seconds while waiting (a progress line).
        :param idle: called whenever there has been nothing to do for ``IDLE_S`` seconds, until it returns False; may
            use the time.
        :raises HarnessError: the loop has been blocked for longer than the job's trials may take.
        :raises BaseException: what the runner raised (a fault of the harness).
        """
        self._awaited = job
        if not job.started:
            self._call(self._fill)  # it may have been held back for being too far ahead, which it no longer is
        try:
            while not job.done:
                try:
                    body = self._inbox.get(timeout=IDLE_S if idle else tick_s if tick else WATCH_S)
                except queue.Empty:
                    if idle and self._loop_is_free() and not idle():
                        idle = None
                    self._watch(job)
                    if tick:
                        tick()
                    continue
                if body is not None:
                    body()
        finally:
            self._awaited = None
        self._reported = max(self._reported, job.position)
        if self._lead_blocked:
            self._call(self._fill)
        if job.crash is not None:
            raise job.crash
        return tuple(record for record in job.records if record is not None)

    def _watch(self, job: Job) -> None:
        """Ask the loop for a sign of life; without one for a whole deadline nothing can end any trial any more."""
        now = self._clock.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            self._call(self._answer)
            return
        deadlines = [trial.deadline_s for trial in job.trials if trial.deadline_s is not None]
        blocked_s = now - self._asked_at
        if deadlines and blocked_s > max(deadlines) + self._grace_s:
            raise HarnessError(
                f"the event loop has been blocked for {blocked_s:.0f} s, so no deadline ends a trial: {self._where()}. "
                "An async agent, test or evaluator must not call what blocks (time.sleep, requests): await it, or "
                "declare the agent with a plain 'def', which runs in a thread"
            )

    def _answer(self) -> None:
        self._asked_at = None

    def _loop_is_free(self) -> bool:
        """Whether the loop answers at once, so that it is not held up by what this thread may do meanwhile."""
        answered = threading.Event()
        self._call(answered.set)
        return answered.wait(ANSWERS_WITHIN_S)

    def _where(self) -> str:
        """The line that the loop's thread is at."""
        frame = None if self._thread is None else sys._current_frames().get(self._thread.ident or 0)
        if frame is None:
            return "it has ended"
        return f"it is at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop and wait for it, serving ready bodies meanwhile (main thread only)."""
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        if threading.current_thread() is not self._main:
            return future.result()
        future.add_done_callback(lambda _: self._inbox.put(None))
        postponed: list[Callable[[], None]] = []
        while not future.done():
            try:
                body = self._inbox.get(timeout=WATCH_S)
            except queue.Empty:
                if self._awaited is not None:
                    self._watch(self._awaited)
                continue
            if body is not None:
                postponed.append(body)  # bodies are not nested: this call is itself made by one
        for body in postponed:
            self._inbox.put(body)
        return future.result()

    def stop(self, *, grace_s: float = 5.0) -> None:
        """Cancel what is in flight, close the agent, end the thread. Safe to call twice."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        self._stopping = True
        self._call(self._cancel_all)
        # Cancelled trials may be waiting for a body that the main thread will not run any more.
        deadline = self._clock.monotonic() + grace_s
        while thread.is_alive() and self._clock.monotonic() < deadline:
            thread.join(timeout=0.05)
        self._thread = None

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(function, *args)

    # -- called on the loop ---------------------------------------------------------------------------------------

    async def in_main_thread(self, function: Callable[[], None]) -> None:
        """Have the main thread call ``function`` while it waits for a job; raises what it raised."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[BaseException | None] = loop.create_future()

        def body() -> None:
            error: BaseException | None = None
            try:
                function()
            except BaseException as raised:  # noqa: BLE001 - carried over to the trial that asked
                error = raised
            # Bodies that end in one go wake the loop once: waking it costs more than a short body.
            self._settled.append((future, error))
            if len(self._settled) == 1 and not loop.is_closed():
                loop.call_soon_threadsafe(self._settle)
            if isinstance(error, KeyboardInterrupt):
                raise error

        self._inbox.put(body)
        # As a result and not as the future's exception, which cannot be a StopIteration.
        if (raised := await future) is not None:
            raise raised

    def _settle(self) -> None:
        while self._settled:
            future, error = self._settled.popleft()
            if not future.done():
                future.set_result(error)

    def _serve(self) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        loop.set_default_executor(DaemonThreads(MAXIMUM))
        life = loop.create_task(self._life(loop))
        try:
            while not life.done():
                # sys.exit() in a task of an agent's own comes out here; the loop itself is none the worse for it.
                with contextlib.suppress(SystemExit, KeyboardInterrupt):
                    loop.run_until_complete(life)
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    async def _life(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ended = loop.create_future()
        self._opened.set()
        try:
            await self._ended
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=3.0)
        finally:
            if self._closing is not None:
                try:
                    await asyncio.wait_for(self._closing(), timeout=3.0)
                except Exception as error:  # noqa: BLE001 - agents may raise anything, and the run is over
                    self.closing_error = error

    def _accept(self, jobs: list[Job]) -> None:
        for job in jobs:
            heapq.heappush(self._ready, job)
        self._fill()

    def _fill(self) -> None:
        room = self.window.size
        ready = self._ready
        while ready and self.in_flight < room and not self._stopping:
            job = ready[0]
            if job.position > self._reported + LEAD and job is not self._awaited:
                self._lead_blocked = True
                return
            self._start_one(job)
            if job.started >= len(job.trials):
                heapq.heappop(ready)
        self._lead_blocked = False

    def drop(self, matches: Callable[[Job], bool]) -> list[Job]:
        """Take jobs that have not started out of the queue (called on the loop). The caller settles their records."""
        dropped = [job for job in self._ready if job.started == 0 and matches(job)]
        if dropped:
            gone = set(map(id, dropped))
            self._ready = [job for job in self._ready if id(job) not in gone]
            heapq.heapify(self._ready)
        return dropped

    def settle(self, job: Job, records: list[Record]) -> None:
        """Finish a dropped job with records made by the caller (called on the loop)."""
        job.records = list(records)
        job.started = job.finished = len(job.trials)
        self._finish(job)

    def _start_one(self, job: Job) -> None:
        if not job.records:
            job.records = [None] * len(job.trials)
        if not job.trials:
            self._finish(job)
            return
        index = job.started
        job.started += 1
        self.in_flight += 1
        if self.in_flight > self.peak_in_flight:
            self.peak_in_flight = self.in_flight
        task = asyncio.get_running_loop().create_task(self._one(job, index))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one(self, job: Job, index: int) -> None:
        began = self._clock.monotonic()
        deadline_s = job.trials[index].deadline_s
        timer: asyncio.TimerHandle | None = None
        if deadline_s is not None and self._abandon is not None:
            loop = asyncio.get_running_loop()
            task = asyncio.current_task()
            assert task is not None
            timer = loop.call_later(deadline_s + self._grace_s, self._give_up, job, index, began, task)
        record: Record | None = None
        try:
            record = await self._run_trial(job.payload, job.trials[index])
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - a fault of the harness: raised in the main thread by wait()
            job.crash = error
        finally:
            if timer is not None:
                timer.cancel()
            if index not in job.abandoned:
                self._over(job, index, record, began)

    def _give_up(self, job: Job, index: int, began: float, task: asyncio.Task[Any]) -> None:
        assert self._abandon is not None
        self._tasks.discard(task)  # nobody waits for it at the end
        self._lost.add(task)
        job.abandoned.add(index)
        record: Record | None = None
        try:
            record = self._abandon(job.payload, job.trials[index], self._clock.monotonic() - began)
        except BaseException as error:  # noqa: BLE001 - as in _one
            job.crash = error
        self._over(job, index, record, began)

    def _over(self, job: Job, index: int, record: Record | None, began: float) -> None:
        job.records[index] = record
        self.in_flight -= 1
        self.trials_done += 1
        job.finished += 1
        self.window.finished(self._clock.monotonic() - began, record.error if record is not None else None)
        if job.finished >= len(job.trials):
            self._finish(job)
        if not self._stopping:
            self._fill()

    def _finish(self, job: Job) -> None:
        job.done = True
        if self._awaited is job:
            self._inbox.put(None)

    def _cancel_all(self) -> None:
        self._ready.clear()
        for task in list(self._tasks):
            task.cancel()
        if not self._ended.done():
            self._ended.set_result(None)

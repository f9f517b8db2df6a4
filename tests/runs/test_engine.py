"""The engine: trials on a loop of its own, bounded, in order, and never waiting for ever."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from harness.core.errors import HarnessError
from harness.core.record import Record, Trial
from harness.runs.engine import LEAD, Engine, Job
from harness.runs.window import Window

RunTrial = Callable[[object, Trial], Awaitable[Record]]


def record_of(payload: object, trial: Trial) -> Record:
    return Record(suite="s", case_id=str(payload), case_hash="h", trial=trial.index, outcome="passed")


def job(position: int, trials: int = 1, deadline_s: float | None = None) -> Job:
    made = tuple(Trial.of(str(position), index, deadline_s=deadline_s) for index in range(trials))
    return Job(position=position, trials=made, payload=position)


@contextlib.contextmanager
def running(run_trial: RunTrial, *, window: int = 4, **more: object) -> Iterator[Engine]:
    engine = Engine(run_trial, window=Window(fixed=window), **more)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def test_jobs_start_in_order_and_at_most_the_window_is_in_flight():
    order: list[int] = []
    now = peak = 0

    async def run(payload, trial):
        nonlocal now, peak
        order.append(payload)
        now += 1
        peak = max(peak, now)
        await asyncio.sleep(0.005)
        now -= 1
        return record_of(payload, trial)

    jobs = [job(position) for position in range(30)]
    with running(run) as engine:
        engine.offer(list(reversed(jobs)))
        for one in jobs:
            (record,) = engine.wait(one)
            assert record.case_id == str(one.position)
    assert peak == engine.peak_in_flight == 4
    assert order == list(range(30))
    assert engine.trials_done == 30


def test_the_records_of_a_job_come_in_the_order_of_its_trials_however_they_finish():
    async def run(payload, trial):
        await asyncio.sleep(0.01 * (3 - trial.index))
        return record_of(payload, trial)

    one = job(0, trials=3)
    with running(run) as engine:
        engine.offer([one])
        assert [record.trial for record in engine.wait(one)] == [0, 1, 2]


def test_a_job_without_trials_is_done_at_once():
    async def run(payload, trial):
        raise AssertionError("nothing to run")

    with running(run) as engine:
        engine.run_now(empty := job(0, trials=0))
        assert engine.wait(empty) == ()


def test_a_job_that_runs_now_overtakes_what_is_offered_but_keeps_to_the_window():
    order: list[int] = []
    now = peak = 0

    async def run(payload, trial):
        nonlocal now, peak
        order.append(payload)
        now += 1
        peak = max(peak, now)
        await asyncio.sleep(0.005)
        now -= 1
        return record_of(payload, trial)

    later = [job(position) for position in range(1, 20)]
    with running(run, window=2) as engine:
        engine.offer(later)
        urgent = job(0, trials=3)
        engine.run_now(urgent)
        engine.wait(urgent)
        for one in later:
            engine.wait(one)
    assert peak == 2
    assert order.index(0) <= 3
    assert [payload for payload in order if payload] == list(range(1, 20))


def test_a_job_far_beyond_the_last_reported_one_is_held_back_until_it_is_waited_for():
    started: list[int] = []

    async def run(payload, trial):
        started.append(payload)
        return record_of(payload, trial)

    near, far = job(0), job(LEAD + 500)
    with running(run) as engine:
        engine.offer([near, far])
        engine.wait(near)
        assert far.position not in started
        # Ordinary tests in between are never reported to the engine, so nothing else would start it.
        assert engine.wait(far)[0].case_id == str(far.position)


def test_plain_bodies_run_in_the_main_thread_while_it_waits():
    threads: list[str] = []
    holder: list[Engine] = []

    async def run(payload, trial):
        await holder[0].in_main_thread(lambda: threads.append(threading.current_thread().name))
        return record_of(payload, trial)

    jobs = [job(position) for position in range(10)]
    with running(run) as engine:
        holder.append(engine)
        engine.offer(jobs)
        for one in jobs:
            engine.wait(one)
    assert threads == [threading.main_thread().name] * 10


@pytest.mark.parametrize("error", [ValueError("x"), StopIteration("y"), SystemExit("z"), AssertionError()])
def test_what_a_plain_body_raises_arrives_in_its_trial_and_the_next_ones_are_served(error):
    holder: list[Engine] = []
    seen: list[BaseException] = []

    def body() -> None:
        raise error

    async def run(payload, trial):
        try:
            await holder[0].in_main_thread(body if payload == 0 else lambda: None)
        except BaseException as raised:  # noqa: BLE001 - whatever it is
            seen.append(raised)
        return record_of(payload, trial)

    jobs = [job(position) for position in range(3)]
    with running(run) as engine:
        holder.append(engine)
        engine.offer(jobs)
        for one in jobs:
            assert len(engine.wait(one)) == 1
    (raised,) = seen
    assert raised is error or raised.__cause__ is error


def test_a_plain_body_may_wait_for_the_loop_without_running_other_bodies_in_between():
    holder: list[Engine] = []
    nested: list[tuple[str, int]] = []

    async def inner() -> int:
        await asyncio.sleep(0.01)
        return 42

    async def run(payload, trial):
        def body() -> None:
            nested.append(("in", payload))
            assert holder[0].call(inner()) == 42
            nested.append(("out", payload))

        await holder[0].in_main_thread(body)
        return record_of(payload, trial)

    jobs = [job(position) for position in range(4)]
    with running(run) as engine:
        holder.append(engine)
        engine.offer(jobs)
        for one in jobs:
            engine.wait(one)
    assert nested == [(step, payload) for _, payload in nested[::2] for step in ("in", "out")]
    assert len(nested) == 8


def test_a_fault_of_the_harness_is_raised_where_the_job_is_waited_for():
    async def run(payload, trial):
        raise RuntimeError("the journal is gone")

    one = job(0)
    with running(run) as engine:
        engine.offer([one])
        with pytest.raises(RuntimeError, match="the journal is gone"):
            engine.wait(one)


def test_sys_exit_in_a_stray_task_does_not_end_the_loop_under_the_others():
    async def leave() -> None:
        sys.exit("bye")

    async def run(payload, trial):
        if payload == 0:
            stray = asyncio.create_task(leave())
            with contextlib.suppress(SystemExit):
                await stray
        await asyncio.sleep(0.01)
        return record_of(payload, trial)

    jobs = [job(position) for position in range(6)]
    with running(run) as engine:
        engine.offer(jobs)
        assert [len(engine.wait(one)) for one in jobs] == [1] * 6


def test_a_trial_that_swallows_its_cancellation_is_abandoned_and_frees_its_place():
    released = threading.Event()

    async def run(payload, trial):
        if payload == 0:
            while not released.is_set():
                with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                    async with asyncio.timeout(trial.deadline_s):
                        await asyncio.sleep(3600)
        return record_of(payload, trial)

    def abandon(payload, trial, duration_s):
        assert duration_s >= 0.1
        return Record(suite="s", case_id=str(payload), case_hash="h", trial=trial.index, outcome="errored")

    stuck, next_one = job(0, deadline_s=0.05), job(1)
    with running(run, window=1, abandon=abandon, grace_s=0.05) as engine:
        engine.offer([stuck, next_one])
        assert [record.outcome for record in engine.wait(stuck)] == ["errored"]
        assert [record.outcome for record in engine.wait(next_one)] == ["passed"]
        assert engine.in_flight == 0
        released.set()
    assert [record.outcome for record in stuck.records] == ["errored"], "what it still does changes nothing"
    assert engine.trials_done == 2


def test_an_async_agent_that_blocks_the_loop_is_named_with_its_line_when_no_deadline_can_end_it():
    release = threading.Event()

    async def run(payload, trial):
        release.wait(60)  # what time.sleep() or requests.get() does in an async agent
        return record_of(payload, trial)

    engine = Engine(run, window=Window(fixed=2), grace_s=0.02)
    engine.start()
    one = job(0, deadline_s=0.02)
    engine.offer([one])
    with pytest.raises(HarnessError, match=r"blocked for .*threading\.py:\d+.*plain 'def'"):
        engine.wait(one, tick=lambda: None, tick_s=0.01)
    release.set()
    engine.stop()


def test_an_agent_that_fails_to_close_does_not_take_the_run_with_it():
    async def run(payload, trial):
        return record_of(payload, trial)

    async def closing() -> None:
        raise OSError("the browser is gone")

    engine = Engine(run, window=Window(fixed=2), closing=closing)
    engine.start()
    engine.offer([one := job(0)])
    assert len(engine.wait(one)) == 1
    engine.stop()
    assert str(engine.closing_error) == "the browser is gone"


def test_stopping_cancels_what_is_in_flight_closes_the_agent_and_ends_the_thread():
    cancelled: list[int] = []
    closed: list[bool] = []
    begun = threading.Event()

    async def run(payload, trial):
        begun.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(payload)
            raise
        return record_of(payload, trial)

    async def closing() -> None:
        closed.append(True)

    engine = Engine(run, window=Window(fixed=2), closing=closing)
    engine.start()
    engine.offer([job(position) for position in range(5)])
    assert begun.wait(5)
    engine.stop()
    engine.stop()
    assert sorted(cancelled) == [0, 1], "the window was in flight, the rest never began"
    assert closed == [True]
    assert not any(thread.name == "harness-engine" and thread.is_alive() for thread in threading.enumerate())


def test_the_progress_line_is_drawn_while_waiting():
    ticks: list[int] = []

    async def run(payload, trial):
        while len(ticks) < 3:  # noqa: ASYNC110 - the other side is the main thread, which sets no asyncio.Event
            await asyncio.sleep(0.005)
        return record_of(payload, trial)

    one = job(0)
    with running(run) as engine:
        engine.offer([one])
        engine.wait(one, tick=lambda: ticks.append(1), tick_s=0.01)
    assert len(ticks) >= 3


def test_idle_time_is_used_while_the_loop_is_free_until_nothing_is_left():
    steps = iter([True, True, False])
    taken: list[bool] = []

    def idle() -> bool:
        taken.append(next(steps))
        return taken[-1]

    async def run(payload, trial):
        await asyncio.sleep(0.5)
        return record_of(payload, trial)

    one = job(0)
    with running(run) as engine:
        engine.offer([one])
        engine.wait(one, idle=idle)
    assert taken == [True, True, False]


def test_idle_time_is_not_used_while_the_loop_is_busy():
    taken: list[bool] = []

    async def run(payload, trial):
        time.sleep(0.15)  # noqa: ASYNC251 - blocking the loop is the point
        return record_of(payload, trial)

    one = job(0)
    with running(run) as engine:
        engine.offer([one])
        engine.wait(one, idle=lambda: bool(taken.append(True)))
    assert not taken

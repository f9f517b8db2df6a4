"""Slots: fair, safe to cancel, right across threads, and by the clock where the provider says so."""

from __future__ import annotations

import asyncio
import random
import threading
from pathlib import Path

import pytest

from harness.core.errors import ProviderBroken, UsageError
from harness.runs.adaptive import AdaptiveWindow
from harness.runs.limiter import Limiter, ProviderLimiter
from harness.runs.shared_limits import Limits, SharedLimits

REFUSED = ProviderBroken("slow down", reason="rate_limited", status=429, retryable=True)


class HandClock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now


def test_those_who_came_first_go_first() -> None:
    async def main() -> list[int]:
        limiter = ProviderLimiter("p", window=AdaptiveWindow.fixed(2))
        order: list[int] = []

        async def one(number: int) -> None:
            slot = await limiter.acquire()
            order.append(number)
            await asyncio.sleep(0)
            limiter.succeeded(slot, 0.1)

        await asyncio.gather(*(one(number) for number in range(50)))
        return order

    assert asyncio.run(main()) == list(range(50))


def test_never_more_in_flight_than_the_window() -> None:
    async def main() -> ProviderLimiter:
        limiter = ProviderLimiter("p", window=AdaptiveWindow.fixed(5))

        async def one() -> None:
            slot = await limiter.acquire()
            await asyncio.sleep(0.001)
            limiter.succeeded(slot, 0.001)

        await asyncio.gather(*(one() for _ in range(100)))
        return limiter

    limiter = asyncio.run(main())
    assert (limiter.peak, limiter.in_flight) == (5, 0)


def test_callers_cancelled_at_any_moment_leak_no_slot() -> None:
    async def main() -> ProviderLimiter:
        limiter = ProviderLimiter("p", window=AdaptiveWindow.fixed(3))
        rng = random.Random(7)

        async def one() -> None:
            slot = await limiter.acquire()
            try:
                await asyncio.sleep(rng.random() * 0.002)
            except asyncio.CancelledError:
                limiter.abandoned(slot)
                raise
            limiter.succeeded(slot, 0.001)

        tasks = [asyncio.create_task(one()) for _ in range(300)]
        for task in rng.sample(tasks, 200):
            await asyncio.sleep(rng.choice([0, 0, 0, 0.0005]))
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait_for(limiter.acquire(), 1)
        return limiter

    assert asyncio.run(main()).in_flight == 1


def test_a_caller_cancelled_in_the_moment_it_was_admitted_gives_the_slot_to_the_next() -> None:
    async def main() -> int:
        limiter = ProviderLimiter("p", window=AdaptiveWindow.fixed(1))
        first = await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        behind = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        limiter.succeeded(first, 0.1)  # admits `waiting`, which has not run yet
        waiting.cancel()
        await asyncio.wait_for(behind, 1)
        return limiter.in_flight

    assert asyncio.run(main()) == 1


def test_event_loops_in_several_threads_share_one_window() -> None:
    limiter = ProviderLimiter("p", window=AdaptiveWindow.fixed(4))
    done: list[int] = []

    async def one() -> None:
        slot = await limiter.acquire()
        await asyncio.sleep(0.0005)
        limiter.succeeded(slot, 0.001)
        done.append(1)

    async def many() -> None:
        await asyncio.gather(*(one() for _ in range(50)))

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(done), limiter.in_flight, limiter.waiting) == (200, 0, 0)
    assert limiter.peak <= 4


def test_a_loop_that_was_closed_with_callers_waiting_does_not_block_the_others() -> None:
    limiter = ProviderLimiter("p", window=AdaptiveWindow.fixed(1))
    loop = asyncio.new_event_loop()
    held = loop.run_until_complete(limiter.acquire())
    waiting = loop.create_task(limiter.acquire())
    loop.run_until_complete(asyncio.sleep(0))
    waiting.cancel()
    loop.run_until_complete(asyncio.gather(waiting, return_exceptions=True))
    loop.close()
    limiter.abandoned(held)
    asyncio.run(asyncio.wait_for(limiter.acquire(), 1))


def test_retry_after_pauses_everybody_until_its_time() -> None:
    async def main() -> list[bool]:
        clock = HandClock()
        limiter = ProviderLimiter("p", window=AdaptiveWindow.fixed(10), clock=clock)
        slot = await limiter.acquire()
        asked = ProviderBroken("", reason="rate_limited", status=429, retryable=True, retry_after_s=0.05)
        limiter.failed(slot, asked)
        task = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0.08)
        before = task.done()  # real time passed, the provider's has not
        clock.now += 0.06
        await asyncio.wait_for(task, 1)
        return [before, task.done()]

    assert asyncio.run(main()) == [False, True]


def test_a_refusal_halves_the_window_and_other_failures_do_not() -> None:
    async def main() -> list[int]:
        limiter = ProviderLimiter("p", window=AdaptiveWindow(start=32))
        slot = await limiter.acquire()
        limiter.failed(slot, ProviderBroken("", reason="server_error", status=500, retryable=True))
        sizes = [limiter.window.size]
        slot = await limiter.acquire()
        limiter.failed(slot, REFUSED)
        return [*sizes, limiter.window.size]

    assert asyncio.run(main()) == [32, 16]


def test_requests_per_minute_hold_over_any_sixty_seconds() -> None:
    clock = HandClock()
    shared = SharedLimits()
    limits = Limits(requests_per_minute=30)
    taken: list[float] = []
    rng = random.Random(3)
    while clock.now < 1400:
        if shared.take("p", limits, 0, clock.now) == 0:
            taken.append(clock.now)
        clock.now += rng.random() * 0.9
    shared.close()
    windows = [sum(1 for at in taken if start <= at < start + 60) for start in taken]
    assert max(windows) <= 30
    assert len(taken) >= 30 * 6 - 5  # and the limit is used, not merely kept


def test_the_wait_it_names_is_enough() -> None:
    shared = SharedLimits()
    limits = Limits(tokens_per_minute=1000)
    assert shared.take("p", limits, 700, 5.5) == 0
    wait = shared.take("p", limits, 700, 6.0)
    assert 55 < wait <= 61
    assert shared.take("p", limits, 700, 6.0 + wait) == 0
    shared.close()


def test_a_request_larger_than_the_whole_limit_goes_alone_instead_of_never() -> None:
    shared = SharedLimits()
    assert shared.take("p", Limits(tokens_per_minute=100), 5000, 1.0) == 0
    assert shared.take("p", Limits(tokens_per_minute=100), 1, 2.0) > 0
    shared.close()


def test_tokens_that_were_not_used_are_given_back() -> None:
    async def main() -> None:
        limiter = ProviderLimiter("p", window=AdaptiveWindow.fixed(9), limits=Limits(tokens_per_minute=1000))
        slot = await limiter.acquire(900)
        limiter.succeeded(slot, 0.1, tokens=100)
        await asyncio.wait_for(limiter.acquire(800), 1)

    asyncio.run(main())


def test_workers_share_pauses_and_counts_through_the_file(tmp_path: Path) -> None:
    one, two = SharedLimits(tmp_path / "limits.sqlite"), SharedLimits(tmp_path / "limits.sqlite")
    limits = Limits(requests_per_minute=2)
    assert [worker.take("p", limits, 0, 10.0) > 0 for worker in (one, two, one)] == [False, False, True]
    one.pause("q", 25.0)
    assert two.take("q", Limits(), 0, 20.0) == 5.0
    assert two.take("q", Limits(), 0, 25.0) == 0
    one.close()
    two.close()


def test_a_pause_from_before_the_machine_restarted_blocks_nobody(tmp_path: Path) -> None:
    shared = SharedLimits(tmp_path / "limits.sqlite")
    shared.pause("p", 1_000_000.0)
    assert shared.take("p", Limits(), 0, 12.0) == 0
    shared.pause("p", 20.0)
    assert shared.take("p", Limits(), 0, 12.0) == 8.0
    shared.close()


@pytest.mark.parametrize("whole", [1, 3, 32, 100])
def test_workers_divide_a_fixed_window_without_losing_or_adding_any(whole: int) -> None:
    shares = [Limiter(concurrency=whole, workers=3, worker=w).provider("p").window.size for w in range(3)]
    assert sum(shares) == max(3, whole)  # never less than one each


def test_suggests_the_sum_of_the_windows_and_at_least_32() -> None:
    limiter = Limiter(limits=Limits.load({"small": {"in_flight": 4}}))
    assert limiter.suggested_in_flight() == 32
    limiter.provider("big")
    limiter.provider("small")
    assert limiter.suggested_in_flight() == 36
    assert Limiter(concurrency=5).suggested_in_flight() == 5


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"p": {"rpm": 3}}, "unknown limit 'rpm'"),
        ({"p": {"in_flight": 0}}, "in_flight must be a whole number"),
        ({"p": {"tokens_per_minute": True}}, "got True"),
        ({"p": 3}, "must be a table"),
    ],
)
def test_a_wrong_limit_is_a_usage_error_that_names_it(table: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Limits.load(table)

"""Rate limits: exact waits, nothing consumed by a refusal, threads, and the same in Redis."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.core.decision import Event
from harness.core.errors import UsageError
from harness.guardrails.pipeline import Pipeline
from harness.guardrails.rate_limit import Limit, MemoryStore, RateLimit, RedisStore
from harness.testing import FakeClock, check_guardrail

ROOT = Path(__file__).resolve().parents[2]


def ask(user: str = "u", tenant: str = "t", session: str = "s") -> Event:
    return Event(kind="input", text="hi", data={"user": user, "tenant": tenant, "session": session})


def test_it_keeps_the_contract_of_a_guard() -> None:
    check_guardrail(RateLimit(), benign=[ask(), Event(kind="output", text="x")])


def test_the_default_limits_are_the_documented_ones() -> None:
    clock = FakeClock()
    guard = RateLimit(clock=clock)
    assert [guard.check(ask()).action for _ in range(11)] == ["allow"] * 10 + ["block"]
    got = guard.check(ask())
    assert (got.retry_after_s, got.findings[0].category) == (60, "rate_user")
    # 50 an hour per session: five minutes of ten requests each.
    for _ in range(4):
        clock.advance(60)
        assert all(guard.check(ask()).action == "allow" for _ in range(10))
    clock.advance(60)
    got = guard.check(ask())
    assert (got.findings[0].category, got.retry_after_s) == ("rate_session", 3600 - 300)
    # 100 an hour per user, over two sessions.
    for _ in range(5):
        assert all(guard.check(ask(session="s2")).action == "allow" for _ in range(10))
        clock.advance(60)
    assert guard.check(ask(session="s3")).findings[0].category == "rate_user"


def test_a_tenant_s_limit_counts_all_its_users() -> None:
    guard = RateLimit([Limit(scope="tenant", requests=3, window_s=10)], clock=FakeClock())
    assert [guard.check(ask(user=f"u{n}")).action for n in range(4)] == ["allow"] * 3 + ["block"]
    assert guard.check(ask(user="u9", tenant="other")).action == "allow"


def test_after_exactly_the_wait_the_request_has_room_and_a_microsecond_before_it_has_none() -> None:
    clock = FakeClock()
    guard = RateLimit([Limit(scope="user", requests=2, window_s=7.3)], clock=clock)
    guard.check(ask())
    clock.advance(1.234567)
    guard.check(ask())
    clock.advance(0.5)
    wait = guard.check(ask()).retry_after_s
    assert wait == pytest.approx(7.3 - 1.734567)
    clock.advance(wait - 1e-6)
    assert guard.check(ask()).retry_after_s == pytest.approx(1e-6)
    clock.advance(1e-6)
    assert guard.check(ask()).action == "allow"


def test_a_refused_request_consumes_nothing_in_any_scope() -> None:
    clock = FakeClock()
    limits = [Limit(scope="session", requests=1, window_s=10), Limit(scope="user", requests=3, window_s=1000)]
    guard = RateLimit(limits, clock=clock)
    assert guard.check(ask()).action == "allow"
    for _ in range(50):
        assert guard.check(ask()).action == "block"
    assert guard.check(ask(session="s2")).action == "allow"
    assert guard.check(ask(session="s3")).action == "allow"
    assert guard.check(ask(session="s4")).action == "block"


def test_callers_without_an_id_share_one_count() -> None:
    guard = RateLimit([Limit(scope="user", requests=1, window_s=10)], clock=FakeClock())
    assert guard.check(Event(kind="input")).action == "allow"
    assert guard.check(Event(kind="input", data={"user": None})).action == "block"
    assert guard.check(Event(kind="input", data={"user": ["odd"]})).action == "allow"


def test_a_hundred_threads_get_exactly_the_limit() -> None:
    guard = RateLimit([Limit(scope="user", requests=250, window_s=60)], clock=FakeClock())
    allowed: list[int] = []
    start = threading.Barrier(100)

    def hammer() -> None:
        start.wait()
        allowed.append(sum(guard.check(ask()).action == "allow" for _ in range(5)))

    threads = [threading.Thread(target=hammer) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 250


def test_strangers_are_forgotten_when_their_window_has_passed() -> None:
    clock, store = FakeClock(), MemoryStore()
    guard = RateLimit([Limit(scope="user", requests=2, window_s=5)], store=store, clock=clock)
    for number in range(9000):
        guard.check(ask(user=f"u{number}"))
        clock.advance(0.01)
    assert len(store) < 4096 + 600


class AgainstALog(RuleBasedStateMachine):
    """The guard against the plain definition: count what was allowed in the window."""

    limits = (
        Limit(scope="user", requests=2, window_s=3),
        Limit(scope="user", requests=3, window_s=8),
        Limit(scope="tenant", requests=4, window_s=5),
        Limit(scope="session", requests=2, window_s=6),
    )

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.guard = RateLimit(self.limits, clock=self.clock)
        self.allowed: list[tuple[int, dict[str, str]]] = []
        self.now = 0

    def room(self, who: dict[str, str], at: int) -> bool:
        for limit in self.limits:
            since = at - round(limit.window_s * 1e6)
            held = sum(1 for t, one in self.allowed if t > since and one[limit.scope] == who[limit.scope])
            if held >= limit.requests:
                return False
        return True

    @rule(user=st.sampled_from("ab"), tenant=st.sampled_from("xy"), session=st.sampled_from("12"))
    def request(self, user: str, tenant: str, session: str) -> None:
        who = {"user": user, "tenant": tenant, "session": session}
        got = self.guard.check(ask(**who))
        assert (got.action == "allow") == self.room(who, self.now)
        if got.action == "allow":
            self.allowed.append((self.now, who))
        else:
            wait = round((got.retry_after_s or 0) * 1e6)
            assert wait > 0
            assert self.room(who, self.now + wait)
            assert not self.room(who, self.now + wait - 1)

    @rule(us=st.integers(0, 4_000_000))
    def pass_time(self, us: int) -> None:
        self.clock.advance(us / 1e6)
        self.now += us

    @invariant()
    def no_limit_is_ever_passed(self) -> None:
        for limit in self.limits:
            since = self.now - round(limit.window_s * 1e6)
            for value in "abxy12":
                held = sum(1 for t, who in self.allowed if t > since and who[limit.scope] == value)
                assert held <= limit.requests


TestAgainstALog = AgainstALog.TestCase
TestAgainstALog.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


_TAKE_MANY = """
import sys
from harness.core.decision import Event
from harness.guardrails.rate_limit import Limit, RateLimit, RedisStore
guard = RateLimit([Limit(scope="user", requests=40, window_s=3600)], store=RedisStore(sys.argv[1], prefix="many:"))
print(sum(guard.check(Event(kind="input", data={"user": "u"})).action == "allow" for _ in range(30)))
"""


def test_redis_counts_for_several_processes_as_one(redis_url: str) -> None:
    command = [sys.executable, "-c", _TAKE_MANY, redis_url]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) for _ in range(3)]
    got = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    assert sum(got) == 40
    assert max(got) <= 30


@settings(max_examples=15, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("12"), st.integers(0, 3_000_000)), min_size=5, max_size=30
    ),
    number=st.integers(0, 2**60),
)
def test_redis_and_memory_decide_alike(redis_url: str, steps: list[tuple[str, str, int]], number: int) -> None:
    clock = FakeClock()
    clock.advance(1_700_000_000.123456)
    store = RedisStore(redis_url, prefix=f"alike:{number}:{len(steps)}:")
    store._client.flushall()
    here = RateLimit(AgainstALog.limits, clock=clock)
    there = RateLimit(AgainstALog.limits, store=store, clock=clock)
    for user, session, us in steps:
        event = ask(user=user, session=session)
        assert here.check(event) == there.check(event)
        clock.advance(us / 1e6)
    store.close()


def test_redis_with_its_own_clock_says_how_long_to_wait(redis_url: str) -> None:
    store = RedisStore(redis_url, prefix="own:")
    guard = RateLimit([Limit(scope="user", requests=1, window_s=3600)], store=store)
    assert guard.check(ask()).action == "allow"
    assert 3590 < (guard.check(ask()).retry_after_s or 0) <= 3600
    store.close()


def test_an_unreachable_redis_blocks_with_a_fault(tmp_path: Any) -> None:
    pytest.importorskip("redis", reason="needs the redis package: pip install 'harness[redis]'")
    guard = RateLimit(store=RedisStore(f"unix://{tmp_path}/none", timeout_s=0.2))
    got = asyncio.run(Pipeline([guard]).check(ask()))
    assert (got.action, got.fault) == ("block", "crash: ConnectionError")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Limit(scope="planet", requests=1, window_s=1), "per user, tenant or session"),  # type: ignore[arg-type]
        (lambda: Limit(scope="user", requests=0, window_s=1), "requests=0"),
        (lambda: Limit(scope="user", requests=True, window_s=1), "requests=True"),
        (lambda: Limit(scope="user", requests=1, window_s=0), "window_s=0"),
        (lambda: Limit(scope="user", requests=1, window_s=float("nan")), "window_s=nan"),
        (lambda: RateLimit([]), "at least one Limit"),
        (lambda: RateLimit(kinds=["inputs"]), "no event is of kind 'inputs'"),  # type: ignore[list-item]
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(make: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make()

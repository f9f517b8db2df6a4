"""How long the guards that act take: per decision, on 2 kB, on 1 MB, and on hostile texts of doubling length.

Run by hand: ``python -m benchmarks.guardrails_act``. CPU time of this process, medians and 95th percentiles; the
``regopy`` and ``redis`` rows appear where the packages are installed.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.core.decision import Decision, Event
from harness.guardrails import AuditLog, CircuitBreaker, Pipeline, Policy, RateLimit, Spend, TaskScope
from harness.guardrails.circuit_breaker import EscalationFolder
from harness.guardrails.events import tool_call_event
from harness.guardrails.policy import SHIPPED
from harness.guardrails.rate_limit import Limit

HOSTILE = ("1.1.1.", "123-45-", "a", "4111 ", "@", "a.", "a/", "(", "then ", "http://")
WHO = {"user": "u", "tenant": "acme", "session": "s", "request": ("Find the mail about the offsite and read it.",)}
CONFIG = {"internal_domains": ["example.com"], "tenant_tools": ["query"], "allowed_tools": ["read_mail"]}
TOOLS = [
    f"{verb}_{thing}" for verb in ("read", "send", "delete", "list", "update") for thing in ("mail", "file", "order")
]


def call(text: str) -> Event:
    return tool_call_event("read_mail", {"query": text, "tenant_id": "acme"}, data=WHO)


def measured(fn: Callable[[], Any], *, count: int) -> tuple[float, float]:
    """Median and 95th percentile, seconds of CPU time."""
    fn()
    gc.disable()
    took = []
    for _ in range(count):
        start = time.process_time_ns()
        fn()
        took.append((time.process_time_ns() - start) / 1e9)
    gc.enable()
    took.sort()
    return statistics.median(took), took[int(len(took) * 0.95) - 1]


def batched(fn: Callable[[], Any], *, batch: int = 200, count: int = 50) -> tuple[float, float]:
    """The same for something too quick to be timed alone."""

    def many() -> None:
        for _ in range(batch):
            fn()

    middle, late = measured(many, count=count)
    return middle / batch, late / batch


class Allows:
    name = "allows"

    def check(self, event: Event) -> Decision:
        return Decision(action="allow", guard=self.name)


def decisions(folder: Path) -> dict[str, tuple[float, float]]:
    """One decision of each stateful guard, and what the row round them adds."""
    much = 10**9
    wide = [Limit(scope="user", requests=much, window_s=1e-3), Limit(scope="tenant", requests=much, window_s=1e-3)]
    told = Event(kind="input", text="hi", data=WHO)
    limit, full = RateLimit([*wide, Limit(scope="session", requests=much, window_s=1e-3)]), RateLimit()
    for _ in range(20):
        full.check(told)
    spend = Spend(session_usd=Decimal(much), user_day_usd=Decimal(much))
    paid = Event(kind="input", data={**WHO, "cost_usd": Decimal("0.000001")})
    breaker, shared = CircuitBreaker(), CircuitBreaker(store=EscalationFolder(folder / "escalations"))
    scope, scanned = TaskScope(tools=TOOLS), call("offsite")
    log = AuditLog(folder / "audit.jsonl")
    bare, timed = Pipeline([Allows()], timeout_s=None), Pipeline([Allows()])
    kept = Decision(action="allow", guard="g")
    rows = {
        "rate limit, allowed": batched(lambda: limit.check(told)),
        "rate limit, refused": batched(lambda: full.check(told)),
        "spend, reserve and settle": batched(lambda: spend.check(paid)),
        "circuit breaker, in memory": batched(lambda: breaker.check(told)),
        "circuit breaker, in a folder": batched(lambda: shared.check(told)),
        "task scope, from the request": batched(lambda: scope.check(scanned)),
        "audit log, one entry": batched(lambda: log.keep(told, kept)),
        "pipeline round one guard, no deadline": batched(lambda: bare.check_sync(told)),
        "pipeline round one guard, deadline": batched(lambda: timed.check_sync(told)),
    }
    log.close()
    backends = ["python", *(["regopy", "both"] if importlib.util.find_spec("regopy") else [])]
    for backend in backends:
        policy = Policy(SHIPPED, config=CONFIG, backend=backend)  # type: ignore[arg-type]
        rows[f"policy, four policies, {backend}"] = batched(lambda policy=policy: policy.check(scanned), batch=10)  # type: ignore[misc]
    return rows


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as name:
        print(f"{'one decision':44} {'median us':>10} {'p95 us':>10}")
        for what, (middle, late) in decisions(Path(name)).items():
            print(f"{what:44} {middle * 1e6:10.1f} {late * 1e6:10.1f}")
    policy, scope = Policy(SHIPPED, config=CONFIG), TaskScope(tools=TOOLS)
    print(f"\n{'on a tool call of':44} {'2 kB p95 ms':>12} {'1 MB ms':>10}")
    prose = "The quick brown fox jumps over the lazy dog, and asks for lunch. "
    for guard in (policy, scope):
        small, large = call((prose * 40)[:2000]), call((prose * 20_000)[:1_000_000])
        _, late = measured(lambda g=guard, e=small: g.check(e), count=200)  # type: ignore[misc]
        middle, _ = measured(lambda g=guard, e=large: g.check(e), count=5)  # type: ignore[misc]
        print(f"{guard.name:44} {late * 1e3:12.3f} {middle * 1e3:10.1f}")
    print(
        f"\n{'policy on hostile texts, ms at':20} "
        + " ".join(f"{n:>8}" for n in ("64k", "128k", "256k", "512k", "1M"))
        + "   worst t(2n)/t(n)"
    )
    for text in HOSTILE:
        took = []
        for size in (2**16, 2**17, 2**18, 2**19, 2**20):
            event = call(text * (size // len(text)))
            took.append(measured(lambda e=event: policy.check(e), count=5)[0])  # type: ignore[misc]
        worst = max(after / before for before, after in zip(took, took[1:], strict=False))
        print(f"{text!r:20}           " + " ".join(f"{one * 1e3:8.1f}" for one in took) + f"   {worst:.2f}")
    spend = Spend(session_usd=Decimal(10**9), user_day_usd=Decimal(10**9))
    amount = Decimal("0.333333333333333333333333333331")
    start = time.process_time()
    for _ in range(1_000_000):
        spend.settle(spend.reserve(amount), amount)
    exact = spend.spent_usd(session="") == Decimal("333333.333333333333333333333331")
    print(f"\na million reservations settled in {time.process_time() - start:.1f} s, the sum exact: {exact}")
    asyncio.run(_guarded_run())


async def _guarded_run() -> None:
    """What guards add to a run of an agent that does nothing."""
    from harness.agents.function import FunctionAgent
    from harness.core.record import Trial
    from harness.guardrails import guarded
    from harness.testing import make_case

    async def answer(text: str) -> str:
        return "ok"

    bare = FunctionAgent(answer)
    agent, case, trial = guarded(bare, [Allows()]), make_case(), Trial(index=0, seed=0)
    for what, one in (("bare", bare), ("guarded", agent)):
        start = time.process_time()
        for _ in range(500):
            await one.run(case, trial)
        print(f"a run of an agent that does nothing, {what}: {(time.process_time() - start) / 500 * 1e6:.0f} us")


if __name__ == "__main__":
    main()

"""How long the guards that act take: per decision, on 2 kB, on 1 MB, and on hostile texts of doubling length."""

from __future__ import annotations

import gc
import importlib.util
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Result
from harness.core.decision import Decision, Event
from harness.guardrails import (
    ANY,
    AuditLog,
    CircuitBreaker,
    FromRequest,
    Pipeline,
    Policy,
    RateLimit,
    Scope,
    Spend,
    TaskScope,
)
from harness.guardrails.circuit_breaker import EscalationFolder
from harness.guardrails.events import tool_call_event
from harness.guardrails.policy import SHIPPED
from harness.guardrails.rate_limit import Limit

HOSTILE = ("1.1.1.", "123-45-", "a", "4111 ", "@", "a.", "a/", "(", "then ", "http://")
SIZES = (2**16, 2**17, 2**18, 2**19, 2**20)
WHO = {"user": "u", "tenant": "acme", "session": "s", "request": ("Find the mail about the offsite and read it.",)}
CONFIG = {"internal_domains": ["example.com"], "tenant_tools": ["query"], "allowed_tools": ["read_mail"]}
TOOLS = [
    f"{verb}_{thing}" for verb in ("read", "send", "delete", "list", "update") for thing in ("mail", "file", "order")
]
PROSE = "The quick brown fox jumps over the lazy dog, and asks for lunch. "
AMOUNT = Decimal("0.333333333333333333333333333331")


def call(text: str) -> Event:
    return tool_call_event("read_mail", {"query": text, "tenant_id": "acme"}, data=WHO)


def asked(request: str, text: str) -> Event:
    """A hostile text as what the user said, and a hostile argument."""
    return tool_call_event("read_mail", {"query": text, "tenant_id": "acme"}, data={**WHO, "request": (request,)})


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
    return statistics.median(took), took[max(0, int(len(took) * 0.95) - 1)]


def batched(fn: Callable[[], Any], *, batch: int, count: int) -> float:
    """Median seconds of CPU time of something too quick to be timed alone."""

    def many() -> None:
        for _ in range(batch):
            fn()

    return measured(many, count=count)[0] / batch


class Allows:
    name = "allows"

    def check(self, event: Event) -> Decision:
        return Decision(action="allow", guard=self.name)


def deciders(folder: Path) -> Iterator[tuple[str, Callable[[], Any], float | None]]:
    """What is decided, by what, and the target in microseconds."""
    much = 10**9
    told = Event(kind="input", text="hi", data=WHO)
    wide = RateLimit([Limit(scope=scope, requests=much, window_s=1e-3) for scope in ("user", "tenant", "session")])
    full = RateLimit()
    for _ in range(20):
        full.check(told)
    yield "rate limit, a request allowed (3 limits)", lambda: wide.check(told), 50
    yield "rate limit, a request refused (4 limits)", lambda: full.check(told), 50
    breaker, shared = CircuitBreaker(), CircuitBreaker(store=EscalationFolder(folder / "escalations"))
    yield "circuit breaker, in memory", lambda: breaker.check(told), 20
    yield "circuit breaker, shared through a folder", lambda: shared.check(told), 20
    scanned = call("offsite")
    for backend in ("python", *(("regopy", "both") if importlib.util.find_spec("regopy") else ())):
        policy = Policy(SHIPPED, config=CONFIG, backend=backend)  # type: ignore[arg-type]
        yield f"policy, the four shipped ones, backend {backend}", lambda p=policy: p.check(scanned), 10_000
    spend = Spend(session_usd=Decimal(much), user_day_usd=Decimal(much))
    paid = Event(kind="input", data={**WHO, "cost_usd": Decimal("0.000001")})
    yield "spend, reserved and settled", lambda: spend.check(paid), None
    scope = TaskScope(tools=TOOLS)
    yield "task scope, read from the request", lambda: scope.check(scanned), None
    log, kept = AuditLog(folder / "audit.jsonl"), Decision(action="allow", guard="g")
    yield "audit log, one entry", lambda: log.keep(told, kept), None
    bare, timed = Pipeline([Allows()], timeout_s=None), Pipeline([Allows()])
    yield "pipeline around one guard, without a deadline", lambda: bare.check_sync(told), None
    yield "pipeline around one guard, with a deadline", lambda: timed.check_sync(told), None
    log.close()


def growth(guard: Any, text: str, count: int) -> tuple[float, float]:
    """The worst t(2n)/t(n), and milliseconds at 1 MB."""
    took = []
    for size in SIZES:
        event = call(text * (size // len(text)))
        took.append(measured(lambda e=event: guard.check(e), count=count)[0])  # type: ignore[misc]
    return max(after / before for before, after in itertools.pairwise(took)), took[-1] * 1e3


def run(scale: float = 1.0) -> Result:
    count = max(5, int(50 * scale))
    figures = []
    with tempfile.TemporaryDirectory() as made:
        for what, decide, at_most in deciders(Path(made)):
            value = batched(decide, batch=20 if "policy" in what else 200, count=count) * 1e6
            figures.append(Figure(what=what, value=value, unit="us", at_most=at_most))
    policy = Policy(SHIPPED, config=CONFIG)
    for guard in (policy, TaskScope(tools=TOOLS)):
        small, large = call((PROSE * 40)[:2000]), call((PROSE * 20_000)[:1_000_000])
        late = measured(lambda g=guard, e=small: g.check(e), count=4 * count)[1]  # type: ignore[misc]
        whole = measured(lambda g=guard, e=large: g.check(e), count=5)[0]  # type: ignore[misc]
        figures.append(Figure(what=f"{guard.name}, a call of 2 kB, p95", value=late * 1e3, unit="ms", at_most=5))
        figures.append(Figure(what=f"{guard.name}, a call of 1 MB", value=whole * 1e3, unit="ms", at_most=1000))
    for text in HOSTILE:
        ratio, at_1mb = growth(policy, text, max(3, int(15 * scale)))
        words = f"policy, {text!r} repeated, worst t(2n)/t(n), 64 kB to 1 MB"
        figures.append(Figure(what=words, value=ratio, unit="x", at_most=2.6, note=f"{at_1mb:.0f} ms at 1 MB"))
    for kind, scope in (
        ("values from the request", Scope(tools={"read_mail": {"query": FromRequest(), "*": ANY}})),
        ("addressees from the request", Scope(tools={"read_mail": None}, grounded=frozenset({"read_mail"}))),
    ):
        events = [
            asked(text * (2**20 // len(text)), text * (size // len(text))) for text in HOSTILE for size in (2000, 2**20)
        ]
        worst = max(measured(lambda e=event, s=scope: TaskScope(s).check(e), count=3)[0] for event in events)  # type: ignore[misc]
        what = f"task scope, {kind}, the worst of 20 hostile calls, requests of 1 MB"
        figures.append(Figure(what=what, value=worst * 1e3, unit="ms", at_most=1000))
    spend = Spend(session_usd=Decimal(10**9), user_day_usd=Decimal(10**9))
    times = max(1000, int(1_000_000 * scale))
    for _ in range(times):
        spend.settle(spend.reserve(AMOUNT), AMOUNT)
    # As an integer: Python's own Decimal context would round the expected value.
    off = abs(int(spend.spent_usd(session="").scaleb(30)) - times * int(AMOUNT.scaleb(30)))
    what = f"spend, error of the sum after {times:,} additions, in units of 1e-30 USD"
    figures.append(Figure(what=what, value=float(off), at_most=0))
    return Result(
        name="guardrails_act",
        title="What the guards that act cost",
        method=(
            "CPU time of this process around one decision; medians of batches, and the 95th percentile where it says "
            "so. Hostile texts are one argument of a tool call, from 64 kB to 1 MB. A call with more than 10,000 "
            "addresses is refused by the policy's document, which is what ends the texts that are all addresses."
        ),
        figures=tuple(figures),
        scale=scale,
    )


if __name__ == "__main__":
    from benchmarks.table import terminal

    print(terminal(run()))

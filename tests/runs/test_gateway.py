"""The whole way out, against real HTTP servers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from harness.core.case import Case
from harness.core.errors import BudgetExhausted, ProviderBroken, RecordingMissing, UsageError
from harness.core.exchange import CURRENT, Exchange, Reply, Send, TrialContext
from harness.core.record import Trial
from harness.core.usage import Usage
from harness.runs.cassettes import Cassettes
from harness.runs.gateway import RunGateway
from harness.runs.limiter import Limiter
from harness.runs.money import Budget
from harness.runs.prices import PriceTable, PriceUnknown
from harness.runs.retry import RetryPolicy
from harness.runs.shared_limits import Limits

SUITE = "suites/desk/test_refunds.py::test_refunds"
QUICK = RetryPolicy(base_s=0.01)
PRICES = PriceTable.load({"m": {"input": 1, "output": 2}})


class Server:
    """A chat server whose behaviour is a function of the number of the request, counting what it sees."""

    def __init__(self, behave: Callable[[Server, web.Request], Awaitable[web.StreamResponse]]) -> None:
        self.behave = behave
        self.requests = 0
        self.answered = 0
        self.in_flight = 0
        self.peak = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            return await self.behave(self, request)
        finally:
            self.in_flight -= 1

    def answer(self) -> web.Response:
        self.answered += 1
        usage = {"prompt_tokens": 100, "completion_tokens": 50}
        return web.json_response({"choices": [{"message": {"content": f"hello {self.answered}"}}], "usage": usage})


@asynccontextmanager
async def serving(behave: Callable[[Server, web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[Server]:
    server = Server(behave)
    app = web.Application()
    app.router.add_post("/chat", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}/chat"
    try:
        yield server
    finally:
        await runner.cleanup()


def sender(session: aiohttp.ClientSession, url: str) -> Send:
    """One attempt, classified as an adapter would."""

    async def send() -> Reply:
        try:
            async with session.post(url, json={"q": 1}) as response:
                if response.status != 200:
                    after = response.headers.get("Retry-After")
                    raise ProviderBroken(
                        f"status {response.status}",
                        reason="rate_limited" if response.status == 429 else "server_error",
                        status=response.status,
                        retryable=response.status == 429 or response.status >= 500,
                        retry_after_s=None if after is None else float(after),
                    )
                body = await response.json()
        except aiohttp.ClientError as error:
            raise ProviderBroken(str(error), reason="connection", retryable=True) from error
        return Reply(body=body, usage=Usage.from_openai(body["usage"]))

    return send


def context_of(gateway: Any, case_id: str = "c", trial: int = 0, deadline_s: float | None = None) -> TrialContext:
    trial_noun = Trial.of(case_id, trial, deadline_s=deadline_s)
    return TrialContext(case=Case(id=case_id, input="x"), trial=trial_noun, suite=SUITE, gateway=gateway)


def exchange(**more: Any) -> Exchange:
    given: dict[str, Any] = {"provider": "server", "operation": "chat", "body": {"q": 1}, "model": "m", **more}
    return Exchange(**given)


async def trials(
    gateway: RunGateway, server: Server, count: int, *, deadline_s: float | None = None, **more: Any
) -> list[TrialContext | BaseException]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int) -> TrialContext:
            context = context_of(gateway, f"case-{number}", deadline_s=deadline_s)
            CURRENT.set(context)
            gateway.begin(context)
            try:
                await gateway.call(exchange(**more), sender(session, server.url))
            finally:
                gateway.end(context)
            return context

        return await asyncio.gather(*(one(number) for number in range(count)), return_exceptions=True)


def calls_of(results: list[TrialContext | BaseException]) -> list[Any]:
    broken = [result for result in results if isinstance(result, BaseException)]
    assert not broken, broken[:3]
    return [call for result in results if isinstance(result, TrialContext) for call in result.calls]


def test_a_burst_of_500s_loses_nothing_and_every_attempt_is_counted() -> None:
    async def every_third_fails(server: Server, request: web.Request) -> web.StreamResponse:
        number = server.requests
        await asyncio.sleep(0.002)
        return web.Response(status=500) if number % 3 == 0 else server.answer()

    async def main() -> None:
        async with serving(every_third_fails) as server:
            gateway = RunGateway(mode="live", retry=RetryPolicy(base_s=0.01, retries=9))
            calls = calls_of(await trials(gateway, server, 200))
            assert len(calls) == server.answered == 200
            assert sum(call.attempts for call in calls) == server.requests
            assert max(call.attempts for call in calls) > 1
            assert gateway.limiter.provider("server").in_flight == 0

    asyncio.run(main())


def test_a_server_with_a_limit_is_backed_off_from_until_everything_is_answered() -> None:
    async def at_most_ten(server: Server, request: web.Request) -> web.StreamResponse:
        if server.in_flight > 10:
            return web.Response(status=429)
        await asyncio.sleep(0.01)
        return server.answer()

    async def main() -> None:
        async with serving(at_most_ten) as server:
            gateway = RunGateway(mode="live", retry=RetryPolicy(base_s=0.05, retries=12))
            calls = calls_of(await trials(gateway, server, 150))
            assert len(calls) == server.answered == 150
            assert sum(call.attempts for call in calls) == server.requests
            assert gateway.limiter.provider("server").window.size < 32

    asyncio.run(main())


def test_retry_after_is_kept_to_by_every_caller_of_the_provider() -> None:
    seen: list[float] = []

    async def refuse_once(server: Server, request: web.Request) -> web.StreamResponse:
        seen.append(asyncio.get_running_loop().time())
        if server.requests == 1:
            return web.Response(status=429, headers={"Retry-After": "0.3"})
        return server.answer()

    async def main() -> None:
        async with serving(refuse_once) as server:
            gateway = RunGateway(mode="live", limiter=Limiter(concurrency=1), retry=QUICK)
            calls = calls_of(await trials(gateway, server, 8))
            assert len(calls) == 8
            # The seven others were not refused themselves, and still waited.
            assert min(seen[1:]) - seen[0] >= 0.29
            assert sorted(call.attempts for call in calls) == [1] * 7 + [2]

    asyncio.run(main())


def test_connections_cut_without_a_reply_are_tried_again() -> None:
    async def cut_first(server: Server, request: web.Request) -> web.StreamResponse:
        if server.requests <= 5:
            assert request.transport is not None
            request.transport.close()
        return server.answer() if server.requests > 5 else web.Response()

    async def main() -> None:
        async with serving(cut_first) as server:
            gateway = RunGateway(mode="live", retry=QUICK, limiter=Limiter(concurrency=1))
            calls = calls_of(await trials(gateway, server, 5))
            assert len(calls) == 5
            assert sum(call.attempts for call in calls) == server.requests == 10

    asyncio.run(main())


def test_the_last_failure_says_how_often_it_was_tried_and_nothing_is_counted_as_a_call() -> None:
    async def always(server: Server, request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async def main() -> None:
        async with serving(always) as server:
            gateway = RunGateway(mode="live", retry=QUICK)
            (failure,) = await trials(gateway, server, 1)
            assert isinstance(failure, ProviderBroken)
            assert str(failure) == "status 503 (5 attempts)"
            assert failure.status == 503
            assert server.requests == 5

    asyncio.run(main())


def test_a_refusal_that_no_retry_can_help_is_made_once() -> None:
    async def always(server: Server, request: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    async def main() -> None:
        async with serving(always) as server:
            (failure,) = await trials(RunGateway(mode="live", retry=QUICK), server, 1)
            assert isinstance(failure, ProviderBroken)
            assert server.requests == 1

    asyncio.run(main())


def test_a_wait_that_would_pass_the_trials_deadline_is_not_begun() -> None:
    async def refuse(server: Server, request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "30"})

    async def main() -> None:
        async with serving(refuse) as server:
            (failure,) = await trials(RunGateway(mode="live"), server, 1, deadline_s=10)
            assert isinstance(failure, ProviderBroken)
            assert "would pass the trial's deadline" in str(failure)
            assert server.requests == 1

    asyncio.run(asyncio.wait_for(main(), 8))


def test_a_sleeping_retry_holds_no_slot() -> None:
    asleep = asyncio.Event()

    async def main() -> None:
        async def sleep(seconds: float) -> None:
            await asleep.wait()

        gateway = RunGateway(mode="live", limiter=Limiter(concurrency=1), sleep=sleep)
        attempts = 0

        async def fails_once() -> Reply:
            nonlocal attempts
            attempts += 1
            if attempts == 1:
                raise ProviderBroken("x", reason="server_error", status=500, retryable=True)
            return Reply(body={})

        async def works() -> Reply:
            return Reply(body={})

        retrying = asyncio.create_task(gateway.call(exchange(), fails_once))
        await asyncio.sleep(0)
        await asyncio.wait_for(gateway.call(exchange(), works), 1)
        assert not retrying.done()
        asleep.set()
        assert (await retrying).attempts == 2

    asyncio.run(main())


def test_concurrency_fixed_at_seven_is_seven_on_the_server_too() -> None:
    async def slow(server: Server, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.01)
        return server.answer()

    async def main() -> None:
        async with serving(slow) as server:
            calls_of(await trials(RunGateway(mode="live", limiter=Limiter(concurrency=7)), server, 60))
            assert server.peak == 7

    asyncio.run(main())


def test_the_window_opens_on_a_server_without_limits() -> None:
    async def slow(server: Server, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.15)
        return server.answer()

    async def main() -> None:
        async with serving(slow) as server:
            gateway = RunGateway(mode="live")
            calls_of(await trials(gateway, server, 300))
            assert server.peak > 64
            assert gateway.limiter.suggested_in_flight() > 64

    asyncio.run(main())


def test_cancelling_trials_in_flight_leaves_no_slot_and_no_money_held() -> None:
    full = asyncio.Event()

    async def hang(server: Server, request: web.Request) -> web.StreamResponse:
        if server.in_flight == 3:
            full.set()
        await asyncio.sleep(30)
        return server.answer()

    async def main() -> None:
        async with serving(hang) as server:
            budget = Budget(None, cap_usd=Decimal(1))
            gateway = RunGateway(mode="live", limiter=Limiter(concurrency=3), prices=PRICES, budget=budget)
            running = asyncio.create_task(trials(gateway, server, 10, output_tokens_at_most=1000))
            await asyncio.wait_for(full.wait(), 5)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert gateway.limiter.provider("server").in_flight == 0
            balance = budget.balance()
            # The three that were sent may be billed; the seven that waited were not sent.
            assert balance.reserved_usd == 0
            assert Decimal("0.006") <= balance.spent_usd < Decimal("0.007")
            gateway.close()

    asyncio.run(main())


async def hello(server: Server, request: web.Request) -> web.StreamResponse:
    return server.answer()


def test_money_is_settled_at_what_the_reply_used() -> None:
    async def main() -> None:
        async with serving(hello) as server:
            budget = Budget(None, cap_usd=Decimal(1))
            gateway = RunGateway(mode="live", prices=PRICES, budget=budget)
            calls = calls_of(await trials(gateway, server, 10))
            assert {call.cost_usd for call in calls} == {Decimal("0.0002")}
            assert budget.balance().spent_usd == Decimal("0.002")
            gateway.close()

    asyncio.run(main())


def test_the_cap_ends_the_run_as_budget_and_no_call_is_made_beyond_it() -> None:
    async def main() -> None:
        async with serving(hello) as server:
            budget = Budget(None, cap_usd=Decimal("0.0010"))
            gateway = RunGateway(mode="live", prices=PRICES, budget=budget)
            results = await trials(gateway, server, 50, input_tokens_at_most=100, output_tokens_at_most=50)
            refused = [result for result in results if isinstance(result, BudgetExhausted)]
            assert server.requests == 5
            assert len(refused) == 45
            assert budget.balance().spent_usd == Decimal("0.0010")
            gateway.close()

    asyncio.run(main())


def test_an_unknown_price_is_an_error_before_the_call_when_money_is_capped() -> None:
    async def main() -> None:
        async with serving(hello) as server:
            budget = Budget(None, cap_usd=Decimal(1))
            gateway = RunGateway(mode="live", prices=PRICES, budget=budget)
            (failure,) = await trials(gateway, server, 1, model="nobody-knows-1")
            assert isinstance(failure, PriceUnknown)
            assert "[tool.harness.prices]" in str(failure)
            assert server.requests == 0
            gateway.close()

    asyncio.run(main())


def test_an_unknown_price_without_a_cap_is_a_cost_that_is_not_known_and_never_zero() -> None:
    async def main() -> None:
        async with serving(hello) as server:
            (call,) = calls_of(await trials(RunGateway(mode="live"), server, 1, model="nobody-knows-1"))
            assert call.cost_usd is None
            assert call.usage.total_tokens == 150

    asyncio.run(main())


def test_a_stated_cost_that_is_no_amount_is_not_believed() -> None:
    async def send() -> Reply:
        return Reply(body={}, cost_usd=Decimal("NaN"))

    async def main() -> None:
        budget = Budget(None, cap_usd=Decimal(1))
        gateway = RunGateway(mode="live", prices=PRICES, budget=budget)
        context = context_of(gateway)
        CURRENT.set(context)
        await gateway.call(exchange(output_tokens_at_most=1000), send)
        assert context.calls[0].cost_usd is None
        assert budget.balance().spent_usd > Decimal("0.002")  # what was reserved
        gateway.close()

    asyncio.run(main())


def test_what_was_recorded_is_replayed_without_reaching_the_network(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(hello) as server:
            gateway = RunGateway(mode="record", cassettes=Cassettes("record", root=tmp_path), prices=PRICES)
            recorded = calls_of(await trials(gateway, server, 20))
        assert server.requests == 20
        replaying = RunGateway(mode="replay", cassettes=Cassettes("replay", root=tmp_path), prices=PRICES)
        replayed = calls_of(await trials(replaying, server, 20))  # the server is gone
        assert server.requests == 20
        assert [call.usage for call in replayed] == [call.usage for call in recorded]
        assert [call.cost_usd for call in replayed] == [call.cost_usd for call in recorded]
        assert all(call.replayed for call in replayed)
        assert not any(call.replayed for call in recorded)

    asyncio.run(main())
    assert len(list(tmp_path.glob("suites/desk/recordings/test_refunds/test_refunds/case-*.json"))) == 20


def test_a_missing_recording_is_an_error_and_never_a_call(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(hello) as server:
            gateway = RunGateway(mode="replay", cassettes=Cassettes("replay", root=tmp_path))
            (failure,) = await trials(gateway, server, 1)
            assert isinstance(failure, RecordingMissing)
            assert str(failure).endswith("--harness-mode=record")
            assert server.requests == 0

    asyncio.run(main())


def test_a_local_server_is_called_in_every_mode_and_never_recorded(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(hello) as server:
            for mode in ("replay", "record"):
                gateway = RunGateway(mode=mode, cassettes=Cassettes(mode, root=tmp_path))  # type: ignore[arg-type]
                assert len(calls_of(await trials(gateway, server, 2, local=True))) == 2
            assert server.requests == 4

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


def test_replayed_calls_spend_no_money(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(hello) as server:
            recording = RunGateway(mode="record", cassettes=Cassettes("record", root=tmp_path))
            calls_of(await trials(recording, server, 1))
            budget = Budget(None, cap_usd=Decimal(0))
            gateway = RunGateway(
                mode="replay", cassettes=Cassettes("replay", root=tmp_path), budget=budget, prices=PRICES
            )
            (call,) = calls_of(await trials(gateway, server, 1))
            assert call.cost_usd == Decimal("0.0002")
            assert budget.balance().spent_usd == 0
            gateway.close()

    asyncio.run(main())


def test_tokens_per_minute_hold_back_what_would_pass_them() -> None:
    async def main() -> None:
        async with serving(hello) as server:
            limits = Limits.load({"server": {"tokens_per_minute": 400}})
            gateway = RunGateway(mode="live", limiter=Limiter(limits=limits))
            running = asyncio.create_task(trials(gateway, server, 5))
            await asyncio.sleep(0.4)
            assert 1 <= server.requests <= 2  # 150 tokens each, and 500 reserved for an answer of unknown length
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())


def test_a_mode_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="replay, record, live"):
        RunGateway(mode="online")  # type: ignore[arg-type]


def test_the_gateway_forgets_trials_that_were_never_ended() -> None:
    gateway = RunGateway(mode="live")
    for number in range(100):
        gateway.begin(context_of(gateway, f"c{number}"))
    assert len(gateway._trials) <= 1

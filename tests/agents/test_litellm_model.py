from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import pytest
from aiohttp import web

from harness.agents.litellm_model import LiteLLMModel
from harness.agents.tool_loop import ToolLoop
from harness.core.case import Case
from harness.core.errors import ProviderBroken
from harness.core.exchange import CURRENT, Exchange, Reply, Send, TrialContext
from harness.core.record import Trial

# Importing it here would fetch its price map before the adapter can say no.
pytestmark = pytest.mark.skipif(find_spec("litellm") is None, reason="the litellm extra is not installed")

HI = [{"role": "user", "content": "hi"}]
CASE = Case(id="c", input="go")
TRIAL = Trial.of("c", 0)


def ask(fakes: Any, *replies: Any, model: str = "openai/gpt-4o-mini", **settings: Any) -> tuple[Reply, Any]:
    async def main() -> tuple[Reply, Any]:
        async with (
            fakes.serve(*replies) as server,
            LiteLLMModel(model, api_base=server.url, api_key="sk-secret", **settings) as chat,
        ):
            return await chat.complete(HI, temperature=0), server

    found = asyncio.run(main())
    gc.collect()
    return found


def status(code: int, message: str = "no", **headers: str) -> Any:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"error": {"message": message}}, status=code, headers=headers)

    return handler


def test_a_completion_comes_back_with_usage_cost_and_times(fakes: Any) -> None:
    reply, server = ask(fakes, fakes.completion("hello"), options={"top_p": 0.5})
    assert reply.body["choices"][0]["message"]["content"] == "hello"
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 3)
    assert reply.cost_usd == 7 * Decimal("0.15e-6") + 3 * Decimal("0.6e-6")
    assert reply.latency_s is not None
    assert (server.bodies[0]["temperature"], server.bodies[0]["top_p"]) == (0, 0.5)


def test_a_model_without_a_price_has_no_cost_rather_than_none_to_pay(fakes: Any) -> None:
    reply, _ = ask(fakes, fakes.completion("hello"), model="openai/house-model")
    assert reply.cost_usd is None


@pytest.mark.parametrize(
    ("reply", "reason", "code", "retryable"),
    [
        (status(429), "rate_limited", 429, True),
        (status(500), "server_error", 500, True),
        (status(503), "server_error", 503, True),
        (status(400), "refused", 400, False),
        (status(401), "refused", 401, False),
        (status(404), "refused", 404, False),
    ],
)
def test_what_litellm_raises_has_our_reasons_after_one_attempt(
    fakes: Any, reply: Any, reason: str, code: int, retryable: bool
) -> None:
    async def main() -> int:
        async with fakes.serve(reply) as server:
            with pytest.raises(ProviderBroken) as caught:
                await LiteLLMModel("openai/m", api_base=server.url, api_key="sk-secret").complete(HI)
            assert (caught.value.reason, caught.value.status, caught.value.retryable) == (reason, code, retryable)
            return len(server.bodies)

    assert asyncio.run(main()) == 1


def test_the_wait_the_server_asks_for_is_read(fakes: Any) -> None:
    with pytest.raises(ProviderBroken) as caught:
        ask(fakes, status(429, "slow sk-secret", **{"retry-after": "7"}))
    assert caught.value.retry_after_s == 7.0
    assert "sk-secret" not in str(caught.value)


def test_a_refused_connection_is_retryable_and_has_no_status() -> None:
    with pytest.raises(ProviderBroken) as caught:
        asyncio.run(LiteLLMModel("openai/m", api_base="http://127.0.0.1:1", api_key="k").complete(HI))
    assert (caught.value.reason, caught.value.status, caught.value.retryable) == ("connection", None, True)


def test_an_empty_reply_is_one(fakes: Any) -> None:
    with pytest.raises(ProviderBroken) as caught:
        ask(fakes, fakes.completion(""))
    assert caught.value.reason == "empty_reply"


def test_a_stream_is_assembled_and_its_first_token_timed(fakes: Any) -> None:
    chunk = 'data: {{"id":"c","model":"m","object":"chat.completion.chunk","created":1,"choices":[{}]{}}}\n\n'
    pieces = (
        chunk.format('{"index":0,"delta":{"role":"assistant","content":"he"},"finish_reason":null}', ""),
        chunk.format('{"index":0,"delta":{"content":"y"},"finish_reason":null}', ""),
        chunk.format('{"index":0,"delta":{},"finish_reason":"stop"}', ""),
        chunk.format("", ',"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}'),
        "data: [DONE]\n\n",
    )
    reply, _ = ask(fakes, fakes.sse(*pieces), stream=True)
    assert reply.body["choices"][0]["message"]["content"] == "hey"
    assert reply.ttft_s is not None
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (4, 2)


def test_a_tool_loop_runs_over_it(fakes: Any) -> None:
    def add(a: int, b: int) -> int:
        return a + b

    async def main() -> Any:
        calls = fakes.completion(None, tool_calls=[fakes.tool_call("add", {"a": 1, "b": 2})])
        async with fakes.serve(calls, fakes.completion("3")) as server:
            model = LiteLLMModel("openai/gpt-4o-mini", api_base=server.url, api_key="k")
            async with ToolLoop(name="l", model=model, tools=[add]) as agent:
                return await agent.run(CASE, TRIAL)

    happened = asyncio.run(main())
    assert happened.error is None
    assert (happened.answer, happened.tool_calls[0].result) == ("3", "3")
    assert happened.cost_usd is not None


def test_a_replaying_gateway_needs_neither_litellm_nor_a_key() -> None:
    code = """
import asyncio, sys
from harness.agents.litellm_model import LiteLLMModel
from harness.core.case import Case
from harness.core.exchange import CURRENT, Reply, TrialContext
from harness.core.record import Trial

class Replaying:
    async def call(self, exchange, send):
        return Reply(body={"choices": [{"message": {"content": exchange.provider}}]}, replayed=True)

async def main():
    CURRENT.set(TrialContext(case=Case(id="c", input=""), trial=Trial.of("c", 0), gateway=Replaying()))
    reply = await LiteLLMModel("anthropic/claude").complete([])
    print(reply.body["choices"][0]["message"]["content"], "litellm" in sys.modules)

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "anthropic False"


def test_the_gateway_sees_the_request_without_the_key(fakes: Any) -> None:
    class Watching:
        seen: list[Exchange] = []

        async def call(self, exchange: Exchange, send: Send) -> Reply:
            self.seen.append(exchange)
            return await send()

    async def main() -> None:
        async with fakes.serve(fakes.completion()) as server:
            CURRENT.set(TrialContext(case=CASE, trial=TRIAL, gateway=Watching()))
            await LiteLLMModel(
                "openai/m", api_base=server.url, api_key="sk-secret", options={"max_tokens": 5}
            ).complete(HI)

    asyncio.run(main())
    exchange = Watching.seen[0]
    assert "sk-secret" not in repr(exchange)
    assert (exchange.model, exchange.output_tokens_at_most) == ("openai/m", 5)
    assert exchange.provider.startswith("127.0.0.1:")


def test_it_prints_nothing_and_fetches_no_price_map(fakes: Any) -> None:
    code = """
import asyncio, os, socket, sys
real = socket.getaddrinfo
def watched(host, *more, **named):
    if host not in ("127.0.0.1", None):
        sys.stderr.write(f"looked up {host}")
    return real(host, *more, **named)
socket.getaddrinfo = watched
from harness.agents.litellm_model import LiteLLMModel
from harness.core.errors import ProviderBroken
try:
    asyncio.run(LiteLLMModel("openai/m", api_base="http://127.0.0.1:1", api_key="k").complete([]))
except ProviderBroken:
    print(os.environ["LITELLM_MODE"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("PRODUCTION\n", "")

from __future__ import annotations

import asyncio
import gc
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from harness.agents import wire
from harness.agents.openai_compatible import OpenAICompatible
from harness.core.case import Case
from harness.core.errors import ProviderBroken, UsageError
from harness.core.exchange import CURRENT, Exchange, Reply, Send, TrialContext
from harness.core.record import Trial

HI = [{"role": "user", "content": "hi"}]
KEY = "sk-very-secret"


def ask(fakes: Any, *replies: Any, **settings: Any) -> tuple[Reply, Any]:
    """One completion from a real server that gives ``replies``."""

    async def main() -> tuple[Reply, Any]:
        async with fakes.serve(*replies) as server:
            model = OpenAICompatible(base_url=server.url + "/v1", model="m", api_key=KEY, **settings)
            return await model.complete(HI), server

    return asyncio.run(main())


def failure(fakes: Any, *replies: Any, **settings: Any) -> ProviderBroken:
    with pytest.raises(ProviderBroken) as caught:
        ask(fakes, *replies, **settings)
    return caught.value


def status(code: int, body: Any = None, **headers: str) -> Any:
    async def handler(_: web.Request) -> web.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=code, text=text, headers=headers)

    return handler


def test_a_completion_comes_back_with_usage_and_times(fakes: Any) -> None:
    reply, server = ask(fakes, fakes.completion("hello"))
    assert reply.body["choices"][0]["message"]["content"] == "hello"
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 3)
    assert reply.latency_s is not None
    assert reply.latency_s > 0
    assert reply.ttft_s is None
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_options_of_the_call_win_and_none_takes_a_field_out(fakes: Any) -> None:
    async def main() -> Any:
        async with fakes.serve(fakes.completion()) as server:
            model = OpenAICompatible(base_url=server.url, model="m", options={"temperature": 1, "top_p": 0.5})
            await model.complete(HI, tools=[{"type": "function"}], temperature=0, top_p=None)
            return server.bodies[0], server.headers[0]

    body, headers = asyncio.run(main())
    assert body == {"model": "m", "messages": HI, "tools": [{"type": "function"}], "temperature": 0}
    assert "Authorization" not in headers


def test_the_key_is_read_from_the_environment_when_the_request_is_sent(
    fakes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> Any:
        async with fakes.serve(fakes.completion()) as server:
            model = OpenAICompatible(base_url=server.url, model="m", api_key_env="SOME_KEY")
            monkeypatch.setenv("SOME_KEY", "later")
            await model.complete(HI)
            return server.headers[0]["Authorization"]

    assert asyncio.run(main()) == "Bearer later"


def test_the_gateway_sees_the_request_without_the_key(fakes: Any) -> None:
    class Watching:
        seen: list[Exchange] = []

        async def call(self, exchange: Exchange, send: Send) -> Reply:
            self.seen.append(exchange)
            return await send()

    async def main(server_url: str) -> None:
        model = OpenAICompatible(base_url=server_url, model="m", api_key=KEY, options={"max_tokens": 9, "n": 2})
        CURRENT.set(TrialContext(case=Case(id="c", input="x"), trial=Trial.of("c", 0), gateway=Watching()))
        await model.complete(HI)

    async def outer() -> str:
        async with fakes.serve(fakes.completion()) as server:
            await main(server.url)
            return str(server.url)

    url = asyncio.run(outer())
    exchange = Watching.seen[0]
    assert exchange.provider == url.removeprefix("http://")
    assert (exchange.operation, exchange.model, exchange.url) == ("chat", "m", url + "/chat/completions")
    assert exchange.output_tokens_at_most == 18
    assert KEY not in repr(exchange)


@pytest.mark.parametrize(
    ("reply", "reason", "retryable", "code"),
    [
        (status(429, {"error": {"message": "slow down"}}), "rate_limited", True, 429),
        (status(429, {"error": {"message": "pay", "code": "insufficient_quota"}}), "rate_limited", False, 429),
        (status(500, "boom"), "server_error", True, 500),
        (status(503, {"detail": "busy"}), "server_error", True, 503),
        (status(400, {"error": {"message": "no such field"}}), "refused", False, 400),
        (status(404, "<html>nothing</html>"), "refused", False, 404),
        (status(408, ""), "refused", True, 408),
        (status(302, "", Location="http://elsewhere/"), "refused", False, 302),
        (status(200, "{not json"), "bad_json", True, 200),
        (status(200, "[1]"), "bad_json", True, 200),
        (status(200, "[" * 5000), "bad_json", True, 200),
        (status(200, {"choices": []}), "empty_reply", True, 200),
        (status(200, {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}), "empty_reply", True, 200),
        (status(200, {"error": {"message": "overloaded"}}), "server_error", True, 200),
        (status(200, {"error": {"message": "later", "code": 429}}), "rate_limited", True, 200),
    ],
)
def test_each_failure_has_its_reason(fakes: Any, reply: Any, reason: str, retryable: bool, code: int) -> None:
    broken = failure(fakes, reply)
    assert (broken.reason, broken.retryable, broken.status) == (reason, retryable, code)


def test_one_call_is_one_attempt(fakes: Any) -> None:
    async def main() -> int:
        async with fakes.serve(status(500, "boom")) as server:
            with pytest.raises(ProviderBroken):
                await OpenAICompatible(base_url=server.url, model="m").complete(HI)
            return len(server.bodies)

    assert asyncio.run(main()) == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_the_wait_the_server_asks_for_is_read(fakes: Any, headers: dict[str, str], expected: float | None) -> None:
    assert failure(fakes, status(429, "", **headers)).retry_after_s == expected


def test_a_wait_until_a_date_is_counted_from_now(fakes: Any) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True)
    wait = failure(fakes, status(503, "", **{"Retry-After": date})).retry_after_s
    assert wait is not None
    assert 3000 < wait <= 3600


def test_the_key_is_never_quoted_even_when_the_server_does(fakes: Any) -> None:
    broken = failure(fakes, status(401, {"error": {"message": f"bad key {KEY}" + "x" * 5000}}))
    assert KEY not in str(broken)
    assert "[key]" in str(broken)
    assert len(str(broken)) < 700


def test_a_key_with_a_line_break_is_refused_without_being_shown() -> None:
    model = OpenAICompatible(base_url="http://127.0.0.1:9", model="m", api_key="sk-abc\nX: y")
    with pytest.raises(UsageError) as caught:
        asyncio.run(model.complete(HI))
    assert "sk-abc" not in str(caught.value)
    assert "sk-abc" not in repr(model)


def test_a_reply_over_the_cap_is_too_large(fakes: Any) -> None:
    assert failure(fakes, fakes.completion("x" * 5000), max_reply_bytes=2000).reason == "too_large"


def test_a_reply_without_length_over_the_cap_is_too_large(fakes: Any) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _ in range(1000):
            try:
                await response.write(b" " * 10_000)
            except ConnectionError:
                break
        return response

    assert failure(fakes, endless, max_reply_bytes=100_000).reason == "too_large"


def test_a_big_reply_in_many_pieces_is_whole(fakes: Any) -> None:
    reply, _ = ask(fakes, fakes.completion("é" * 1_000_000))
    assert reply.body["choices"][0]["message"]["content"] == "é" * 1_000_000


def test_numbers_that_json_does_not_know_become_null(fakes: Any) -> None:
    text = json.dumps(fakes.completion()).replace('"created": 1', '"created": NaN, "a": -Infinity, "b": 1e999')
    reply, _ = ask(fakes, status(200, text))
    assert (reply.body["created"], reply.body["a"], reply.body["b"]) == (None, None, None)


def test_lone_surrogates_travel(fakes: Any) -> None:
    async def main() -> Any:
        async with fakes.serve(fakes.completion("\ud83d ok")) as server:
            reply = await OpenAICompatible(base_url=server.url, model="m").complete(
                [{"role": "user", "content": "\ud800"}]
            )
            return reply.body["choices"][0]["message"]["content"], server.bodies[0]["messages"][0]["content"]

    assert asyncio.run(main()) == ("\ud83d ok", "\ud800")


def test_usage_that_cannot_be_read_is_not_measured(fakes: Any) -> None:
    for usage in ({"prompt_tokens": "many"}, {"prompt_tokens": -1}, {"prompt_tokens_details": [1]}, [], None):
        reply, _ = ask(fakes, {**fakes.completion(), "usage": usage})
        assert reply.usage is None


def test_a_message_cut_by_the_length_limit_may_be_empty(fakes: Any) -> None:
    body = {"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}
    assert ask(fakes, body)[0].body == body


def test_a_refused_connection_is_retryable() -> None:
    with pytest.raises(ProviderBroken, match=r"127\.0\.0\.1:1") as caught:
        asyncio.run(OpenAICompatible(base_url="http://127.0.0.1:1/v1", model="m").complete(HI))
    assert (caught.value.reason, caught.value.retryable, caught.value.status) == ("connection", True, None)


def test_a_connection_lost_before_the_reply_is_retryable(fakes: Any) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    broken = failure(fakes, hang_up)
    assert (broken.reason, broken.retryable) == ("connection", True)


def test_a_server_that_does_not_answer_in_time_is_a_connection_failure(fakes: Any) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    broken = failure(fakes, slow, timeout_s=0.05)
    assert (broken.reason, broken.retryable) == ("connection", True)
    assert "timeout_s" in str(broken)


def test_what_is_no_http_is_a_connection_failure() -> None:
    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"SSH-2.0-hello\r\n\r\n")
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            await OpenAICompatible(base_url=f"http://127.0.0.1:{port}", model="m").complete(HI)

    with pytest.raises(ProviderBroken) as caught:
        asyncio.run(main())
    assert caught.value.reason == "connection"


def test_a_stream_is_assembled_and_its_first_token_timed(fakes: Any) -> None:
    pieces = (
        'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\r\n\r\n',
        ': ping\n\ndata: {"choices":[{"delta":{"con',
        'tent":"he"}}]}\n\ndata: {"choices":[{"delta":{"content":"y"}}]}\n\n',
        'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
        'data: {"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":2}}\n\ndata: [DONE]\n\n',
    )
    reply, server = ask(fakes, fakes.sse(*pieces), stream=True)
    assert reply.body["choices"][0]["message"]["content"] == "hey"
    assert reply.usage is not None
    assert reply.usage.input_tokens == 4
    assert reply.ttft_s is not None
    assert reply.latency_s is not None
    assert 0 < reply.ttft_s <= reply.latency_s
    assert server.bodies[0]["stream_options"] == {"include_usage": True}


def test_a_stream_cut_by_the_connection_is_cut(fakes: Any) -> None:
    broken = failure(fakes, fakes.sse('data: {"choices":[{"delta":{"content":"he"}}]}\n\n', cut=True), stream=True)
    assert (broken.reason, broken.retryable) == ("cut_stream", True)


def test_a_server_that_does_not_stream_is_read_all_the_same(fakes: Any) -> None:
    reply, _ = ask(fakes, fakes.completion("plain"), stream=True)
    assert reply.body["choices"][0]["message"]["content"] == "plain"
    assert reply.ttft_s is None


def test_a_server_that_leaves_its_finished_stream_open_does_not_hold_the_call(fakes: Any) -> None:
    async def open_end(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(
            b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        )
        await asyncio.sleep(30)
        return response

    reply, _ = ask(fakes, open_end, stream=True, timeout_s=10)
    assert reply.body["choices"][0]["message"]["content"] == "x"


def test_calls_share_one_session_per_loop_and_reuse_its_connections(fakes: Any) -> None:
    async def main() -> tuple[bool, int]:
        ports = set()

        async def answer(request: web.Request) -> web.Response:
            assert request.transport is not None
            ports.add(request.transport.get_extra_info("peername")[1])
            return web.json_response(fakes.completion())

        async with fakes.serve(handler=answer) as server:
            models = [OpenAICompatible(base_url=server.url, model=name) for name in "abc"]
            session = await wire.shared_session()
            for model in models * 3:
                await model.complete(HI)
            return session is await wire.shared_session(), len(ports)

    assert asyncio.run(main()) == (True, 1)


def test_nothing_is_left_open_after_the_loop_ends(fakes: Any) -> None:
    ask(fakes, fakes.completion())
    gc.collect()  # an unclosed session or transport would warn here, and a warning is an error
    assert len(wire._sessions) == 0


def test_closing_is_put_off_while_another_client_holds_the_session(fakes: Any) -> None:
    async def main() -> list[bool]:
        seen = []
        async with fakes.serve(fakes.completion()) as server:
            one = OpenAICompatible(base_url=server.url, model="m")
            async with one:
                await one.complete(HI)
                session = await wire.shared_session()
                async with OpenAICompatible(base_url=server.url, model="other") as other:
                    await other.complete(HI)
                await other.aclose()
                seen.append(session.closed)
            seen.append(session.closed)
            await one.complete(HI)  # a later call opens a new one
            await one.aclose()
        return seen

    assert asyncio.run(main()) == [False, True]


@pytest.mark.parametrize("base", ["", "api.openai.com/v1", "ftp://x/v1", "http://", "http://x:notaport/"])
def test_an_address_that_is_none_is_refused_at_once(base: str) -> None:
    with pytest.raises(UsageError, match="http"):
        OpenAICompatible(base_url=base, model="m")


@pytest.mark.parametrize(
    ("base", "url", "provider"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions", "api.openai.com"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions", "api.openai.com"),
        ("http://h:8/v1/chat/completions", "http://h:8/v1/chat/completions", "h:8"),
        ("https://x.azure.com/d?api-version=1", "https://x.azure.com/d/chat/completions?api-version=1", "x.azure.com"),
        ("http://[::1]:80/v1", "http://[::1]:80/v1/chat/completions", "[::1]:80"),
    ],
)
def test_the_endpoint_is_read_from_the_base_address(base: str, url: str, provider: str) -> None:
    model = OpenAICompatible(base_url=base, model="m")
    assert (model.url, model.provider) == (url, provider)


@pytest.mark.parametrize("bad", [{"timeout_s": 0}, {"timeout_s": -1}, {"max_reply_bytes": 0}])
def test_impossible_limits_are_refused_at_once(bad: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="above 0"):
        OpenAICompatible(base_url="http://h/v1", model="m", **bad)


def test_a_request_that_is_no_json_is_refused_with_the_reason() -> None:
    model = OpenAICompatible(base_url="http://127.0.0.1:9", model="m")
    with pytest.raises(UsageError, match="cannot be written as JSON"):
        asyncio.run(model.complete([{"role": "user", "content": object()}]))

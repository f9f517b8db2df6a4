from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from harness.agents.http import HttpAgent
from harness.core.case import Case
from harness.core.errors import AgentBroken, ProviderBroken, UsageError
from harness.core.exchange import CURRENT, Exchange, Reply, Send, TrialContext
from harness.core.record import Trial
from harness.core.trajectory import Trajectory

CASE = Case(id="c", input={"question": "hi"}, metadata={"lang": "en"})
TRIAL = Trial.of("c", 0)


def ask(fakes: Any, *replies: Any, case: Case = CASE, path: str = "/ask", **settings: Any) -> tuple[Trajectory, Any]:
    async def main() -> tuple[Trajectory, Any]:
        async with (
            fakes.serve(*replies) as server,
            HttpAgent(server.url + path, headers={"Authorization": "Bearer s3cret"}, **settings) as agent,
        ):
            return await agent.run(case, TRIAL), server

    return asyncio.run(main())


def answer(**reply: Any) -> Any:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(**reply)

    return handler


def test_the_service_is_sent_what_the_docs_say(fakes: Any) -> None:
    happened, server = ask(fakes, {"answer": "yes"})
    assert happened.answer == "yes"
    [body] = server.bodies
    assert body.pop("session_id")
    assert body == {
        "input": {"question": "hi"},
        "messages": [{"role": "user", "content": '{"question":"hi"}'}],
        "case_id": "c",
        "trial": 0,
        "metadata": {"lang": "en"},
    }
    assert server.headers[0]["Authorization"] == "Bearer s3cret"


def test_turns_of_a_trial_share_a_session_and_trials_do_not(fakes: Any) -> None:
    async def main() -> list[Any]:
        async with fakes.serve({"answer": "a"}) as server:
            agent = HttpAgent(server.url)
            case = Case(id="c", input="one", turns=("two",))
            await agent.run(case, TRIAL)
            await agent.run(case, TRIAL)
            return list(server.bodies)

    bodies = asyncio.run(main())
    sessions = [body["session_id"] for body in bodies]
    assert sessions[0] == sessions[1] != sessions[2] == sessions[3]
    assert [body["input"] for body in bodies[:2]] == ["one", "two"]
    assert [m["content"] for m in bodies[1]["messages"]] == ["one", "a", "two"]


@pytest.mark.parametrize(
    "reply",
    [
        {"output": "yes"},
        {"messages": [{"role": "assistant", "content": "yes"}]},
        {"choices": [{"message": {"role": "assistant", "content": "yes"}}]},
        "yes",
        answer(text="yes", content_type="text/plain"),
        answer(text='{"answer": "yes"}', content_type="text/html"),
        answer(text='{"answer": "yes"}', content_type="application/json", status=201),
    ],
)
def test_every_kind_of_reply_is_read(fakes: Any, reply: Any) -> None:
    assert ask(fakes, reply)[0].answer == "yes"


def test_usage_and_cost_are_read(fakes: Any) -> None:
    happened, _ = ask(fakes, {"answer": "x", "usage": {"prompt_tokens": 5}, "cost_usd": 0.25})
    assert (happened.usage.input_tokens, happened.cost_usd) == (5, Decimal("0.25"))


def test_a_cost_without_usage_is_reported(fakes: Any) -> None:
    assert ask(fakes, {"answer": "x", "cost_usd": 0.25})[0].cost_usd == Decimal("0.25")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (answer(status=429), "rate_limited"),
        (answer(status=502), "server_error"),
        (answer(status=404, text="no such page"), "refused"),
        (answer(text="", content_type="application/json"), "empty_reply"),
        (answer(text="<html>", content_type="text/html"), "bad_json"),
        (answer(text='"' + "x" * 3000 + '"', content_type="application/json"), "too_large"),
    ],
)
def test_failures_of_the_service_have_their_reason(fakes: Any, reply: Any, reason: str) -> None:
    with pytest.raises(ProviderBroken) as caught:
        ask(fakes, reply, max_reply_bytes=2000)
    assert caught.value.reason == reason


def test_a_reply_without_an_answer_is_the_agents_failure(fakes: Any) -> None:
    with pytest.raises(AgentBroken, match="a mapping with 'result'"):
        ask(fakes, {"result": "yes"})


def test_the_gateway_sees_the_same_request_in_every_run_and_no_secret(fakes: Any) -> None:
    class Watching:
        def __init__(self) -> None:
            self.seen: list[Exchange] = []

        async def call(self, exchange: Exchange, send: Send) -> Reply:
            self.seen.append(exchange)
            return await send()

    async def main() -> list[Exchange]:
        gate = Watching()
        async with fakes.serve({"answer": "x"}) as server:
            CURRENT.set(TrialContext(case=CASE, trial=TRIAL, gateway=gate))
            agent = HttpAgent(server.url, headers={"Authorization": "Bearer s3cret"})
            await agent.run(CASE, TRIAL)
            await agent.run(CASE, TRIAL)
        return gate.seen

    first, second = asyncio.run(main())
    assert first == second
    assert (first.operation, first.provider) == ("http", first.url.removeprefix("http://"))
    assert "s3cret" not in repr(first)


def test_a_chat_completions_address_is_spoken_to_as_a_model(fakes: Any) -> None:
    happened, server = ask(fakes, fakes.completion("yes"), path="/v1/chat/completions", model="m")
    assert happened.answer == "yes"
    assert server.paths == ["/v1/chat/completions"]
    assert server.bodies[0]["model"] == "m"
    assert "input" not in server.bodies[0]


@pytest.mark.parametrize("url", ["", "localhost:1/ask", "http://", "ftp://h/x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"http\(s\)"):
        HttpAgent(url)

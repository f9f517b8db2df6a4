"""A model server for these tests: a real HTTP server on 127.0.0.1, inside the test's own event loop."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    url: str = ""
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def completion(content: str | None = "hello", **more: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": content, **more}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "served-model",
        "choices": [
            {"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in more else "stop"}
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


def tool_call(name: str, arguments: Any, call_id: str | None = "call_1") -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call: dict[str, Any] = {"type": "function", "function": {"name": name, "arguments": text}}
    if call_id is not None:
        call["id"] = call_id
    return call


@asynccontextmanager
async def serve(*replies: Any, handler: Handler | None = None) -> AsyncIterator[Server]:
    """A server that answers with each of ``replies`` in turn, the last one for ever; a reply is JSON or a function."""
    server = Server()
    left = list(replies)

    async def answer(request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            server.bodies.append(json.loads(raw))
        except ValueError:
            server.bodies.append(raw)
        server.headers.append(dict(request.headers))
        server.paths.append(request.path)
        if handler is not None:
            return await handler(request)
        reply = left.pop(0) if len(left) > 1 else left[0]
        if callable(reply):
            return await reply(request)
        return web.json_response(reply)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def sse(*pieces: str | bytes, cut: bool = False) -> Handler:
    """A handler that writes each piece in its own write, and at the end aborts the connection when ``cut``."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece.encode() if isinstance(piece, str) else piece)
        if cut:
            assert request.transport is not None
            request.transport.abort()
        return response

    return handler


class Fakes:
    """What the tests of this room share, without an importable module."""

    serve = staticmethod(serve)
    completion = staticmethod(completion)
    tool_call = staticmethod(tool_call)
    sse = staticmethod(sse)


@pytest.fixture
def fakes() -> type[Fakes]:
    return Fakes

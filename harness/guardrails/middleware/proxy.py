"""A guarded proxy: guards in front of a chat endpoint that is somebody else's, and a small server to run it.

``forward(url)`` is an ASGI application that sends every request on; ``proxy(url, policy)`` puts the middleware around
it and refuses every other path; ``serve(app)`` runs any ASGI application on aiohttp's HTTP server, without a further
dependency. On the command line::

    python -m harness.guardrails.middleware --upstream http://127.0.0.1:8000 --policy my_guards:policy
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from harness.core.errors import UsageError
from harness.guardrails.middleware import App, GuardMiddleware, Receive, Scope, Send
from harness.guardrails.middleware.refusals import Refusal, send_refusal

_NAMES = """
    accept-encoding connection content-length expect host keep-alive proxy-authenticate proxy-authorization te trailer
    transfer-encoding upgrade
"""
_HOP = frozenset(name.encode() for name in _NAMES.split())
"""Headers that belong to one connection, or that the other side must set anew."""
_CHUNK = 65_536


def proxy(upstream: str, policy: Any, **options: Any) -> GuardMiddleware:
    """Guards in front of the endpoint at ``upstream``; every path that is not guarded is refused.

    :param options: see :class:`harness.guardrails.middleware.GuardMiddleware`.
    """
    return GuardMiddleware(forward(upstream), policy, **{"others": "refuse", **options})


def forward(upstream: str, *, timeout_s: float = 600.0) -> App:
    """An application that sends every request on to ``upstream`` and streams the answer back.

    :param upstream: where paths begin, such as ``http://127.0.0.1:8000``. Redirects are not followed.
    :raises UsageError: when it is no http(s) URL.
    """
    parts = urlsplit(upstream)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"upstream must be a URL like http://127.0.0.1:8000, got {upstream[:200]!r}")
    base = upstream.rstrip("/")
    timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=10)
    sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send, sessions)
            return
        loop = asyncio.get_running_loop()
        if loop not in sessions:
            sessions[loop] = aiohttp.ClientSession(timeout=timeout, auto_decompress=False)
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"] if n.lower() not in _HOP]
        path = scope.get("raw_path") or scope["path"].encode()
        query = scope.get("query_string", b"")
        url = f"{base}{path.decode('latin-1')}{'?' if query else ''}{query.decode('latin-1')}"
        started = False
        try:
            async with sessions[loop].request(
                scope["method"],
                URL(url, encoded=True),
                headers=headers,
                data=await _whole(receive),
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept-Encoding"),
            ) as response:
                raw = [(name.lower(), value) for name, value in response.raw_headers if name.lower() not in _HOP]
                started = True
                await send({"type": "http.response.start", "status": response.status, "headers": raw})
                async for chunk in response.content.iter_chunked(_CHUNK):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (aiohttp.ClientError, TimeoutError, ValueError):
            if started:
                raise
            await send_refusal(send, Refusal(502, "bad_answer", "The service gave no answer."))

    return app


async def _lifespan(
    receive: Receive, send: Send, sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession]
) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            session = sessions.pop(asyncio.get_running_loop(), None)
            if session is not None:
                await session.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "lifespan.startup.complete"})


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


@asynccontextmanager
async def serve(app: App, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Run an ASGI application on aiohttp's HTTP server while the block runs; gives its URL.

    :param port: 0: any free one.
    """
    lifespan = _Lifespan(app)
    await lifespan.start()
    server = web.Server(_Handler(app), access_log=None)
    runner = web.ServerRunner(server)
    try:
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()
        await lifespan.stop()


class _Lifespan:
    """Start-up and shutdown of an application; one that does not know them is left alone."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._inbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._outbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.ensure_future(self._run())
        await self._ask("lifespan.startup")

    async def stop(self) -> None:
        await self._ask("lifespan.shutdown")
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        await self._app({"type": "lifespan", "asgi": {"version": "3.0"}}, self._inbox.get, self._outbox.put)

    async def _ask(self, kind: str) -> None:
        if self._task is None or self._task.done():
            return
        await self._inbox.put({"type": kind})
        answer = asyncio.ensure_future(self._outbox.get())
        done, _ = await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer not in done:
            answer.cancel()
        elif answer.result()["type"].endswith(".failed"):
            raise RuntimeError(f"the application did not come up: {answer.result().get('message', '')[:500]}")


class _Handler:
    """One HTTP request as an ASGI connection."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": f"{request.version.major}.{request.version.minor}",
            "method": request.method,
            "scheme": request.scheme,
            "path": request.path,
            "raw_path": request.rel_url.raw_path.encode("latin-1"),
            "query_string": request.rel_url.raw_query_string.encode("latin-1"),
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.raw_headers],
            "client": (peer[0], peer[1]) if peer else None,
            "server": None,
        }
        return await _Exchange(request).run(self._app, scope)


class _Exchange:
    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self._response: web.StreamResponse | None = None
        self._read = False
        self._gone = asyncio.Event()

    async def run(self, app: App, scope: Scope) -> web.StreamResponse:
        try:
            await app(scope, self._receive, self._send)
        except Exception:
            if self._response is None:
                return web.Response(status=500, text="Internal Server Error")
            raise
        finally:
            self._gone.set()
        if self._response is None:
            return web.Response(status=500, text="Internal Server Error")
        await self._response.write_eof()
        return self._response

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._read:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        chunk = await self._request.content.readany()
        self._read = self._request.content.at_eof()
        return {"type": "http.request", "body": chunk, "more_body": not self._read}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._response = web.StreamResponse(status=message["status"])
            for name, value in message.get("headers", ()):
                self._response.headers.add(name.decode("latin-1"), value.decode("latin-1"))
            await self._response.prepare(self._request)
        elif message["type"] == "http.response.body" and self._response is not None and message.get("body"):
            await self._response.write(message["body"])

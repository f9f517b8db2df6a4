"""One POST over a shared aiohttp session: the slim path under every adapter that speaks HTTP.

One session per event loop, without a connection limit (the engine limits), cookies, redirects, compression or
retries: what a trial measures is the endpoint, and one call here is one attempt there.
"""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from harness.core.errors import ProviderBroken

_DRAIN_S = 0.25
"""How long a finished event stream may take to close its connection for reuse before the connection is dropped."""
_STREAM_FACTOR = 32
"""Raw bytes of an event stream per byte of the reply's cap: each token of a stream is wrapped in its own JSON."""

_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, AsyncGenerator[None, None]]]
_sessions = WeakKeyDictionary()
_holds: WeakKeyDictionary[asyncio.AbstractEventLoop, int] = WeakKeyDictionary()


class Answer(NamedTuple):
    """What came back from one attempt."""

    status: int
    headers: Mapping[str, str]
    content_type: str
    """Lower case, without parameters."""
    body: bytes
    """Empty for an event stream that was fed to its reader."""


async def post(
    url: URL,
    data: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    max_bytes: int,
    proxy: str | None = None,
    feed: Callable[[bytes], bool] | None = None,
) -> Answer:
    """The answer to one POST. Any status is an answer; only transport failures raise.

    :param feed: given each piece of a successful ``text/event-stream`` body; returns True when the stream is complete.
    :raises ProviderBroken: ``connection`` (lost, refused, not HTTP, no full reply within ``timeout_s``),
        ``cut_stream`` (lost inside an event stream) or ``too_large`` (more than ``max_bytes``).
    """
    session = await shared_session()
    streaming = False
    try:
        async with session.post(
            url,
            data=data,
            headers=headers,
            proxy=proxy,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as response:
            content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if feed is not None and response.status == 200 and content_type == "text/event-stream":
                streaming = True
                await _feed(response, feed, max_bytes)
                return Answer(response.status, response.headers, content_type, b"")
            body = await _read(response, max_bytes)
            return Answer(response.status, response.headers, content_type, body)
    except TimeoutError as error:
        reason = "cut_stream" if streaming else "connection"
        raise ProviderBroken(
            f"{url.host}:{url.port} gave no complete reply within {timeout_s:g} s (raise timeout_s to wait longer)",
            reason=reason,
            retryable=True,
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        what = "the event stream broke off" if streaming else "the connection failed"
        raise ProviderBroken(
            f"{url.host}:{url.port}: {what}: {type(error).__name__}: {str(error)[:300]}",
            reason="cut_stream" if streaming else "connection",
            retryable=True,
        ) from error


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    length = response.content_length
    if length is not None and length > max_bytes:
        raise _too_large(response, max_bytes)
    first = await response.content.readany()
    if response.content.at_eof():
        if len(first) > max_bytes:
            raise _too_large(response, max_bytes)
        return first
    parts, size = [first], len(first)
    while size <= max_bytes:
        part = await response.content.readany()
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
    raise _too_large(response, max_bytes)


async def _feed(response: aiohttp.ClientResponse, feed: Callable[[bytes], bool], max_bytes: int) -> None:
    size = 0
    while part := await response.content.readany():
        size += len(part)
        if size > max_bytes * _STREAM_FACTOR:
            raise _too_large(response, max_bytes)
        if feed(part):
            break
    if not response.content.at_eof():
        # Reading to the end lets the connection be used again; a server that never ends its stream must not hold us.
        try:
            async with asyncio.timeout(_DRAIN_S):
                await response.content.readany()
        except (TimeoutError, aiohttp.ClientError, OSError):
            response.close()


def _too_large(response: aiohttp.ClientResponse, max_bytes: int) -> ProviderBroken:
    response.close()
    return ProviderBroken(
        f"{response.url.host}:{response.url.port} sent more than {max_bytes} bytes (raise max_reply_bytes to accept)",
        reason="too_large",
        status=response.status,
    )


async def shared_session() -> aiohttp.ClientSession:
    """The session of the running loop; made on first use.

    It is closed by :func:`close_shared_session`, or else when the loop shuts its asynchronous generators down, as
    ``asyncio.run`` and ``asyncio.Runner`` do: so no owner has to remember it.
    """
    loop = asyncio.get_running_loop()
    held = _sessions.get(loop)
    if held is not None and not held[0].closed:
        return held[0]
    for other in [other for other in _sessions if other.is_closed()]:
        _sessions.pop(other, None)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=20),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": "harness"},
    )
    guard = _guard(session)
    _sessions[loop] = (session, guard)
    await anext(guard)
    return session


def hold_shared_session() -> None:
    """Say that somebody works with the running loop's session until :func:`release_shared_session`."""
    loop = asyncio.get_running_loop()
    _holds[loop] = _holds.get(loop, 0) + 1


async def release_shared_session() -> None:
    """Take one hold back; the last one closes the session."""
    loop = asyncio.get_running_loop()
    _holds[loop] = max(0, _holds.get(loop, 0) - 1)
    await close_shared_session()


async def close_shared_session() -> None:
    """Close the running loop's session, if it has one that nobody holds; the next call makes a new one."""
    loop = asyncio.get_running_loop()
    if _holds.get(loop):
        return
    held = _sessions.pop(loop, None)
    if held is not None:
        await held[1].aclose()


async def _guard(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        _sessions.pop(asyncio.get_running_loop(), None)
        await session.close()
        await asyncio.sleep(0)  # lets the transports close before the loop does


def proxy_for(url: URL, *, local: bool) -> str | None:
    """The proxy that the environment names for ``url``; none for this machine. Decided once per client."""
    host = url.host or ""
    if local or host in ("localhost", "127.0.0.1", "::1") or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(url.scheme)

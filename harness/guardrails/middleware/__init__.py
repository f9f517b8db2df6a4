"""GuardMiddleware: guards in front of any ASGI chat endpoint that speaks OpenAI's chat format, streaming too.

What happens to a request on a guarded path:

1. The body is read (bounded), parsed, and every text in it judged: the last user message as the input, earlier ones as
   history, tool messages as tool results. What was judged is written anew for the app, so that the app cannot read
   the bytes differently (two keys of one name, another encoding).
2. The app's answer is judged before the client sees it: texts as outputs, tool calls as tool calls. A stream is held
   until it is complete (``stream="hold"``), or released behind a window (``stream="window"``).

What the client learns: ``blocked``, ``needs_review``, ``rate_limited`` (with ``Retry-After``), ``unavailable`` (the
guards could not decide) or what is wrong with the request; the same words whatever guard it was. See ``refusals``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Literal

from harness.core.errors import UsageError
from harness.guardrails.middleware.answers import Answers
from harness.guardrails.middleware.refusals import Refusal, send_refusal
from harness.guardrails.middleware.requests import admitted_body, read_body
from harness.guardrails.pipeline import Pipeline, as_pipeline
from harness.guardrails.session import Session

__all__ = ["GuardMiddleware", "by_client_address"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Who = Callable[[Scope], Mapping[str, Any]]


def by_client_address(scope: Scope) -> Mapping[str, Any]:
    """Who asks, where nothing better is known: the address the connection comes from, as user and session."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    return {"user": address, "session": address}


class GuardMiddleware:
    """An ASGI 3 application around another one. See the words at the top of this file.

    :param app: the application that answers.
    :param policy: a pipeline, a guard, or guards.
    :param who: who asks (``user``, ``tenant``, ``session``, ...) for a connection; read only what your own front door
        has verified. Default: the client's address.
    :param paths: guarded paths, compared without regard to case, doubled and trailing slashes.
    :param others: what happens on other paths: ``pass``, or ``refuse`` with 404.
    :param trusted_roles: roles of messages that are the team's own words, and are not judged.
    :param unjudged_parts: types of content parts that may pass though no guard can read them, such as ``image_url``.
    :param stream: ``hold``: a stream is released when all of it was judged. ``window``: text is released while more
        comes, but for the last ``window_chars``; a detection after that cuts the stream.
    :param max_body_bytes: of a request. :param max_answer_bytes: of an answer.
    """

    def __init__(
        self,
        app: App,
        policy: Any,
        *,
        who: Who = by_client_address,
        paths: Iterable[str] = ("/v1/chat/completions",),
        others: Literal["pass", "refuse"] = "pass",
        trusted_roles: Iterable[str] = ("system", "developer"),
        unjudged_parts: Iterable[str] = (),
        stream: Literal["hold", "window"] = "hold",
        window_chars: int = 400,
        max_body_bytes: int = 1_000_000,
        max_answer_bytes: int = 10_000_000,
    ) -> None:
        if others not in ("pass", "refuse"):
            raise UsageError(f"others must be pass or refuse, got {others!r}")
        if stream not in ("hold", "window"):
            raise UsageError(f"stream must be hold or window, got {stream!r}")
        if window_chars < 1 or max_body_bytes < 1 or max_answer_bytes < 1:
            raise UsageError("window_chars, max_body_bytes and max_answer_bytes must be at least 1")
        self.app = app
        self.pipeline: Pipeline = as_pipeline(policy)
        self.paths = frozenset(_normal(path) for path in ((paths,) if isinstance(paths, str) else paths))
        self._who = who
        self._others = others
        self._trusted = frozenset(trusted_roles)
        self._unjudged = frozenset(unjudged_parts)
        self._stream = stream
        self._window = window_chars
        self._max_body = max_body_bytes
        self._max_answer = max_answer_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        guarded = _normal(scope["path"]) in self.paths
        if not guarded and self._others == "pass":
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            if not guarded:
                raise Refusal(404, "not_found", "There is nothing here.")
            if scope["method"] in ("OPTIONS", "HEAD"):
                await self.app(scope, receive, send)
                return
            if scope["method"] != "POST":
                raise Refusal(405, "method_not_allowed", "Use POST.", headers={"allow": "POST, OPTIONS, HEAD"})
            await self._guard(scope, receive, send)
        except Refusal as refusal:
            await send_refusal(send, refusal)

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = Session(pipeline=self.pipeline, data=dict(self._who(scope)))
        raw = await read_body(scope, receive, self._max_body)
        body = await admitted_body(raw, session, trusted=self._trusted, unjudged=self._unjudged)
        answers = Answers(
            send, session, window=self._window if self._stream == "window" else None, max_bytes=self._max_answer
        )
        sent = False

        async def given() -> MutableMapping[str, Any]:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(_rewritten(scope, len(body)), given, answers.send)
        await answers.end()


def _normal(path: str) -> str:
    return "/" + "/".join(part for part in path.casefold().split("/") if part)


def _rewritten(scope: Scope, length: int) -> Scope:
    """The scope for the app: the new body's length, no compression that would hide the answer, no extensions."""
    gone = (b"content-length", b"accept-encoding", b"transfer-encoding", b"content-type")
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in gone]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(length).encode())]
    return {**scope, "headers": headers, "extensions": {}}

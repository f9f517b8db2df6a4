"""Judging what the app answers, before the client sees it: JSON, event streams, and anything else.

The words:

- *channel*: one text that grows while it is streamed: a field (``content``, ``reasoning_content``, ...) of a choice.
- *hold*: nothing of a stream is released until all of it was judged. *Window*: a channel's text is released up to the
  last so many characters of what was judged; a later detection inside the window is redacted in time, one that
  reaches back before it cuts the stream.
- Tool calls are never released before they are complete and judged.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from harness.core.decision import Event
from harness.guardrails.middleware.refusals import Refusal, send_refusal
from harness.guardrails.middleware.streams import EventStream
from harness.guardrails.session import Session, parsed

_GONE = frozenset(
    (b"content-length", b"content-encoding", b"content-type", b"transfer-encoding", b"etag", b"digest", b"content-md5")
)
"""Headers of the app's answer that describe a body which may no longer be the one that is sent."""


class Answers:
    """Takes the place of ASGI's ``send``."""

    def __init__(
        self,
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
        session: Session,
        *,
        window: int | None,
        max_bytes: int,
    ) -> None:
        self._send = send
        self._session = session
        self._window = window
        self._max_bytes = max_bytes
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._stream: EventStream | None = None
        self._started = False
        self._over = False

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """One message of the app's."""
        if self._over:
            return
        if message["type"] == "http.response.start":
            self._start(message)
        elif message["type"] == "http.response.body":
            try:
                await self._body(message)
            except Refusal as refusal:
                await self._refuse(refusal)

    async def end(self) -> None:
        """The app has returned."""
        if not self._over:
            await self._refuse(Refusal(502, "bad_answer", "The service gave no answer."))

    def _start(self, message: Mapping[str, Any]) -> None:
        self._status = message["status"]
        headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        self._headers = [(name, value) for name, value in headers if name not in _GONE]
        named = dict(headers)
        self._kind = named.get(b"content-type", b"").split(b";")[0].strip().lower()
        self._readable = named.get(b"content-encoding", b"identity").strip().lower() in (b"", b"identity")
        if self._kind == b"text/event-stream" and self._status == 200:
            self._stream = EventStream(self._session, window=self._window)

    async def _body(self, message: Mapping[str, Any]) -> None:
        part, more = message.get("body", b""), message.get("more_body", False)
        self._size += len(part)
        if self._size > self._max_bytes:
            raise Refusal(502, "bad_answer", "The answer is too large.")
        if not self._readable:
            raise Refusal(502, "bad_answer", "The answer cannot be read.")
        if self._stream is not None:
            released = await self._stream.feed(part)
            if not more:
                released += await self._stream.finish()
            if released or not more:
                await self._release(released, more)
            return
        self._parts.append(part)
        if not more:
            await self._release(await self._whole(b"".join(self._parts)), False)

    async def _whole(self, raw: bytes) -> bytes:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Refusal(502, "bad_answer", "The answer cannot be read.") from None
        try:
            body = json.loads(text) if text else None
        except (ValueError, RecursionError):
            body = None
        choices = body.get("choices") if isinstance(body, dict) else None
        if self._status != 200 or not isinstance(body, dict) or not isinstance(choices, list):
            return (await judged_text(self._session, text)).encode() if text else b""
        body["choices"] = [await judged_choice(self._session, choice) for choice in choices]
        return json.dumps(body, ensure_ascii=True).encode()

    async def _release(self, data: bytes, more: bool) -> None:
        if not self._started:
            self._started = True
            headers = [*self._headers, (b"content-type", self._kind or b"application/json")]
            if self._stream is None:
                headers.append((b"content-length", str(len(data)).encode()))
            await self._send({"type": "http.response.start", "status": self._status, "headers": headers})
        self._over = not more
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def _refuse(self, refusal: Refusal) -> None:
        self._over = True
        if not self._started:
            await send_refusal(self._send, refusal)
            return
        last = f"data: {json.dumps(refusal.to_json())}\n\ndata: [DONE]\n\n".encode()
        await self._send({"type": "http.response.body", "body": last, "more_body": False})


async def judged_text(session: Session, text: str, **data: Any) -> str:
    """A text as it may be said. Raises Refusal."""
    decision = await session.judge(Event(kind="output", text=text, data=data))
    if decision.stops:
        raise Refusal.of(decision)
    return text if decision.text is None else decision.text


async def judged_choice(session: Session, choice: Any) -> Any:
    """A choice of a chat completion as it may be given. Raises Refusal."""
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise Refusal(502, "bad_answer", "The answer cannot be read.")
    made: dict[str, Any] = {}
    for name, value in message.items():
        if isinstance(value, str) and name not in ("role", "name") and value:
            made[name] = await judged_text(session, value)
        elif name == "content" and isinstance(value, list):
            parts = [part.get("text", "") for part in value if isinstance(part, dict)]
            made[name] = await judged_text(session, "".join(part for part in parts if isinstance(part, str)))
        elif name == "tool_calls" and isinstance(value, list):
            made[name] = [await judged_call(session, call) for call in value]
        elif name in ("role", "name", "content", "annotations", "refusal") or value is None:
            made[name] = value
    kept = {name: value for name, value in choice.items() if name in ("index", "finish_reason")}
    if made == message and "logprobs" in choice:
        kept["logprobs"] = choice["logprobs"]  # they spell the text out: only where nothing was taken out of it
    return {**kept, "message": made}


async def judged_call(session: Session, call: Any) -> dict[str, Any]:
    """A tool call that the client is asked to make. Raises Refusal."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("arguments", ""), str):
        raise Refusal(502, "bad_answer", "The answer cannot be read.")
    written, name = function.get("arguments", ""), str(function.get("name") or "")
    event = Event(kind="tool_call", text=written, data={"tool": name, "arguments": parsed(written)})
    decision = await session.judge(event)
    if decision.stops:
        raise Refusal.of(decision)
    kept = {key: value for key, value in call.items() if key in ("id", "type", "index")}
    return {**kept, "function": {"name": name, "arguments": written if decision.text is None else decision.text}}

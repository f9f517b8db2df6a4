"""Reading a chat request: bounded, parsed once, every text judged, and written anew."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from harness.core.decision import Event
from harness.core.trajectory import message_text
from harness.guardrails.middleware.refusals import Refusal
from harness.guardrails.session import Session

_MAX_MESSAGES = 2000


async def read_body(
    scope: Mapping[str, Any], receive: Callable[[], Awaitable[MutableMapping[str, Any]]], limit: int
) -> bytes:
    """The whole body.

    :raises Refusal: when it is too large, compressed, or not JSON by its header; or the client went away.
    """
    headers = {name.lower(): value for name, value in scope["headers"]}
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
        raise Refusal(415, "unsupported", "Send the body without compression.")
    kind = headers.get(b"content-type", b"application/json").split(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Refusal(415, "unsupported", "Send JSON, with content-type application/json.")
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal(400, "invalid_request", "The request was cut off.")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise Refusal(413, "too_large", f"The body may have at most {limit} bytes.")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def admitted_body(raw: bytes, session: Session, *, trusted: frozenset[str], unjudged: frozenset[str]) -> bytes:
    """The body as the app may read it.

    :raises Refusal: for what is no chat request, and for what a guard stopped.
    """
    body = _parsed(raw)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise Refusal(400, "invalid_request", "The body must have messages, a list of objects.")
    if len(messages) > _MAX_MESSAGES:
        raise Refusal(413, "too_large", f"At most {_MAX_MESSAGES} messages may be sent.")
    if not isinstance(body.get("stream", False), bool):
        raise Refusal(400, "invalid_request", "stream must be true or false.")
    last = max((index for index, one in enumerate(messages) if one.get("role") == "user"), default=len(messages) - 1)
    admitted = []
    for index, message in enumerate(messages):
        role = message.get("role")
        if not isinstance(role, str):
            raise Refusal(400, "invalid_request", "Every message must have a role.")
        _readable(message, unjudged)
        text = message_text(message)
        if role not in trusted:
            data: dict[str, Any] = {} if index == last else {"history": True}
            if role == "tool":
                data["tool"] = str(message.get("name") or "")
            event = Event(kind="tool_result" if role == "tool" else "input", text=text, data=data)
            decision = await session.judge(event)
            if decision.stops:
                raise Refusal.of(decision)
            if decision.text is not None:
                message, text = _with_text(message, decision.text), decision.text
        if role == "user":
            session.request = (*session.request, text)
        admitted.append(message)
    return json.dumps({**body, "messages": admitted}, ensure_ascii=True).encode()


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid_request", "The body is no JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "invalid_request", "The body must be a JSON object.")
    return body


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _readable(message: Mapping[str, Any], unjudged: frozenset[str]) -> None:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise Refusal(400, "invalid_request", "content must be a text or a list of parts.")
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            continue
        if kind not in unjudged or "text" in part:
            raise Refusal(415, "unsupported", "Only text can be sent here.")


def _with_text(message: Mapping[str, Any], text: str) -> dict[str, Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return {**message, "content": text}
    rest = [part for part in content if part.get("type") != "text"]
    return {**message, "content": [{"type": "text", "text": text}, *rest]}

"""Reading an OpenAI chat completion: decoding, what makes it unusable, its message and its usage."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from harness.core.errors import ProviderBroken
from harness.core.usage import Usage

_KEPT = ("content", "tool_calls", "function_call", "refusal", "audio", "reasoning_content", "reasoning")


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


# A reply is stored as strict JSON later, so what JSON does not know (NaN, infinities, 1e999) becomes null here.
_DECODER = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite)


def decode(data: bytes, *, who: str, status: int | None = None) -> Any:
    """The JSON value in ``data`` (UTF-8).

    :raises ProviderBroken: ``bad_json``, quoting the beginning of what came.
    """
    try:
        return _DECODER.decode(data.removeprefix(b"\xef\xbb\xbf").decode())
    except (ValueError, RecursionError) as error:
        start = data[:200].decode("utf-8", "replace")
        raise ProviderBroken(
            f"{who} sent {len(data)} bytes that are not JSON ({str(error)[:200]}); they begin {start!r}",
            reason="bad_json",
            status=status,
            retryable=True,
        ) from error


def checked(body: Any, *, who: str, status: int | None = None) -> Mapping[str, Any]:
    """``body`` itself when it is a usable chat completion.

    Usable: an object with at least one choice whose message says something (text, tool calls, a refusal, reasoning).
    A message without any of them is an empty reply, unless its ``finish_reason`` explains it (``length``,
    ``content_filter``): then saying nothing is what the model did.

    :raises ProviderBroken: ``server_error`` or ``rate_limited`` (an error object), ``bad_json`` (another shape),
        ``empty_reply``.
    """
    if not isinstance(body, Mapping):
        raise ProviderBroken(
            f"{who} sent {type(body).__name__} where a chat completion object belongs",
            reason="bad_json",
            status=status,
            retryable=True,
        )
    if body.get("error"):
        raise error_object(body["error"], who=who, status=status)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        shown = ", ".join(sorted(map(str, body))[:10]) or "nothing"
        raise ProviderBroken(
            f"{who} sent a completion without choices (it has {shown[:200]})",
            reason="empty_reply",
            status=status,
            retryable=True,
        )
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise ProviderBroken(
            f"{who} sent a choice without a message", reason="empty_reply", status=status, retryable=True
        )
    if not any(message.get(name) for name in _KEPT) and choice.get("finish_reason") not in ("length", "content_filter"):
        raise ProviderBroken(
            f"{who} sent an empty message: no text, no tool call, no refusal",
            reason="empty_reply",
            status=status,
            retryable=True,
        )
    return body


def message_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The message of the first choice of a checked completion; empty fields are left out, ``content`` stays."""
    message = body["choices"][0]["message"]
    rest = {key: value for key, value in message.items() if value is not None and value != []}
    return {"role": "assistant", "content": None, **rest} | {"role": "assistant"}


def usage_of(body: Mapping[str, Any]) -> Usage | None:
    """The usage the provider reported; None when it reported none, or something that cannot be read."""
    given = body.get("usage")
    if not isinstance(given, Mapping) or not given:
        return None
    try:
        usage = Usage.from_openai(given)
    except (TypeError, ValueError, AttributeError, OverflowError):
        return None
    return usage if min(usage.input_tokens, usage.output_tokens, usage.cached_tokens) >= 0 else None


def error_text(given: Any) -> str:
    """The words of an error object in any of the usual shapes, bounded to 500 characters."""
    if isinstance(given, Mapping):
        for key in ("message", "detail", "error", "msg"):
            if given.get(key):
                return error_text(given[key])
        given = json.dumps(given, default=str)
    return str(given)[:500]


def error_object(given: Any, *, who: str, status: int | None) -> ProviderBroken:
    """The failure that an error object inside a successful reply or stream stands for."""
    code = given.get("code") or given.get("status") or given.get("type") if isinstance(given, Mapping) else None
    limited = str(code) in ("429", "rate_limit_exceeded", "rate_limit_error", "rate_limited")
    return ProviderBroken(
        f"{who} answered with an error: {error_text(given)}",
        reason="rate_limited" if limited else "server_error",
        status=status,
        retryable=True,
    )

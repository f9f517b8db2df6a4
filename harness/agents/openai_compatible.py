"""Any OpenAI-compatible chat endpoint as a Model, over the slim HTTP path."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from harness.agents.completion import checked, decode, usage_of
from harness.agents.http_failures import kept_headers, refused
from harness.core.clock import SYSTEM
from harness.core.errors import UsageError
from harness.core.exchange import Exchange, Reply, gateway
from harness.core.trajectory import Message

MAX_REPLY_BYTES = 8 * 1024 * 1024
_PATH = "/chat/completions"


class OpenAICompatible:
    """A chat model behind ``POST {base_url}/chat/completions``.

    One call is one request through the gateway of the running trial; nothing is retried here.

    :param base_url: up to and without ``/chat/completions``, which may be given and is then taken off:
        ``https://api.openai.com/v1``, ``http://127.0.0.1:8000/v1``.
    :param model: the model's name, as the endpoint knows it.
    :param api_key: sent as a bearer token; never stored, shown or hashed.
    :param api_key_env: environment variable that holds the key, read when a request is sent (so replay needs none).
    :param local: a server that this run started itself; see ``Exchange.local``.
    :param stream: ask for an event stream, which makes the time to first token measurable.
    :param timeout_s: seconds for one request, from connecting to the last byte.
    :param max_reply_bytes: a longer reply is refused as ``too_large``.
    :param options: parameters of the request body (``temperature``, ``max_tokens``, ...); a value of None takes a
        field out that would be sent otherwise (``stream_options``, for servers that do not know it).
    :param headers: further request headers, such as an organisation; never stored.
    :param name: default: the model's name.
    :param purpose: ``agent`` or ``judge``, for the accounts.
    :raises UsageError: when ``base_url`` is not an http(s) address or a number is out of range.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        api_key_env: str = "",
        local: bool = False,
        stream: bool = False,
        timeout_s: float = 600.0,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        options: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        name: str = "",
        purpose: str = "agent",
    ) -> None:
        self.url, self.provider = endpoint(base_url)
        if not timeout_s > 0 or max_reply_bytes < 1:
            raise UsageError(
                f"timeout_s and max_reply_bytes must be above 0, got timeout_s={timeout_s!r}, "
                f"max_reply_bytes={max_reply_bytes!r}"
            )
        self.model = model
        self.name = name or model
        self.local = local
        self.stream = stream
        self.timeout_s = timeout_s
        self.max_reply_bytes = max_reply_bytes
        self.options = dict(options or {})
        self.purpose = purpose
        self._key = api_key
        self._key_env = api_key_env
        self._headers = dict(headers or {})
        self._wire: tuple[Any, str | None] | None = None

    def __repr__(self) -> str:
        return f"OpenAICompatible(model={self.model!r}, url={self.url!r})"

    async def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] = (), **options: Any
    ) -> Reply:
        """One completion; ``options`` win over those of the constructor.

        :raises ProviderBroken: with ``reason`` and ``retryable``, when no usable completion came.
        :raises UsageError: when the request cannot be written as JSON.
        """
        body = self.body(messages, tools, options)
        exchange = Exchange(
            provider=self.provider,
            operation="chat",
            body=body,
            model=str(body["model"]),
            url=self.url,
            purpose=self.purpose,
            local=self.local,
            output_tokens_at_most=_output_limit(body),
        )
        return await gateway().call(exchange, self._sender(body))

    def body(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The request body, without what was set to None."""
        body: dict[str, Any] = {"model": self.model, "messages": list(messages)}
        if tools:
            body["tools"] = list(tools)
        if self.stream:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}
        body.update(self.options)
        body.update(options)
        return {key: value for key, value in body.items() if value is not None}

    async def aclose(self) -> None:
        """Close the connections of the running event loop, unless another client on it holds them (``async with``).

        Not needed under ``asyncio.run``, which closes them at its end. A later call opens new ones.
        """
        from harness.agents.wire import close_shared_session

        await close_shared_session()

    async def __aenter__(self) -> OpenAICompatible:
        from harness.agents.wire import hold_shared_session

        hold_shared_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        from harness.agents.wire import release_shared_session

        await release_shared_session()

    def _sender(self, body: Mapping[str, Any]) -> Callable[[], Any]:
        async def send() -> Reply:
            from harness.agents.chat_stream import ChatStream
            from harness.agents.wire import post

            url, proxy = self._resolved()
            headers = self._request_headers()
            data = rendered(body)
            started = SYSTEM.monotonic()
            stream = None
            if body.get("stream"):
                stream = ChatStream(who=self.provider, now=SYSTEM.monotonic, max_bytes=self.max_reply_bytes)
            answer = await post(
                url,
                data,
                headers,
                timeout_s=self.timeout_s,
                max_bytes=self.max_reply_bytes,
                proxy=proxy,
                feed=None if stream is None else stream.feed,
            )
            latency_s = SYSTEM.monotonic() - started
            if answer.status != 200:
                raise refused(
                    answer.status, answer.headers, answer.body, who=self.provider, secret=headers.get("Authorization")
                )
            first = None
            if stream is not None and answer.content_type == "text/event-stream":
                completion = stream.finish()
                first = stream.first_token_at
            else:
                completion = checked(decode(answer.body, who=self.provider, status=200), who=self.provider, status=200)
            return Reply(
                body=completion,
                usage=usage_of(completion),
                latency_s=latency_s,
                ttft_s=None if first is None else first - started,
                headers=kept_headers(answer.headers),
            )

        return send

    def _resolved(self) -> tuple[Any, str | None]:
        if self._wire is None:
            from yarl import URL

            from harness.agents.wire import proxy_for

            url = URL(self.url)
            self._wire = (url, proxy_for(url, local=self.local))
        return self._wire

    def _request_headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", **self._headers}
        key = self._key if self._key is not None else os.environ.get(self._key_env, "") if self._key_env else ""
        if key:
            if not key.isascii() or not key.isprintable():
                where = f"environment variable {self._key_env}" if self._key is None else "api_key"
                raise UsageError(f"the key in {where} holds a line break or another character no header may carry")
            headers["Authorization"] = f"Bearer {key}"
        return headers


def endpoint(base_url: str) -> tuple[str, str]:
    """The full address of the completions endpoint, and the provider (host with port) that limits are shared by.

    :raises UsageError: when it is not an http(s) address with a host.
    """
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{base_url!r} is not an http(s) address; write it like https://api.openai.com/v1")
    path = parts.path.rstrip("/").removesuffix(_PATH) + _PATH
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts._replace(path=path, fragment="").geturl(), host if port is None else f"{host}:{port}"


def rendered(body: Mapping[str, Any]) -> bytes:
    """The request as bytes. ASCII, so that a lone surrogate in a hostile text still travels."""
    try:
        return json.dumps(body, allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the request cannot be written as JSON: {error}; messages, tools and options take JSON values only"
        ) from error


def _output_limit(body: Mapping[str, Any]) -> int | None:
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    many = body.get("n", 1)
    return limit * many if isinstance(limit, int) and isinstance(many, int) else None

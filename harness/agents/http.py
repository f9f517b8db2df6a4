"""An agent behind an HTTP address: one JSON request per turn of the user.

The request: ``input`` (what the user says now), ``messages`` (the chat so far, that included), ``case_id``,
``session_id`` (new for each trial, the same for its turns), ``trial`` and ``metadata`` of the case.
The reply: JSON in any shape of ``harness.agents.answers``, or ``text/plain``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from harness.agents.answers import Answered, read_answer, read_cost, read_usage
from harness.agents.completion import decode
from harness.agents.conversation import converse
from harness.agents.http_failures import kept_headers, refused
from harness.agents.openai_compatible import MAX_REPLY_BYTES, OpenAICompatible, rendered
from harness.agents.tool_loop import ToolLoop
from harness.core.case import Case
from harness.core.clock import SYSTEM
from harness.core.errors import ProviderBroken, UsageError
from harness.core.exchange import Exchange, Reply, gateway
from harness.core.record import Trial
from harness.core.trajectory import Message, Trajectory


class HttpAgent:
    """An agent service. An address that ends in ``/chat/completions`` is spoken to as an OpenAI-compatible model.

    :param headers: sent with each request (authorisation, tenant); never stored.
    :param timeout_s: seconds for one request.
    :param max_reply_bytes: a longer reply is refused as ``too_large``.
    :param model: named in the request to a chat completions address; elsewhere not used.
    :param local: a server that this run started itself; see ``Exchange.local``.
    :raises UsageError: when ``url`` is not an http(s) address.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 600.0,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        model: str = "default",
        local: bool = False,
        name: str = "",
    ) -> None:
        self.url = url
        self.name = name or url
        self.timeout_s = timeout_s
        self.max_reply_bytes = max_reply_bytes
        self.local = local
        self._headers = dict(headers or {})
        self.provider = _provider(url)
        self._loop: ToolLoop | None = None
        if urlsplit(url).path.rstrip("/").endswith("/chat/completions"):
            chat = OpenAICompatible(
                base_url=url,
                model=model,
                headers=headers,
                timeout_s=timeout_s,
                max_reply_bytes=max_reply_bytes,
                local=local,
            )
            self._loop = ToolLoop(name=self.name, model=chat)

    def __repr__(self) -> str:
        return f"HttpAgent({self.url!r})"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """Play the conversation of one case.

        :raises ProviderBroken: when the service failed.
        :raises AgentBroken: when its reply holds no answer.
        """
        if self._loop is not None:
            return await self._loop.run(case, trial)
        session_id = uuid.uuid4().hex

        async def ask(history: Sequence[Message], said: Any) -> Answered:
            body = {
                "input": said,
                "messages": list(history),
                "case_id": case.id,
                "trial": trial.index,
                "metadata": dict(case.metadata),
            }
            exchange = Exchange(
                provider=self.provider, operation="http", body=body, url=self.url, purpose="agent", local=self.local
            )
            # The session's name is new in every run, so it stays out of what a recording is found by.
            reply = await gateway().call(exchange, self._sender({**body, "session_id": session_id}))
            return read_answer(reply.body, who=self.name, history=history)

        return await converse(case, ask, name=self.name)

    async def __aenter__(self) -> HttpAgent:
        from harness.agents.wire import hold_shared_session

        hold_shared_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        from harness.agents.wire import release_shared_session

        await release_shared_session()

    def _sender(self, body: Mapping[str, Any]) -> Callable[[], Any]:
        async def send() -> Reply:
            from yarl import URL

            from harness.agents.wire import post, proxy_for

            url = URL(self.url)
            headers = {"Content-Type": "application/json", "Accept": "application/json, text/plain", **self._headers}
            started = SYSTEM.monotonic()
            answer = await post(
                url,
                rendered(body),
                headers,
                timeout_s=self.timeout_s,
                max_bytes=self.max_reply_bytes,
                proxy=proxy_for(url, local=self.local),
            )
            latency_s = SYSTEM.monotonic() - started
            if not 200 <= answer.status < 300:
                secret = next((v for k, v in self._headers.items() if k.lower() == "authorization"), None)
                raise refused(answer.status, answer.headers, answer.body, who=self.provider, secret=secret)
            if answer.content_type in ("text/plain", "text/markdown"):
                value: Any = answer.body.decode("utf-8", "replace")
            elif not answer.body.strip():
                raise ProviderBroken(
                    f"{self.provider} answered {answer.status} with nothing",
                    reason="empty_reply",
                    status=answer.status,
                    retryable=True,
                )
            else:
                value = decode(answer.body, who=self.provider, status=answer.status)
            known = value if isinstance(value, Mapping) else {}
            return Reply(
                body=value,
                status=answer.status,
                usage=read_usage(known),
                cost_usd=read_cost(known.get("cost_usd")),
                latency_s=latency_s,
                headers=kept_headers(answer.headers),
            )

        return send


def _provider(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError(f"{url!r} is not an http(s) address; write it like http://127.0.0.1:8000/ask")
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"

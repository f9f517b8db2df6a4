"""Any model that LiteLLM reaches, as a Model: LiteLLM translates, and decides, retries and reports nothing itself."""

from __future__ import annotations

import inspect
import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from harness.agents.chat_stream import ChatStream
from harness.agents.completion import checked, usage_of
from harness.agents.http_failures import kept_headers
from harness.agents.litellm_failures import provider_broken, reply_headers
from harness.core.clock import SYSTEM
from harness.core.errors import MissingDependency, ProviderBroken
from harness.core.exchange import Exchange, Reply, gateway
from harness.core.trajectory import Message

_loaded: Any = None
_holds = 0
"""Models inside ``async with``: LiteLLM keeps one cache of connections for all of them."""


def load_litellm() -> Any:
    """The LiteLLM module, imported on first use: price map from the package, no telemetry, no ``.env``, no printing.

    :raises MissingDependency: when it is not installed.
    """
    global _loaded
    if _loaded is not None:
        return _loaded
    # Read while LiteLLM is imported: without them it fetches its price map from the network and loads a .env file.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import litellm
        except ImportError as error:
            raise MissingDependency("litellm", extra="litellm", purpose="a litellm: agent") from error
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.num_retries = 0
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    _loaded = litellm
    return litellm


class LiteLLMModel:
    """A chat model by its LiteLLM name, such as ``anthropic/claude-sonnet-4-5`` or ``openai/gpt-4o-mini``.

    :param model: LiteLLM's name. Limits are shared by what stands before its first slash (or by ``api_base``'s host).
    :param api_base: another address than the provider's own.
    :param api_key: default: what LiteLLM reads from the environment; never stored.
    :param stream: measure the time to the first token.
    :param timeout_s: seconds for one request.
    :param options: sampling parameters, and anything else that LiteLLM's ``acompletion`` takes; None leaves one out.
    :param name: default: the model's name.
    :param purpose: ``agent`` or ``judge``, for the accounts.
    """

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        stream: bool = False,
        timeout_s: float = 600.0,
        local: bool = False,
        options: Mapping[str, Any] | None = None,
        name: str = "",
        purpose: str = "agent",
    ) -> None:
        self.model = model
        self.name = name or model
        self.stream = stream
        self.timeout_s = timeout_s
        self.local = local
        self.options = dict(options or {})
        self.purpose = purpose
        self.api_base = api_base or ""
        self.provider = urlsplit(self.api_base).netloc or (model.partition("/")[0] if "/" in model else "litellm")
        self._key = api_key

    def __repr__(self) -> str:
        return f"LiteLLMModel({self.model!r})"

    async def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] = (), **options: Any
    ) -> Reply:
        """One completion; ``options`` win over those of the constructor.

        :raises ProviderBroken: what LiteLLM raised, with ``reason``, ``retryable`` and the server's wait.
        :raises MissingDependency: when LiteLLM is not installed.
        """
        body: dict[str, Any] = {"model": self.model, "messages": [dict(message) for message in messages]}
        if tools:
            body["tools"] = [dict(tool) for tool in tools]
        if self.stream:
            body.update(stream=True, stream_options={"include_usage": True})
        body = {key: value for key, value in {**body, **self.options, **options}.items() if value is not None}
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        exchange = Exchange(
            provider=self.provider,
            operation="chat",
            body=body,
            model=self.model,
            url=self.api_base,
            purpose=self.purpose,
            local=self.local,
            output_tokens_at_most=limit if isinstance(limit, int) else None,
        )
        return await gateway().call(exchange, self._sender(body))

    async def aclose(self) -> None:
        """Close LiteLLM's connections unless another model holds them (``async with``); a later call opens new ones."""
        if _loaded is not None and not _holds:
            await _loaded.close_litellm_async_clients()
            _loaded.in_memory_llm_clients_cache.flush_cache()

    async def __aenter__(self) -> LiteLLMModel:
        global _holds
        _holds += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        global _holds
        _holds -= 1
        await self.aclose()

    def _sender(self, body: Mapping[str, Any]) -> Callable[[], Any]:
        async def send() -> Reply:
            litellm = _loaded
            if litellm is None:
                import asyncio

                litellm = await asyncio.to_thread(load_litellm)  # takes seconds; other trials go on meanwhile
            _hush()
            access: dict[str, Any] = {"api_base": self.api_base or None, "api_key": self._key}
            access = {key: value for key, value in access.items() if value is not None}
            if body.get("tools") and _has_mcp_detour(litellm):
                access["_skip_mcp_handler"] = True
            started = SYSTEM.monotonic()
            first = None
            try:
                response = await litellm.acompletion(
                    **body, **access, timeout=self.timeout_s, num_retries=0, max_retries=0
                )
                if body.get("stream"):
                    stream = ChatStream(who=self.model, now=SYSTEM.monotonic, max_bytes=1 << 26)
                    async for chunk in response:
                        stream.take(chunk.model_dump(exclude_none=True))
                    completion, first = stream.finish(), stream.first_token_at
                else:
                    completion = checked(response.model_dump(exclude_none=True), who=self.model, status=200)
            except ProviderBroken:
                raise
            except Exception as error:
                broken = provider_broken(error, self.model, self._key)
                if broken is None:
                    raise
                raise broken from error
            return Reply(
                body=completion,
                usage=usage_of(completion),
                cost_usd=self._cost(litellm, completion),
                latency_s=SYSTEM.monotonic() - started,
                ttft_s=None if first is None else first - started,
                headers=kept_headers(reply_headers(response)),
            )

        return send

    def _cost(self, litellm: Any, completion: Mapping[str, Any]) -> Decimal | None:
        """The cost by LiteLLM's price map; None where the map does not know the model or no usage was reported."""
        if usage_of(completion) is None:
            return None
        try:
            response = litellm.ModelResponse(**completion)
            return Decimal(repr(litellm.completion_cost(completion_response=response, model=self.model)))
        except Exception:  # noqa: BLE001 - LiteLLM raises plain Exception for a model without a price
            return None


def _has_mcp_detour(litellm: Any) -> bool:
    """Whether this LiteLLM looks at every request with tools for MCP servers first.

    That imports the package ``mcp``, which LiteLLM does not depend on, so that plain tools would fail
    without it. LiteLLM's own switch leaves the detour out; older versions would send the switch to the provider.
    """
    code = getattr(inspect.unwrap(litellm.completion), "__code__", None)
    return code is not None and "_skip_mcp_handler" in code.co_consts


def _hush() -> None:
    """LiteLLM's own deprecations and mismatches with its libraries are no news to who evaluates an agent.

    Set again for each call, because a test runner puts the filters back after each test.
    """
    warnings.filterwarnings("ignore", module=r"litellm(\.|$)")
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings")
    warnings.filterwarnings("ignore", module=r"pydantic\._internal\._generate_schema$")  # its types, built on first use

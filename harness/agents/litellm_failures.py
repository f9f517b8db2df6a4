"""What LiteLLM raises, in our words: it wraps everything, also its own mistakes and lost connections, in statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.agents.http_failures import retry_after_s
from harness.core.errors import ProviderBroken


def provider_broken(error: Exception, model: str, key: str | None) -> ProviderBroken | None:
    """What LiteLLM raised, in our words; None for an exception that is not about the provider."""
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        return None
    # Below the first line LiteLLM puts its own traceback.
    words = (str(getattr(error, "message", "") or error).strip().splitlines() or [""])[0][:500]
    if key:
        words = words.replace(key, "[key]")
    if type(error).__name__ == "Timeout" or any(map(_is_transport, _causes(error))):
        # LiteLLM gives a lost connection a status that no server sent.
        return ProviderBroken(f"{model}: {words}", reason="connection", retryable=True)
    if type(error).__name__ == "APIConnectionError":
        # So LiteLLM calls whatever broke inside itself as well; trying again does not help that.
        return ProviderBroken(f"{model}: LiteLLM failed: {words}", reason="server_error")
    retry = status >= 500 or status == 408 or (status == 429 and "insufficient_quota" not in str(error))
    reason = "rate_limited" if status == 429 else "server_error" if status >= 500 else "refused"
    wait = retry_after_s(reply_headers(error))
    return ProviderBroken(
        f"{model} ({status}): {words}", reason=reason, status=status, retryable=retry, retry_after_s=wait
    )


def _is_transport(cause: BaseException) -> bool:
    kind = type(cause)
    library = kind.__module__.partition(".")[0]
    if library == "openai":
        return kind.__name__ in ("APIConnectionError", "APITimeoutError")
    if library in ("httpx", "httpcore", "aiohttp"):
        return kind.__name__ not in ("HTTPStatusError", "ClientResponseError")
    return isinstance(cause, (ConnectionError, TimeoutError))


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found


def reply_headers(given: Any) -> dict[str, str]:
    """Response headers, where LiteLLM put them: on an exception, on its response, or among hidden parameters."""
    found: dict[str, str] = {}
    hidden = getattr(given, "_hidden_params", None)
    sources = [
        getattr(getattr(given, "response", None), "headers", None),
        hidden.get("additional_headers") if isinstance(hidden, Mapping) else None,
        getattr(given, "litellm_response_headers", None),
    ]
    for source in sources:
        if isinstance(source, Mapping):
            found.update((str(k).lower().removeprefix("llm_provider-"), str(v)) for k, v in source.items())
    return found

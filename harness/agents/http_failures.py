"""What an HTTP reply says about a failure: its reason, whether trying again helps, and how long to wait for that."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from harness.agents.completion import error_text
from harness.core.clock import SYSTEM
from harness.core.errors import ProviderBroken

_KEPT_HEADERS = ("retry-after", "retry-after-ms", "x-request-id")


def refused(
    status: int, headers: Mapping[str, str], body: bytes, *, who: str, secret: str | None = None
) -> ProviderBroken:
    """The failure a status other than 200 stands for; quotes at most 500 characters of the server, never the key."""
    if secret:
        body = body.replace(secret.removeprefix("Bearer ").encode(), b"[key]")
    try:
        words = error_text(json.loads(body))
    except (ValueError, RecursionError):
        words = body[:2000].decode("utf-8", "replace").strip()[:500]
    if status == 429:
        # A used-up quota answers 429 as well, and no waiting brings it back.
        return ProviderBroken(
            f"{who} limits our rate (429): {words}",
            reason="rate_limited",
            status=status,
            retryable=b"insufficient_quota" not in body[:4000],
            retry_after_s=retry_after_s(headers),
        )
    if status >= 500:
        return ProviderBroken(
            f"{who} failed ({status}): {words}",
            reason="server_error",
            status=status,
            retryable=True,
            retry_after_s=retry_after_s(headers),
        )
    if 300 <= status < 400:
        words = f"a redirect to {headers.get('location', 'nowhere')[:200]}, which is not followed: name that address"
    elif status in (401, 403):
        words += " (check the API key)" if secret else " (no API key was sent; the openai: spec reads OPENAI_API_KEY)"
    return ProviderBroken(
        f"{who} refused the request ({status}): {words}", reason="refused", status=status, retryable=status == 408
    )


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """What a limiter may read of the reply's headers, names in lower case."""
    kept = {}
    for name, value in headers.items():
        low = name.lower()
        if low in _KEPT_HEADERS or low.startswith("x-ratelimit-"):
            kept[low] = value
    return kept


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """What the server asked to wait, in seconds from now: ``retry-after-ms``, or ``Retry-After`` as seconds or as an
    HTTP date (RFC 9110, 10.2.3). None when absent, unreadable or not finite; a date in the past is 0.
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            wait = float(text) * scale
        except ValueError:
            wait = _until(text)
        if math.isfinite(wait):
            return max(0.0, wait)
    return None


def _until(date: str) -> float:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp() - SYSTEM.wall()
    except (ValueError, TypeError, OverflowError, OSError):
        return math.nan

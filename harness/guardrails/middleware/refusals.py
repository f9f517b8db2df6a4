"""What a client is told instead of an answer: a status, a code from a short list, and words that give nothing away.

======  ===================  ==========================================================
status  code                 when
======  ===================  ==========================================================
400     invalid_request      the body is no chat request
403     blocked              a guard said no, to the request or to the answer
403     needs_review         a person has to decide
404     not_found            a path that is not guarded, where only guarded ones exist
405     method_not_allowed   not POST
413     too_large            the body is too large
415     unsupported          not JSON, compressed, or parts that no guard can read
429     rate_limited         with ``Retry-After``, in whole seconds rounded up
502     bad_answer           the app's answer cannot be read
503     unavailable          a guard broke; nothing passes until it works again
======  ===================  ==========================================================

The body is ``{"error": {"type": "guardrail", "code": ..., "message": ...}}``, as OpenAI's clients read it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from harness.core.decision import Decision


class Refusal(Exception):
    """Ends the handling of a request."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, decision: Decision) -> Refusal:
        """What a decision that stops an event tells the client."""
        if decision.fault:
            return cls(503, "unavailable", "The service cannot answer right now.")
        if decision.retry_after_s is not None:
            wait = max(1, math.ceil(decision.retry_after_s))
            message = f"Too many requests. Try again in {wait} seconds."
            return cls(429, "rate_limited", message, headers={"retry-after": str(wait)})
        if decision.action == "escalate":
            return cls(403, "needs_review", "A person has to look at this first.")
        return cls(403, "blocked", "This request cannot be answered.")

    def to_json(self) -> dict[str, Any]:
        """The body."""
        return {"error": {"type": "guardrail", "code": self.code, "message": self.message}}


async def send_refusal(send: Callable[[MutableMapping[str, Any]], Awaitable[None]], refusal: Refusal) -> None:
    """The whole response."""
    body = json.dumps(refusal.to_json()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})

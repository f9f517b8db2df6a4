"""An OpenAI-compatible endpoint as a side of a comparison: time to the first token of one request after the other."""

from __future__ import annotations

import http.client
import json
import ssl
from urllib.parse import urlsplit

from harness.core.clock import SYSTEM, Clock
from harness.core.errors import HarnessError, UsageError

METRICS = ("ttft", "total")


class EndpointSide:
    """A streaming chat endpoint; a sample is the median over ``units`` requests, one after the other.

    *ttft*: from the first byte sent to the read that holds the first token of any kind (content, reasoning or a tool
    call; an event that only names the role does not count). *total*: to the end of the stream. For many streams at
    once there is ``harness load``.
    """

    def __init__(
        self, url: str, *, metric: str = "ttft", prompt: str = "Tell me about the weather.", model: str = "default",
        max_tokens: int = 32, timeout_s: float = 60.0, label: str = "", clock: Clock = SYSTEM,
    ) -> None:  # fmt: skip
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is no address of an endpoint; write http://host:port/v1")
        if metric not in METRICS:
            raise UsageError(f"an endpoint's metric is one of {', '.join(METRICS)}, got {metric!r}")
        self.label, self.metric, self._clock, self._timeout_s = label or url, metric, clock, timeout_s
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        path = parts.path.rstrip("/")
        self._path = path if path.endswith("/completions") else f"{path or '/v1'}/chat/completions"
        message = {"role": "user", "content": prompt}
        body = {"model": model, "messages": [message], "max_tokens": max_tokens, "stream": True, "temperature": 0}
        self._body = json.dumps(body).encode()
        self._connection: http.client.HTTPConnection | None = None

    def start(self, cpu: int | None = None) -> None:
        """See :class:`harness.runs.bench.sides.Side`: a new connection."""
        if self._secure:
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout_s, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)

    def settle(self, seconds: float) -> int:
        """One request, so that the connection and the server are warm."""
        self._request()
        return 1

    def sample(self, units: int) -> float:
        """Seconds of the one figure, the median over ``units`` requests."""
        times = sorted(self._request() for _ in range(units))
        middle = len(times) // 2
        return times[middle] if len(times) % 2 else (times[middle - 1] + times[middle]) / 2

    def stop(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _request(self) -> float:
        assert self._connection is not None
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        try:
            started = self._clock.monotonic()
            self._connection.request("POST", self._path, self._body, headers)
            response = self._connection.getresponse()
            if response.status != 200:
                said = response.read(500).decode("utf-8", "replace")
                raise HarnessError(f"{self.label}: HTTP {response.status}: {said[:300]}")
            first = self._first_token(response, started)
            response.read()
            total = self._clock.monotonic() - started
        except (OSError, http.client.HTTPException) as error:
            raise HarnessError(f"{self.label}: {type(error).__name__}: {error}") from None
        return first if self.metric == "ttft" else total

    def _first_token(self, response: http.client.HTTPResponse, started: float) -> float:
        while line := response.readline():
            at = self._clock.monotonic()
            if line.startswith(b"data:") and _has_token(line[5:].strip()):
                return at - started
        raise HarnessError(f"{self.label}: the stream ended without a token")


def _has_token(data: bytes) -> bool:
    try:
        choices = json.loads(data).get("choices") or [{}]
        choice = choices[0]
        delta = choice.get("delta") or {}
        return any(delta.get(key) for key in ("content", "reasoning_content", "reasoning", "tool_calls")) or bool(
            choice.get("text")
        )
    except (ValueError, AttributeError, IndexError, TypeError):
        return False

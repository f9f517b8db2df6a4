"""Counting requests in Redis, for several processes: one script per request, which counts in every key or in none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from harness.core.errors import MissingDependency, UsageError

_SCRIPT = """
local now = tonumber(ARGV[1])
if now < 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local longest, which = 0, 0
for index, key in ipairs(KEYS) do
  local most, window = tonumber(ARGV[2 * index + 1]), tonumber(ARGV[2 * index + 2])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
  local held = redis.call('ZCARD', key)
  if held >= most then
    local entry = redis.call('ZRANGE', key, held - most, held - most, 'WITHSCORES')
    local wait = tonumber(entry[2]) + window - now
    if wait > longest then
      longest, which = wait, index - 1
    end
  end
end
if longest == 0 then
  for index, key in ipairs(KEYS) do
    local window = tonumber(ARGV[2 * index + 2])
    redis.call('ZADD', key, string.format('%.0f', now), ARGV[2])
    redis.call('PEXPIRE', key, math.ceil(window / 1000) + 1000)
  end
end
return {longest, which}
"""


class RedisStore:
    """See :class:`harness.guardrails.rate_limit.Store`. Times are whole microseconds, exact in Redis's doubles.

    An unreachable server raises, which a pipeline turns into a block: who cannot count must not let through.

    :param url: ``redis://host:port/db`` or ``unix:///path``.
    :param prefix: put before every key.
    :param timeout_s: seconds to connect and to wait for an answer.
    :raises MissingDependency: without the ``redis`` package.
    """

    def __init__(self, url: str, *, prefix: str = "harness:rate:", timeout_s: float = 2.0) -> None:
        try:
            redis = import_module("redis")
        except ImportError as error:
            raise MissingDependency(
                "redis", extra="redis", purpose="counting requests for several processes"
            ) from error
        if not url.startswith(("redis://", "rediss://", "unix://")):
            raise UsageError(f"a Redis URL begins with redis://, rediss:// or unix://, got {url.split('@')[-1][:80]!r}")
        self._prefix = prefix
        client: Any = redis.Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s)
        self._client = client
        self._script = client.register_script(_SCRIPT)

    def __repr__(self) -> str:
        return f"RedisStore(prefix={self._prefix!r})"

    def take(self, wanted: Sequence[tuple[str, int, int]], now_us: int | None) -> tuple[int, int]:
        """See the protocol."""
        # Drawn per request: anything kept from the start would be shared by forked workers, whose counts would merge.
        arguments: list[Any] = [-1 if now_us is None else now_us, os.urandom(12).hex()]
        for _, most, window in wanted:
            arguments += [most, window]
        wait, which = self._script(keys=[self._prefix + key for key, _, _ in wanted], args=arguments)
        return int(wait), int(which)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

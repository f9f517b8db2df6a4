"""Chat completions by different clients, each in a process of its own.

    python -m benchmarks.callers KIND URL CALLS WINDOW [CALLS TO WARM UP]

Prints one line of JSON: wall and CPU seconds from the first call to the last answer.
``bare`` is the yardstick: asyncio and aiohttp, workers that take the next number, nothing else.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

Call = Callable[[int], Awaitable[str]]


def messages(number: int) -> list[dict[str, Any]]:
    return [{"role": "user", "content": f"question {number}"}]


@asynccontextmanager
async def bare(url: str) -> Any:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call(number: int) -> str:
            body = {"model": "echo", "messages": messages(number)}
            async with session.post(f"{url}/chat/completions", json=body) as response:
                answer = await response.json()
            return str(answer["choices"][0]["message"]["content"])

        yield call


@asynccontextmanager
async def slim(url: str) -> Any:
    from harness.agents.openai_compatible import OpenAICompatible

    async with OpenAICompatible(base_url=url, model="echo") as client:

        async def call(number: int) -> str:
            reply = await client.complete(messages(number))
            return str(reply.body["choices"][0]["message"]["content"])

        yield call


@asynccontextmanager
async def litellm(url: str) -> Any:
    import litellm as library

    library.suppress_debug_info = True

    async def call(number: int) -> str:
        answer = await library.acompletion(
            model="openai/echo", messages=messages(number), api_base=url, api_key="none", max_retries=0
        )
        return str(answer.choices[0].message.content)

    yield call


KINDS = {"bare": bare, "slim": slim, "litellm": litellm}


async def drive(call: Call, count: int, window: int) -> None:
    """``count`` calls, ``window`` at a time; every answer is checked."""
    numbers: Iterator[int] = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            said = await call(number)
            if said != f"question {number}":
                raise RuntimeError(f"call {number} was answered {said!r}")

    await asyncio.gather(*(worker() for _ in range(min(window, count))))


async def main(kind: str, url: str, count: int, window: int, warm: int) -> dict[str, float]:
    async with KINDS[kind](url) as call:
        if warm:
            await drive(call, warm, window)
        began, cpu = time.perf_counter(), time.process_time()
        await drive(call, count, window)
        return {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}


if __name__ == "__main__":
    kind, url, *numbers = sys.argv[1:]
    count, window, warm = (int(text) for text in (*numbers, "0")[:3])
    print(json.dumps(asyncio.run(main(kind, url, count, window, warm))))

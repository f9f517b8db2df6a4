"""``python -m benchmarks.load_clients URL STREAMS SECONDS OUT``: the aiohttp path of vLLM's bench client, as a process.

The shape of ``vllm bench serve``: one aiohttp session, ``content.iter_any``, JSON parsed as it comes, the clock read
after the line was split and parsed. It sends ``X-Request-Id``, so that its times can be set beside the mock's log.
Written anew here in that shape, because vLLM itself needs torch and a tokenizer to start.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp


async def one(session: aiohttp.ClientSession, url: str, number: int, kept: list[Any]) -> None:
    body = {"model": "mock", "messages": [{"role": "user", "content": "hi"}], "stream": True, "max_tokens": 100}
    stamps: list[int] = []
    rest = b""
    async with session.post(url, json=body, headers={"X-Request-Id": str(number)}) as response:
        async for piece in response.content.iter_any():
            rest += piece
            *lines, rest = rest.split(b"\n\n")
            for line in lines:
                text = line.decode().removeprefix("data: ").strip()
                if not text or text == "[DONE]":
                    continue
                chunk = json.loads(text)
                now = time.monotonic_ns()
                if chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
                    stamps.append(now)
    kept.append((number, stamps))


async def main(url: str, streams: int, seconds: float) -> list[Any]:
    kept: list[Any] = []
    numbers = iter(range(10**9))
    timeout = aiohttp.ClientTimeout(total=600)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        began = time.monotonic()

        async def stream(index: int) -> None:
            await asyncio.sleep(index / streams)
            while time.monotonic() - began < seconds:
                await one(session, url + "/chat/completions", next(numbers), kept)

        await asyncio.gather(*(stream(index) for index in range(streams)))
    return kept


if __name__ == "__main__":
    found = asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
    Path(sys.argv[4]).write_text(json.dumps({"cpu_s": time.process_time(), "requests": found}))

"""The window's job with pydantic-evals; needs nothing of the harness.

    python pydantic_evals_run.py URL CASES WINDOW

Its task calls the endpoint with bare aiohttp, the fastest client there is in this comparison, so what is measured is
the framework.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EqualsExpected


async def main(url: str, count: int, window: int) -> None:
    dataset: Dataset[str, str, None] = Dataset(
        name="bench",
        cases=[
            Case(name=f"case-{n:05d}", inputs=f"question {n}", expected_output=f"question {n}") for n in range(count)
        ],
        evaluators=[EqualsExpected()],
    )
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def task(question: str) -> str:
            body = {"model": "echo", "messages": [{"role": "user", "content": question}]}
            async with session.post(f"{url}/chat/completions", json=body) as response:
                answer = await response.json()
            return str(answer["choices"][0]["message"]["content"])

        began = time.perf_counter()
        report = await dataset.evaluate(task, max_concurrency=window, progress=False)
        wall = time.perf_counter() - began
    if len(report.cases) != count or report.failures:
        raise RuntimeError(f"{len(report.cases)} of {count} cases came back, {len(report.failures)} failed")
    report.render()  # as a session of the harness also shows its scorecard; not part of wall_s
    print(json.dumps({"wall_s": wall}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

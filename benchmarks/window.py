"""A thousand cases of 200 ms: how close a pytest session comes to a bare asyncio client at the same concurrency."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import calling
from benchmarks.figures import Figure, Result
from benchmarks.rivals.environment import NotInstalled, python_of, version_of
from benchmarks.server_stats import reset, stats
from benchmarks.sessions import run_process, run_session, write_cases, write_project
from fixtures.model_server import ProcessModelServer

CASES = 1_000
LATENCY_S = 0.2
WINDOW = 100
ROUNDS = 3
SEQUENTIAL = 40
RIVAL = Path(__file__).parent / "rivals" / "pydantic_evals_run.py"
PRICES = '\n[tool.harness.prices]\n"echo" = { input = 0.15, output = 0.60 }\n'
SUITE = """\
import pytest

@pytest.mark.golden("bench")
def test_echo(case, trajectory):
    assert trajectory.answer == case.input
"""
PLAIN = """\
import asyncio
import os

import aiohttp
import pytest

async def ask(number):
    body = {{"model": "echo", "messages": [{{"role": "user", "content": f"question {{number}}"}}]}}
    async with aiohttp.ClientSession() as session:
        async with session.post(os.environ["BENCH_URL"] + "/chat/completions", json=body) as response:
            answer = await response.json()
    return answer["choices"][0]["message"]["content"]

@pytest.mark.parametrize("number", range({count}))
def test_echo(number):
    assert asyncio.run(ask(number)) == f"question {{number}}"
"""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One way of doing the job, once."""

    run_s: float
    """From the first request to the last result."""
    process_s: float
    """From starting the process to its end."""
    in_flight: float
    """Mean requests in flight as the server saw it."""
    cpu_s: float = 0.0
    """Of the running phase."""


def bare(url: str, count: int) -> Job:
    found = calling("bare", url, count, window=WINDOW)
    return Job(run_s=found["wall_s"], process_s=found["process_s"], in_flight=stats(url)["mean_in_flight"])


def session(url: str, count: int, *flags: str) -> Job:
    with tempfile.TemporaryDirectory() as made:
        folder = write_project(Path(made), {"suites/test_echo.py": SUITE})
        with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(PRICES)
        write_cases(folder, count)
        done = run_session(folder, "suites", f"--harness-agent=openai:echo@{url}", "--harness-mode=live", *flags)
    ran = done.phases["ran"]
    return Job(run_s=ran.wall_s, process_s=done.wall_s, in_flight=stats(url)["mean_in_flight"], cpu_s=ran.cpu_s)


def pydantic(python: Path, url: str, count: int) -> Job:
    with tempfile.TemporaryDirectory() as made:
        command = [str(python), str(RIVAL), url, str(count), str(WINDOW)]
        env = {"PATH": "/usr/bin:/bin", "HOME": made, "LOGFIRE_SEND_TO_LOGFIRE": "false"}
        status, wall, _, _, output = run_process(command, cwd=Path(made), env=env)
    if status:
        raise RuntimeError(f"pydantic-evals ended with {status}:\n{output[-2000:]}")
    return Job(
        run_s=json.loads(output.strip().splitlines()[-1])["wall_s"],
        process_s=wall,
        in_flight=stats(url)["mean_in_flight"],
    )


def sequential(url: str, count: int) -> Job:
    """Plain pytest, one test after the other."""
    with tempfile.TemporaryDirectory() as made:
        folder = write_project(Path(made), {"test_echo.py": PLAIN.format(count=count)})
        done = run_session(folder, ".", plugins=(), BENCH_URL=url)
    return Job(run_s=done.phases["ran"].wall_s, process_s=done.wall_s, in_flight=stats(url)["mean_in_flight"])


def run(scale: float = 1.0) -> Result:
    count = max(WINDOW, int(CASES * scale))
    rounds = max(1, round(ROUNDS * scale))
    not_compared = [
        "promptfoo needs Node; Inspect AI and DeepEval take 9 and 30 to 138 times as long as the bare client by an "
        "earlier survey, too long to repeat beside every run",
    ]
    facts: dict[str, str] = {}
    ways: dict[str, Callable[[str, int], Job]] = {
        "bare": bare,
        "fixed": lambda url, count: session(url, count, f"--harness-concurrency={WINDOW}"),
        "adaptive": session,
    }
    try:
        python = python_of("pydantic-evals", "pydantic-evals", "aiohttp")
        facts["pydantic-evals"] = version_of(python, "pydantic-evals")
        ways["pydantic"] = lambda url, count: pydantic(python, url, count)
    except NotInstalled as error:
        not_compared.append(f"pydantic-evals: {error}")
    done: dict[str, list[Job]] = {way: [] for way in ways}
    with ProcessModelServer(latency_s=LATENCY_S) as server:
        bare(server.url, WINDOW)  # the server's own first requests are not part of any comparison
        for _ in range(rounds):
            for way, job in ways.items():
                reset(server.url)
                done[way].append(job(server.url, count))
        one_by_one = max(5, int(SEQUENTIAL * scale))
        reset(server.url)
        alone = sequential(server.url, one_by_one)
    return Result(
        name="window",
        title=f"{CASES:,} cases of {LATENCY_S * 1e3:.0f} ms, {WINDOW} at a time",
        method=(
            f"{CASES:,} golden cases, each one chat completion of {LATENCY_S * 1e3:.0f} ms at the local model server "
            "(a process of its own, over loopback), judged by one assert. *Run* is the running phase of the pytest "
            "session, from the import of the HTTP client to the last report, against a bare asyncio and aiohttp client "
            "from its first request to its last answer; *process* is from starting the process to its end, imports, "
            "collection, scorecard, gate and reports included. In flight is the server's own count, averaged over "
            f"time. Medians of {ROUNDS} interleaved rounds; ratios within a round."
        ),
        figures=tuple(_figures(done, alone, one_by_one, count)),
        not_compared=tuple(not_compared),
        scale=scale,
        facts=facts,
    )


def _figures(done: dict[str, list[Job]], alone: Job, one_by_one: int, count: int) -> list[Figure]:
    def middle(way: str, what: Callable[[Job], float]) -> float:
        return statistics.median(what(job) for job in done[way])

    def beside(way: str, what: Callable[[Job], float]) -> float:
        return statistics.median(what(a) / what(b) for a, b in zip(done[way], done["bare"], strict=True))

    def run_s(job: Job) -> float:
        return job.run_s

    def process_s(job: Job) -> float:
        return job.process_s

    bare_words = f"bare client ({middle('bare', run_s):.2f} s)"
    figures = [
        Figure(what="run, window 100, over the bare client", value=beside("fixed", run_s), unit="x", at_most=1.3),
        Figure(
            what="process, window 100, over the bare client's", value=beside("fixed", process_s), unit="x", at_most=1.3
        ),
        Figure(
            what="in flight on average, window 100",
            value=middle("fixed", lambda job: job.in_flight),
            at_least=95.0,
            note=f"the bare client: {middle('bare', lambda job: job.in_flight):.1f}",
        ),
        Figure(
            what="run, adaptive window, over the bare client at 100",
            value=beside("adaptive", run_s),
            unit="x",
            at_most=0.5,
        ),
        Figure(what="run, window 100", value=middle("fixed", run_s), unit="s"),
        Figure(what="process, window 100", value=middle("fixed", process_s), unit="s"),
        Figure(
            what="CPU per case of the running phase",
            value=middle("fixed", lambda job: job.cpu_s) / count * 1e6,
            unit="us",
        ),
        Figure(what="run, adaptive window", value=middle("adaptive", run_s), unit="s"),
        Figure(what="bare client, run", value=middle("bare", run_s), unit="s"),
        Figure(what="bare client, process", value=middle("bare", process_s), unit="s"),
    ]
    if "pydantic" in done:
        figures += [
            Figure(
                what="pydantic-evals, run",
                value=middle("pydantic", run_s),
                unit="s",
                ratio=beside("pydantic", run_s),
                versus=bare_words,
            ),
            Figure(
                what="pydantic-evals, process",
                value=middle("pydantic", process_s),
                unit="s",
                ratio=beside("pydantic", process_s),
                versus="bare client's process",
            ),
        ]
    scaled = alone.run_s / one_by_one * count
    figures.append(
        Figure(
            what="plain pytest, one test after the other",
            value=scaled,
            unit="s",
            ratio=scaled / middle("bare", run_s),
            versus=bare_words,
            note=f"{one_by_one} tests measured, scaled to {count:,}",
        )
    )
    return figures

"""CPU per chat completion: the slim client of the hot path beside bare aiohttp and LiteLLM."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.sessions import environment, run_process
from fixtures.model_server import ProcessModelServer

CALLS = {"bare": 2_000, "slim": 2_000, "litellm": 400}
WINDOW = 20
ROUNDS = 5
ABOUT_US = 200.0


def calling(kind: str, url: str, count: int, *, window: int = WINDOW, warm: int = 0) -> dict[str, float]:
    """Figures of one calling process (see callers.py), with ``process_s``, the wall time of the whole of it."""
    command = [sys.executable, "-m", "benchmarks.callers", kind, url, str(count), str(window), str(warm)]
    with tempfile.TemporaryDirectory() as made:
        status, wall, _, _, output = run_process(
            command, cwd=Path(made), env=environment(LITELLM_LOCAL_MODEL_COST_MAP="True")
        )
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}:\n{output[-2000:]}")
    found: dict[str, float] = json.loads(output.strip().splitlines()[-1])
    return {**found, "process_s": wall}


def run(scale: float = 1.0) -> Result:
    kinds, left_out = list(CALLS), []
    facts = {"aiohttp": version("aiohttp")}
    try:
        facts["litellm"] = version("litellm")
    except PackageNotFoundError:
        kinds.remove("litellm")
        left_out.append("LiteLLM: not installed here (the extra `litellm`)")
    each: dict[str, list[float]] = {kind: [] for kind in kinds}
    with ProcessModelServer() as server:
        for _ in range(max(1, int(ROUNDS * scale))):
            for kind in kinds:
                count = max(20, int(CALLS[kind] * scale))
                each[kind].append(calling(kind, server.url, count, warm=WINDOW)["cpu_s"] / count * 1e6)
    cost = {kind: statistics.median(values) for kind, values in each.items()}

    def beside(kind: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(each[kind], each[other], strict=True))

    figures = [
        Figure(
            what="the harness's slim client",
            value=cost["slim"],
            unit="us",
            at_most=ABOUT_US,
            ratio=beside("slim", "bare"),
            versus="bare aiohttp",
        ),
        Figure(
            what="what it adds to bare aiohttp",
            value=statistics.median(a - b for a, b in zip(each["slim"], each["bare"], strict=True)),
            unit="us",
        ),
        Figure(what="bare aiohttp", value=cost["bare"], unit="us"),
    ]
    if "litellm" in kinds:
        figures.append(
            Figure(
                what="LiteLLM's acompletion",
                value=cost["litellm"],
                unit="us",
                ratio=beside("litellm", "slim"),
                versus="the slim client",
            )
        )
    return Result(
        name="client",
        title="CPU per chat completion, by client",
        method=(
            f"Each client in a process of its own calls the local model server (another process, no latency), {WINDOW} "
            f"calls at a time, after {WINDOW} calls to warm up; CPU time of the client's process divided by the calls; "
            f"median of {ROUNDS} interleaved rounds. Every answer is read and checked."
        ),
        figures=tuple(figures),
        not_compared=tuple(left_out),
        scale=scale,
        facts=facts,
    )

"""Judging: a thousand cases with a 200 ms judge beside a bare client, and ten thousand stored trials from the cache."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.client import calling
from benchmarks.figures import Figure, Result
from benchmarks.sessions import environment, run_process
from fixtures.model_server import ProcessModelServer

CASES = 1_000
TRIALS = 10_000
LATENCY_S = 0.2
WINDOW = 100
ROUNDS = 3
RUBRIC = Path(__file__).resolve().parents[1] / "fixtures" / "judging" / "correct.toml"


async def judged(url: str, count: int) -> float:
    """Seconds from the first question to the last opinion, cache and all, at the window."""
    from harness.agents.openai_compatible import OpenAICompatible
    from harness.evaluators import Judge, Rubric

    with tempfile.TemporaryDirectory() as folder:
        async with OpenAICompatible(base_url=url, model="judge-good", local=True, purpose="judge") as model:
            judge = Judge(model=model, rubric=Rubric.load(RUBRIC), cache=Path(folder) / "verdicts.sqlite")
            await judge.opinion(_parts(-1))
            numbers = iter(range(count))

            async def worker() -> None:
                for number in numbers:
                    opinion = await judge.opinion(_parts(number))
                    if opinion.passes is not True:
                        raise RuntimeError(f"case {number} was judged {opinion!r:.300}")

            began = time.perf_counter()
            await asyncio.gather(*(worker() for _ in range(min(WINDOW, count))))
            return time.perf_counter() - began


def _parts(number: int) -> dict[str, str]:
    said = f"Order {number} is refunded within 14 days."
    return {"input": f"When is order {number} refunded?", "reference": said, "answer": said}


def rejudge(count: int) -> tuple[float, float]:
    """Seconds of two ``harness judge`` processes over a stored run: the first asks, the second has all in its cache."""
    from harness.core.record import Manifest, PlannedSuite, Record
    from harness.core.trajectory import Trajectory
    from harness.results.journal import JournalWriter
    from harness.results.run_folder import new_run_folder, write_manifest

    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        (root / "pyproject.toml").write_text("[tool.harness]\n")
        suite = "suites/test_bench.py::test_bench"
        run_id, folder = new_run_folder(root / "reports" / "runs")
        rows = []
        with JournalWriter(folder) as writer:
            for number in range(count):
                parts = _parts(number)
                case = {"id": f"c{number}", "input": parts["input"]}
                rows.append({**case, "expected": {"custom": {"reference": parts["reference"]}}})
                trajectory = Trajectory.from_answer(parts["answer"], user=parts["input"], latency_s=0.2)
                record = Record(
                    suite=suite, case_id=f"c{number}", case_hash="", trial=0, outcome="passed", dataset="bench",
                    trajectory=trajectory, started_at=1.0 + number, duration_s=0.2,
                )  # fmt: skip
                writer.append(_hashed(record, rows[-1]).to_json())
        data = root / "golden_datasets" / "bench"
        data.mkdir(parents=True)
        (data / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        planned = (PlannedSuite(suite=suite, dataset="bench", cases=count),)
        write_manifest(
            folder, Manifest(run_id=run_id, created_at="2026-01-31T12:00:00Z", planned=planned, finished_at="x")
        )
        command = [sys.executable, "-m", "harness.cli", "judge", run_id, "--judge", "fixtures.judges:good", "--rubric",
                   str(RUBRIC), "--root", made]  # fmt: skip
        times = []
        for share in ("0.0%", "100.0%"):
            status, wall, _, _, output = run_process(command, cwd=root, env=environment())
            # Inconclusive: no record of an exam lies in this project.
            if status not in (0, 11) or f"{share} of {count:,} verdicts" not in output:
                raise RuntimeError(f"harness judge ended with {status}:\n{output[-2000:]}")
            times.append(wall)
        return times[0], times[1]


def _hashed(record: object, row: dict[str, object]) -> object:
    from dataclasses import replace

    from harness.core.case import Case, Expectation

    expected = Expectation.from_json(row["expected"])  # type: ignore[arg-type]
    case = Case(id=str(row["id"]), input=row["input"], expected=expected)
    return replace(record, case_hash=case.content_hash)  # type: ignore[type-var]


def run(scale: float = 1.0) -> Result:
    count, trials = max(WINDOW, int(CASES * scale)), max(100, int(TRIALS * scale))
    bare, ours = [], []
    with ProcessModelServer(latency_s=LATENCY_S) as server:
        for _ in range(max(1, round(ROUNDS * scale))):
            bare.append(calling("bare", server.url, count, window=WINDOW)["wall_s"])
            ours.append(asyncio.run(judged(server.url, count)))
    asked, cached = rejudge(trials)
    return Result(
        name="judge",
        title="Judging with a model, and judging again from the cache",
        method=(
            f"{count:,} cases are judged against the local server at {LATENCY_S:g} s a reply, {WINDOW} at a time, with "
            "an empty cache that is written; beside a bare aiohttp client that sends as many small requests; median of "
            f"{len(ours)} interleaved rounds. `harness judge` then judges a stored run of {trials:,} trials twice, "
            "each in a process of its own, scorecard included: the first time every verdict is asked for (no latency), "
            "the second time all come from the cache."
        ),
        figures=(
            Figure(
                what=f"{count:,} judged cases", value=statistics.median(ours), unit="s",
                ratio=statistics.median(a / b for a, b in zip(ours, bare, strict=True)), versus="the bare client",
            ),
            Figure(
                what="judged cases over the bare client",
                value=statistics.median(a / b for a, b in zip(ours, bare, strict=True)), unit="x", at_most=1.3,
            ),
            Figure(what=f"judging {trials:,} stored trials again, all cached", value=cached, unit="s", at_most=10.0),
            Figure(what=f"judging {trials:,} stored trials the first time", value=asked, unit="s"),
        ),
        scale=scale,
    )  # fmt: skip

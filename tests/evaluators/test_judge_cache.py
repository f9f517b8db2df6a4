"""The cache of verdicts: what it keeps apart, and what it survives."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fixtures.judges import LocalJudge
from harness.core.exchange import CURRENT, TrialContext
from harness.core.record import Trial
from harness.evaluators import Criterion, Judge, Rubric
from harness.evaluators.judge.cache import VerdictCache
from harness.testing import make_case

ROOT = Path(__file__).parents[2]
RUBRIC = Rubric(
    name="correct",
    criteria=(Criterion(name="correct", question="Is it right?"),),
    shows=("input", "reference", "answer"),
)
PARTS = {"input": "How long?", "reference": "It takes 14 days.", "answer": "It takes 14 days."}


class Counting(LocalJudge):
    """Counts its calls."""

    calls = 0

    async def complete(self, *args: Any, **more: Any) -> Any:
        self.calls += 1
        return await super().complete(*args, **more)


@pytest.fixture
def model() -> Counting:
    return Counting("good")


def judge(model: Any, path: Path, **more: Any) -> Judge:
    return Judge(**{"model": model, "rubric": RUBRIC, "cache": path, **more})


def test_the_same_question_is_asked_once(model: Counting, tmp_path: Path) -> None:
    one, two = (asyncio.run(judge(model, tmp_path / "c.sqlite").opinion(PARTS)) for _ in range(2))
    assert model.calls == 1
    assert (one.cached, two.cached, two.asked) == (0, 1, 1)
    assert (one.value, one.reason) == (two.value, two.reason)


def test_whatever_could_change_the_verdict_is_asked_anew(model: Counting, tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    asyncio.run(judge(model, path).opinion(PARTS))
    others = [
        lambda: judge(model, path).opinion(PARTS, trial=1),
        lambda: judge(model, path).opinion({**PARTS, "reference": "It takes 14 days, or 15."}),
        lambda: judge(model, path, options={"temperature": 1}).opinion(PARTS),
        lambda: judge(model, path, seed=1).opinion(PARTS),
        lambda: judge(model, path, rubric=Rubric(name="x", criteria=RUBRIC.criteria, shows=RUBRIC.shows)).opinion(
            PARTS
        ),
        lambda: judge(LocalJudge("lenient"), path).opinion(PARTS),
    ]
    for other in others:
        assert asyncio.run(other()).cached == 0
    assert asyncio.run(judge(model, path, name="a name").opinion(PARTS)).cached == 1


def test_a_larger_number_of_samples_reuses_none_of_another_sampling_and_all_of_its_own(
    model: Counting, tmp_path: Path
) -> None:
    path = tmp_path / "c.sqlite"
    asyncio.run(judge(model, path, samples=3).opinion(PARTS))
    assert model.calls == 3
    assert asyncio.run(judge(model, path, samples=5).opinion(PARTS)).cached == 3


def test_what_could_not_be_measured_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    assert asyncio.run(judge(LocalJudge("refusing"), path).opinion(PARTS)).value is None
    assert len(VerdictCache(path)) == 0


def test_a_recording_is_made_of_every_reply_whatever_the_cache_holds(model: Counting, tmp_path: Path) -> None:
    class Recording:
        mode = "record"

        async def call(self, exchange: Any, send: Any) -> Any:
            return await send()

    class Far(Counting):
        local = False

    far = Far("good")

    async def twice() -> None:
        context = TrialContext(case=make_case(), trial=Trial(index=0, seed=0), gateway=Recording())
        CURRENT.set(context)
        for _ in range(2):
            await judge(far, tmp_path / "c.sqlite").opinion(PARTS)

    asyncio.run(twice())
    assert far.calls == 2


def test_a_damaged_file_is_moved_aside_and_begun_anew(model: Counting, tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"this is not a database" * 100)
    assert asyncio.run(judge(model, path).opinion(PARTS)).passes is True
    assert (tmp_path / "c.sqlite.damaged").exists()
    assert asyncio.run(judge(model, path).opinion(PARTS)).cached == 1


def test_a_cache_that_cannot_be_written_costs_nothing_but_the_hit(model: Counting, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert asyncio.run(judge(model, tmp_path / "file" / "c.sqlite").opinion(PARTS)).passes is True


WRITER = """
import sys
from pathlib import Path
from harness.evaluators.judge.cache import VerdictCache
cache = VerdictCache(Path(sys.argv[1]))
number = 0
while True:
    cache.put(f"{sys.argv[2]}-{number}", {"scores": {"correct": 5}, "reasons": {"correct": "x" * 500}, "attempts": 1})
    assert not cache.trouble, cache.trouble
    number += 1
    if number == 1:
        print("started", flush=True)
"""


def test_writers_that_are_killed_leave_a_whole_cache(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(n)], env=environ, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for n in range(3)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "started\n"
    time.sleep(0.2)
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    for writer in writers:
        writer.communicate()
    cache = VerdictCache(path)
    assert len(cache) >= 3
    found = cache.get(["0-0", "1-0", "2-0", "9-9"])
    assert set(found) == {"0-0", "1-0", "2-0"}
    assert not cache.trouble
    cache.put("after", {"winner": "A"})
    assert cache.get(["after"]) == {"after": {"winner": "A"}}

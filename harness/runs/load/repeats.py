"""Runs repeated until every budget is settled, or the limit of repeats is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.verdict import Answer, Verdict, combine
from harness.runs.load.budgets import Budget, judge, level_for, quantiles_for
from harness.runs.load.running import LoadRun, Plan, Progress, run_load
from harness.runs.load.summary import STALL_S, Summary, summarise

MOST_REPEATS = 50


@dataclass(frozen=True, kw_only=True)
class LoadResult:
    """What a load test found: its runs, their figures, and a verdict per budget."""

    runs: tuple[LoadRun, ...]
    summaries: tuple[Summary, ...]
    verdicts: tuple[Verdict, ...]
    folder: Path

    @property
    def last(self) -> Summary:
        """The figures of the last run."""
        return self.summaries[-1]

    @property
    def answer(self) -> Answer:
        """Over all budgets; without any: pass, unless nothing was measured or the client was the bottleneck."""
        if self.verdicts:
            return combine(self.verdicts)
        bad = self.last.good == 0 or self.last.audit.client_limited or self.last.stopped
        return "inconclusive" if bad else "pass"

    def value(self, name: str) -> float | None:
        """A figure of the last run, by a budget's name; None where it could not be measured."""
        return self.last.value(name)


def run_repeats(
    plan: Plan, folder: Path, *, budgets: Sequence[Budget] = (), repeats: int = 1,
    good: Mapping[str, float] | None = None, stall_s: float = STALL_S, warm_up_s: float | None = None,
    on_progress: Callable[[int, Progress], None] | None = None,
) -> LoadResult:  # fmt: skip
    """Run, judge, and run again while something is inconclusive that a repeat could settle.

    :param repeats: the most runs. The seed of the arrivals goes up by one each, so that runs share nothing.
    """
    if not 1 <= repeats <= MOST_REPEATS:
        raise UsageError(f"repeats must be a whole number from 1 to {MOST_REPEATS}, got {repeats!r}")
    level = level_for(repeats)
    runs: list[LoadRun] = []
    summaries: list[Summary] = []
    verdicts: tuple[Verdict, ...] = ()
    while len(runs) < repeats:
        index = len(runs)
        this = plan
        if plan.arrivals is not None:
            this = replace(plan, arrivals=replace(plan.arrivals, seed=plan.arrivals.seed + index))
        part = folder if repeats == 1 else folder / f"repeat-{index + 1}"

        def told(progress: Progress, index: int = index) -> None:
            if on_progress is not None:
                on_progress(index, progress)

        run = run_load(this, part, on_progress=told)
        runs.append(run)
        summaries.append(
            summarise(
                run, good=good, stall_s=stall_s, quantiles=quantiles_for(budgets), level=level, warm_up_s=warm_up_s
            )
        )  # fmt: skip
        verdicts = judge(budgets, summaries, level=level)
        settled = all(verdict.answer != "inconclusive" for verdict in verdicts)
        hopeless = run.stopped or run.audit.client_limited or not summaries[-1].good
        if hopeless or (settled and bool(budgets)) or any(v.answer == "fail" for v in verdicts):
            break
    return LoadResult(runs=tuple(runs), summaries=tuple(summaries), verdicts=verdicts, folder=folder)

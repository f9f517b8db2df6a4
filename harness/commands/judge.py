"""Judge a stored run anew with a model: the agent is not run; verdicts that are cached are not asked for again.

The stored run stays as it is. A new run with the same trials and the new scores is written beside it, with its
scorecard, and judged by the gate. A score of the same name is replaced. Outcomes follow: what failed by an assertion
or another evaluator stays failed; a judge that has passed its exam (harness calibrate) may fail a trial, another one
is advisory.

exit codes: 0 pass, 10 fail, 11 inconclusive, 12 budget exhausted, 13 baseline missing or not comparable
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands.judge_setup import JudgeCalls, add_judge_arguments, judge_from
from harness.commands.project import RUN_HELP, Project, Say, open_project, screen
from harness.commands.rejudge import rejudged
from harness.core.case import Case, Dataset
from harness.core.clock import iso_utc
from harness.core.errors import Broken, BudgetExhausted, HarnessError, UsageError
from harness.core.record import Manifest, Record, Trial
from harness.core.score import Score
from harness.core.trajectory import Trajectory, message_text

if TYPE_CHECKING:
    from harness.results.journal import JournalWriter

EXAMPLES = """\
examples:
  harness judge latest --judge litellm:openai/gpt-4o --rubric rubrics/correct.toml --mode live --budget-usd 5
  harness judge latest --judge evals.judges:panel                 from the cache; says what is not in it
  harness judge 20260131 --judge evals.judges:helpful --labels people.jsonl
"""
CHUNK = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("RUN", nargs="?", default="latest", help=f"{RUN_HELP}; default: latest")
    parser.add_argument("--judge", required=True, metavar="JUDGE", help="a model's spec with --rubric, or module:name")
    parser.add_argument("--suite", default="", metavar="PREFIX", help="only suites below this")
    parser.add_argument(
        "--labels", metavar="FILE", help='what people said: JSON lines {"case": ID, "trial": 0, "human": "pass"}'
    )
    parser.add_argument("--rules", metavar="FILE", help="rules of the gate; default: as in a session")
    parser.add_argument(
        "--baseline", metavar="FILE|RUN|auto|none", help="what to compare with; default: as in a session"
    )
    add_judge_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Judge, write, say."""
    from harness.plugin.judge_home import leave, settle

    project = open_project(args)
    settle(project.settings, project.root)
    # Ten thousand trials are a million small objects and no cycles worth looking for.
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 50)
    try:
        return _run(args, project, say)
    finally:
        gc.set_threshold(*before)
        leave()


def _run(args: argparse.Namespace, project: Project, say: Say) -> int:
    from harness.commands.verdict_lines import verdict_lines
    from harness.plugin.judging import exit_status, judge_run
    from harness.results.reader import open_run
    from harness.results.run_folder import new_run_folder, write_manifest

    judge = judge_from(args, args.judge, project)
    folder = project.run_folder(args.RUN)
    run = open_run(folder, strict=False)
    labels = _labels(args.labels)
    calls = JudgeCalls(args, project)
    run_id, made = new_run_folder(project.settings.runs)
    manifest = replace(
        run.manifest,
        run_id=run_id,
        created_at=iso_utc(time.time()),
        command=("harness", "judge", folder.name, "--judge", args.judge),
        models=tuple(sorted({*run.manifest.models, judge.model_name})),
    )
    write_manifest(made, replace(manifest, finished_at=""))
    try:
        worked = asyncio.run(_judge_all(_Work(judge, calls, project, args.suite, labels, manifest), run.records, made))
    except BaseException:
        _remove(made)
        raise
    finally:
        calls.close()
    if worked.spent:
        manifest = replace(manifest, exit_reason="budget")
    manifest = replace(manifest, finished_at=iso_utc(time.time()))
    write_manifest(made, manifest)
    judged = judge_run(made, settings=project.settings, root=project.root)
    seen = screen()
    say(f"run {run_id}: {worked.count:,} trials of {folder.name} judged by {judge.name} ({judge.model_name})")
    line = next((one for one in judged.scorecard.judges if one.identity == judge.identity), None)
    if line is not None and line.hit_rate is not None:
        say(f"{100 * line.hit_rate:.1f}% of {line.asked:,} verdicts from the cache; {calls.said}; {line.standing}")
    for notice in worked.notices:
        say(notice)
    for text in verdict_lines(judged, width=seen.width, colour=seen.colour, ascii_only=seen.ascii_only):
        say(text)
    say(f"scorecard: {project.shown(made / 'scorecard.html')}")
    return exit_status(0, judged)


class _Work:
    """What judging the records of one run needs."""

    def __init__(
        self,
        judge: Any,
        calls: JudgeCalls,
        project: Project,
        suite: str,
        labels: Mapping[tuple[str, int], bool],
        manifest: Manifest,
    ) -> None:
        self.judge = judge
        self.calls = calls
        self.suite = suite
        self.redact = project.settings.redact
        self.labels = labels
        self.observed = {(plan.suite, plan.arm) for plan in manifest.planned if plan.observe}
        self.count = 0
        self.spent = False
        self.notices: list[str] = []
        self._project = project
        self._datasets: dict[str, dict[str, Case]] = {}

    def case(self, record: Record) -> Case:
        """The case of a record, from its dataset as it is now, or as far as the trajectory shows it."""
        cases = self._datasets.get(record.dataset)
        if cases is None:
            cases = self._datasets[record.dataset] = self._load(record.dataset)
        case = cases.get(record.case_id)
        if case is not None and case.content_hash == record.case_hash:
            return case
        if case is not None:
            self._note(f"case {record.case_id} has changed since the run; the judge sees it as it is in the trajectory")
        messages = record.trajectory.messages if record.trajectory is not None else ()
        first = next((message_text(m) for m in messages if m.get("role") == "user"), "")
        return Case(id=record.case_id, input=first)

    def _load(self, name: str) -> dict[str, Case]:
        from harness.datasets import load_dataset

        path = self._project.settings.datasets / name
        if not name or not path.exists():
            self._note(
                f"dataset {name!r} is not in this project; the judge sees what the trajectories show of its cases"
            )
            return {}
        try:
            dataset: Dataset = load_dataset(path, root=self._project.root)
        except HarnessError as error:
            self._note(f"dataset {name!r} cannot be read ({str(error).splitlines()[0][:200]})")
            return {}
        return {case.id: case for case in dataset}

    def _note(self, text: str) -> None:
        if len(self.notices) < 20:
            self.notices.append(text)

    async def one(self, record: Record) -> Record:
        """A record with the judge's score."""
        trajectory = record.trajectory
        if record.outcome == "not_run" or not _below(record.suite, self.suite):
            return record
        if trajectory is None:
            trajectory = Trajectory(error=record.error)
        case = self.case(record)
        trial = Trial(index=record.trial, seed=record.seed)
        try:
            score, cost = await self.calls.around(case, trial, self.judge.evaluate(trajectory, case))
        except BudgetExhausted as error:
            self.spent = True
            score, cost = Score.not_measured(self.judge.name, str(error)[:2000], kind="budget"), None
        except Broken as error:
            score, cost = Score.not_measured(self.judge.name, str(error)[:2000], kind=error.kind), None
        label = self.labels.get((record.case_id, record.trial))
        told = score.evidence.get("judge")
        if label is not None and isinstance(told, Mapping):
            score = replace(score, evidence={**score.evidence, "judge": {**told, "human": label}})
        self.count += 1
        observed = (record.suite, record.arm) in self.observed
        return rejudged(record, score, cost_usd=cost, observed=observed)


async def _judge_all(work: _Work, records: Iterable[Record], folder: Path) -> _Work:
    from harness.results.journal import JournalWriter

    writer: JournalWriter
    with JournalWriter(folder, redact=work.redact) as writer:
        rest = iter(records)
        while chunk := list(islice(rest, CHUNK)):
            for record in await _together(work, chunk):
                writer.append(record.to_json())
    return work


async def _together(work: _Work, chunk: list[Record]) -> list[Record]:
    gate = asyncio.Semaphore(work.calls.concurrency)

    async def one(record: Record) -> Record:
        async with gate:
            return await work.one(record)

    tasks: list[asyncio.Task[Record]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks += [group.create_task(one(record)) for record in chunk]
    except ExceptionGroup as failed:
        # One mistake stops all; which of them is first does not matter.
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


def _below(suite: str, prefix: str) -> bool:
    rest = suite[len(prefix.rstrip("/")) :]
    return suite.startswith(prefix.rstrip("/")) and (not prefix or not rest or rest[0] in "/:[")


def _labels(path: str | None) -> dict[tuple[str, int], bool]:
    if path is None:
        return {}
    from harness.evaluators.judge.scoring import label_of

    found: dict[tuple[str, int], bool] = {}
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--labels: {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            label = label_of(row["human"])
            if label is None:
                raise ValueError(f"human must be 'pass' or 'fail', got {row['human']!r}")
            found[str(row["case"]), int(row.get("trial", 0))] = label
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f'{path}:{number}: {error}; a line is {{"case": ID, "trial": 0, "human": "pass"}}'
            ) from error
    return found


def _remove(folder: Path) -> None:
    """Take back the folder of a run that was not made."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)

"""Hold a judge's exam: its verdicts on rows that people have labelled. The record decides whether it may gate.

JUDGE is a model (litellm:MODEL, openai:MODEL@URL, module:name) with --rubric, or module:name of a Judge, PairJudge or
Panel. DATASET is the name or path of a dataset of labelled rows. The record is written to the folder of the setting
'judges' (reports/judges), to be committed; it holds for exactly this model, prompt, rubric and sampling.

recorded:VERDICTS.jsonl SET=ITEMS.json ... examines verdicts that were recorded on pairs elsewhere, and writes nothing.

exit codes: 0 exam passed, 10 exam failed (recorded: one of them), 12 budget exhausted
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands.judge_setup import JudgeCalls, add_judge_arguments, judge_from
from harness.commands.project import Project, Say, open_project
from harness.core.case import Case
from harness.core.clock import iso_utc
from harness.core.errors import BudgetExhausted, UsageError
from harness.core.record import Trial

if TYPE_CHECKING:
    from harness.core.judges import JudgeRecord
    from harness.stats.estimate import Estimate

EXAMPLES = """\
examples:
  harness calibrate litellm:openai/gpt-4o judging --rubric rubrics/correct.toml --mode live
  harness calibrate evals.judges:helpful our_labels --mode live --budget-usd 2
  harness calibrate fixtures.judges:good judging --rubric rubrics/correct.toml    a judge of this machine
  harness calibrate recorded:verdicts.jsonl natural=natural.json
"""
GATE_FAILED, BUDGET = 10, 12
FIGURES = {
    "kappa": "Cohen's kappa with people",
    "accuracy": "agreement with people",
    "tpr": "passes that it passes (TPR)",
    "tnr": "failures that it fails (TNR)",
    "calibration_error": "expected calibration error of its confidence",
    "brier": "Brier score of its confidence",
    "self_consistency": "stays when asked again",
    "order_flips": "turns with the order",
    "order_preference": "worth of being shown first",
    "length_bias": "worth of length",
    "length_effect": "passed more often when longer",
    "length_following": "told by length better than by people",
}
"""Every figure of a record, in the order of the report."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("JUDGE", help="a model's spec with --rubric, or module:name of a judge, or recorded:FILE")
    parser.add_argument("DATASET", nargs="+", help="labelled rows: name or path of a dataset (recorded: SET=FILE ...)")
    parser.add_argument("--no-probes", action="store_true", help="one verdict a row: no order, length or repetition")
    parser.add_argument("--dry", action="store_true", help="show the record, write nothing")
    parser.add_argument("--json", action="store_true", help="the record as JSON instead of text")
    add_judge_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Examine, write, say."""
    from harness.plugin.judge_home import leave, settle

    project = open_project(args)
    settle(project.settings, project.root)
    try:
        return _run(args, project, say)
    finally:
        leave()


def _run(args: argparse.Namespace, project: Project, say: Say) -> int:
    if args.JUDGE.startswith("recorded:"):
        return _recorded(args, say)
    if len(args.DATASET) != 1:
        raise UsageError(f"one dataset examines a judge, got {len(args.DATASET)}: {', '.join(args.DATASET)}")
    judge = judge_from(args, args.JUDGE, project)
    dataset = _dataset(args.DATASET[0], project)
    calls = JudgeCalls(args, project)
    try:
        record = asyncio.run(_examine(judge, dataset, calls, probes=not args.no_probes))
    except BudgetExhausted as error:
        say(f"{error}\nno record was written: an exam that was not finished says nothing")
        return BUDGET
    finally:
        calls.close()
    if args.json:
        say(json.dumps(record.to_json(), indent=1, ensure_ascii=False))
    else:
        for line in lines_of(record):
            say(line)
        say(calls.said)
    if not args.dry:
        from harness.evaluators.judge.records import write_record

        path = write_record(project.settings.judges, record)
        if not args.json:
            say(f"record: {project.shown(path)}")
    return 0 if record.valid else GATE_FAILED


async def _examine(judge: Any, dataset: Any, calls: JudgeCalls, *, probes: bool) -> JudgeRecord:
    from harness.evaluators.judge.exam import examine

    async def around(row: str, work: Awaitable[Any]) -> Any:
        return (await calls.around(Case(id=row, input=""), Trial(index=0, seed=0), work))[0]

    return await examine(
        judge, dataset, created_at=iso_utc(time.time()), concurrency=calls.concurrency, probes=probes, around=around
    )


def _dataset(name: str, project: Project) -> Any:
    from harness.datasets import load_dataset

    near = project.settings.datasets / name
    return load_dataset(near if "/" not in name and near.exists() else name, root=project.root)


def _recorded(args: argparse.Namespace, say: Say) -> int:
    from harness.evaluators.judge.recorded_pairs import recorded_records

    items: dict[str, Any] = {}
    for given in args.DATASET:
        name, equals, path = given.partition("=")
        if not equals:
            raise UsageError(f"{given!r}: recorded verdicts need their items as SET=FILE, e.g. natural=natural.json")
        items[name] = json.loads(_text(path))
    rows = [json.loads(line) for line in _text(args.JUDGE.removeprefix("recorded:")).splitlines() if line.strip()]
    records = recorded_records(rows, items)
    if args.json:
        say(json.dumps([record.to_json() for record in records], indent=1, ensure_ascii=False))
    for record in () if args.json else records:
        say(f"{record.judge} on {record.dataset}: {'passed' if record.valid else '; '.join(record.problems)}")
    return 0 if all(record.valid for record in records) else GATE_FAILED


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def lines_of(record: JudgeRecord) -> list[str]:
    """The record for a person at a terminal."""
    said = [f"judge {record.judge} ({record.model}), rubric {record.rubric}, identity {record.identity[:12]}"]
    passed = record.caught + record.missed
    said.append(
        f"{record.measured} of {record.rows} rows of {record.dataset} have a verdict; people passed {passed}, "
        f"failed {record.measured - passed}"
    )
    width = max(map(len, FIGURES.values()))
    for name, words in FIGURES.items():
        if name in record.figures:
            said.append(f"  {words:{width}}  {figure_text(record.figures[name])}")
    said.append("exam passed: it may gate" if record.valid else "exam failed: it is advisory")
    said += [f"  - {problem}" for problem in record.problems]
    return said


def figure_text(figure: Estimate) -> str:
    """A figure with its interval, or why there is none."""
    if figure.value is None:
        return f"not measured ({figure.note})" if figure.note else "not measured"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f}  ({figure.low:.3f} to {figure.high:.3f})"

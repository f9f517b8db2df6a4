"""Judge a sample of what production did, and keep a series that shows drift.

The log is JSON lines ({"messages": [...]} or a bare list of messages, with any other fields), journal lines of this
harness, or OpenTelemetry GenAI spans. Of every stratum (--by, default: the model) the same share is drawn by a seeded
hash; money is capped, and what was judged before the cap is still a random sample. One line per call goes to the
series, and is compared with the earlier lines of the same judge: an alarm needs a fall of the pass rate that its
interval shows. Keep one series per system that is watched.

exit codes: 0 no alarm, 4 a mistake in what was typed or a log that cannot be read, 10 the pass rate fell,
11 nothing could be judged, 12 budget exhausted before the sample was judged
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands.judge_setup import JudgeCalls, add_judge_arguments, judge_from
from harness.commands.project import Project, Say, open_project
from harness.commands.watch_series import Alarm, fall, read_series, shares
from harness.core.clock import iso_utc
from harness.core.errors import Broken, BudgetExhausted, UsageError
from harness.core.record import Trial
from harness.core.score import Score

if TYPE_CHECKING:
    from harness.datasets.transcripts import Transcript, Transcripts

EXAMPLES = """\
examples:
  harness watch chats.jsonl --judge litellm:openai/gpt-4o --rubric rubrics/helpful.toml --mode live --budget-usd 2
  harness watch spans.jsonl --judge evals.judges:helpful --rate 5 --by gen_ai.agent.name --mode live
  harness watch chats.jsonl --judge evals.judges:helpful --dry           what would be judged, and how many
"""
GATE_FAILED, INCONCLUSIVE, BUDGET = 10, 11, 12
_Judged = tuple["Transcript", Score]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("LOG", help="JSON lines of conversations, or of OpenTelemetry GenAI spans")
    parser.add_argument("--judge", required=True, metavar="JUDGE", help="a model's spec with --rubric, or module:name")
    parser.add_argument("--rate", type=float, default=10.0, metavar="PERCENT", help="of every stratum; default: 10")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another one draws others; default: 0")
    parser.add_argument("--by", default="model", metavar="FIELD", help="field that makes the strata; default: model")
    parser.add_argument(
        "--series", metavar="FILE", help="where the lines are kept; default: watch.jsonl beside the folder of the runs"
    )
    parser.add_argument(
        "--drop", type=float, default=0.0, metavar="POINTS",
        help="alarm only when the pass rate fell by more than this; default: 0",
    )  # fmt: skip
    parser.add_argument("--dry", action="store_true", help="draw the sample and say so; judge and write nothing")
    parser.add_argument("--json", action="store_true", help="the new line of the series instead of text")
    add_judge_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Read, draw, judge, keep, compare."""
    from harness.plugin.judge_home import leave, settle

    if not 0 < args.rate <= 100:
        raise UsageError(f"--rate must be above 0 and at most 100 percent, got {args.rate:g}")
    if not 0 <= args.drop < 100:
        raise UsageError(f"--drop must be from 0 to below 100 points, got {args.drop:g}")
    project = open_project(args)
    settle(project.settings, project.root)
    try:
        return _run(args, project, say)
    finally:
        leave()


def _run(args: argparse.Namespace, project: Project, say: Say) -> int:
    from harness.datasets.transcripts import read_transcripts, sample

    log = Path(args.LOG)
    seen = read_transcripts(log, by=args.by)
    drawn = sample(seen.found, rate=args.rate / 100, seed=args.seed)
    if args.dry:
        say(_drawn_line(args, seen, drawn))
        return 0
    judge = judge_from(args, args.judge, project)
    series = Path(args.series) if args.series else project.settings.runs.parent / "watch.jsonl"
    earlier = read_series(series)
    calls = JudgeCalls(args, project)
    try:
        judged, spent = asyncio.run(_judge_all(judge, drawn, calls))
    finally:
        calls.close()
    line = {
        "at": iso_utc(time.time()),
        "log": log.name,
        "judge": judge.name,
        "identity": judge.identity,
        "model": judge.model_name,
        "seed": args.seed,
        "rate": args.rate / 100,
        "unread": seen.unread,
        "cost_usd": None if calls.cost_usd is None else str(calls.cost_usd),
        "stopped": "budget" if spent else "",
        **shares(
            [one.stratum for one in seen.found],
            [(one.stratum, _passes(score), score.value) for one, score in judged],
            sampled=len(drawn),
        ),
    }
    alarm = fall(earlier, line, drop=args.drop / 100)
    line["alarm"] = alarm.fell
    series.parent.mkdir(parents=True, exist_ok=True)
    with series.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    if args.json:
        say(json.dumps(line, ensure_ascii=False))
    else:
        _tell(args, seen, drawn, [score for _, score in judged], line, alarm, calls, judge, say)
    if spent:
        return BUDGET
    if not line["judged"]:
        return INCONCLUSIVE
    return GATE_FAILED if alarm.fell else 0


async def _judge_all(judge: Any, drawn: Sequence[Transcript], calls: JudgeCalls) -> tuple[list[_Judged], bool]:
    """Who was judged, and whether the money ended it: then later ones are not begun, and what is paid for is kept."""
    made: list[_Judged] = []
    waiting = iter(drawn)
    spent = False

    async def worker() -> None:
        nonlocal spent
        for one in waiting:
            if spent:
                return
            try:
                made.append((one, await _judge_one(judge, one, calls)))
            except BudgetExhausted:
                spent = True

    await asyncio.gather(*(worker() for _ in range(min(calls.concurrency, len(drawn)))))
    return made, spent


async def _judge_one(judge: Any, one: Transcript, calls: JudgeCalls) -> Score:
    try:
        trial = Trial(index=0, seed=0)
        score, _ = await calls.around(one.case, trial, judge.evaluate(one.trajectory, one.case))
    except BudgetExhausted:
        raise
    except Broken as error:
        return Score.not_measured(judge.name, str(error)[:400] or type(error).__name__, kind="judge")
    made: Score = score
    return made


def _passes(score: Score) -> bool | None:
    if score.value is None:
        return None
    said = score.evidence.get("judge", {}).get("passes")
    return bool(said) if score.passed is None else score.passed


def _drawn_line(args: argparse.Namespace, seen: Transcripts, drawn: Sequence[Transcript]) -> str:
    strata: dict[str, list[int]] = {}
    for one in seen.found:
        strata.setdefault(one.stratum, [0, 0])[1] += 1
    for one in drawn:
        strata[one.stratum][0] += 1
    parts = ", ".join(f"{name or '(none)'} {a:,} of {b:,}" for name, (a, b) in sorted(strata.items())[:12])
    more = f", and {len(strata) - 12} more strata" if len(strata) > 12 else ""
    lost = f"; {seen.unread:,} lines are no conversation ({seen.first_problem})" if seen.unread else ""
    return f"{len(drawn):,} of {len(seen.found):,} conversations drawn, by {args.by}: {parts}{more}{lost}"


def _tell(
    args: argparse.Namespace,
    seen: Transcripts,
    drawn: Sequence[Transcript],
    scores: Sequence[Score],
    line: Mapping[str, Any],
    alarm: Alarm,
    calls: JudgeCalls,
    judge: Any,
    say: Say,
) -> None:
    say(_drawn_line(args, seen, drawn))
    lost = next((score.reason for score in scores if score.value is None), "")
    standing = "exam passed" if judge.record is not None and judge.record.valid else "no exam passed: harness calibrate"
    say(f"{line['judged']:,} of {len(drawn):,} judged by {judge.name} ({judge.model_name}; {standing}); {calls.said}")
    if lost:
        say(f"{line['not_measured']:,} not measured, the first: {lost[:200]}")
    if line["judged"]:
        say(
            f"pass rate {100 * line['pass_rate']:.1f}% [{100 * line['low']:.1f}, {100 * line['high']:.1f}], "
            f"mean {line['mean']:.3f}"
        )
    if line["stopped"]:
        say("the money ended before the sample did; what was judged is a random part of it")
    say(alarm.text)

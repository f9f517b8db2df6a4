"""Exam: a judge's verdicts on rows that people have labelled, and what they are worth.

Rows are cases whose ``expected.custom`` holds, for a judge of single answers, ``answer`` and ``human`` (pass or fail),
for a judge of pairs ``answer_a``, ``answer_b`` and ``human`` (A or B), beside whatever the rubric shows.

What is asked of a judge of single answers, per row: its verdict; the same again (self-consistency); the same with
criteria and anchors in the opposite order (order); the same with the answer padded by repeating itself, which adds
length and nothing else (length bias). A judge of pairs is asked in both orders, twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.case import Case, Dataset
from harness.core.errors import DatasetError
from harness.core.judges import JudgeRecord
from harness.core.trajectory import Trajectory
from harness.evaluators.judge.exam_figures import Limits, Marked, pair_record, single_record
from harness.evaluators.judge.judge import Judge
from harness.evaluators.judge.opinion import Ballot, Opinion
from harness.evaluators.judge.pair import PairJudge, pair_opinion
from harness.evaluators.judge.panel import Panel
from harness.evaluators.judge.parts import CannotShow, parts_of
from harness.evaluators.judge.scoring import label_of
from harness.stats.judge_bias import PairVerdicts

_CHOICE = {"A": 1, "B": 2, "tie": 0}


@dataclass(frozen=True, kw_only=True)
class ExamRow:
    """One labelled row."""

    id: str
    parts: Mapping[str, str]
    """What the judge is shown; the answers of a pair under ``answer_a`` and ``answer_b``."""
    human: int
    """1 pass or 0 fail; of a pair 1 or 2, the better answer."""


def exam_rows(dataset: Dataset, judge: Judge | Panel) -> list[ExamRow]:
    """The labelled rows of a dataset.

    :raises DatasetError: lists the rows that lack a label or a part.
    """
    rows: list[ExamRow] = []
    wrong: list[str] = []
    for case in dataset:
        try:
            rows.append(_pair_row(case, judge) if isinstance(judge, PairJudge) else _row(case, judge))
        except (CannotShow, ValueError) as error:
            wrong.append(f"{case.id}: {error}")
    if wrong:
        more = f"\n... and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        raise DatasetError(
            f"{dataset.name}: {len(wrong)} rows cannot examine a judge:\n" + "\n".join(wrong[:20]) + more
        )
    return rows


def _row(case: Case, judge: Judge | Panel) -> ExamRow:
    custom = case.expected.custom
    label = label_of(custom.get("human"))
    if label is None:
        raise ValueError(f"expected.custom.human must be 'pass' or 'fail', got {custom.get('human')!r}")
    if not isinstance(custom.get("answer"), str):
        raise ValueError(f"expected.custom.answer must be the judged text, got {custom.get('answer')!r:.80}")
    trajectory = Trajectory.from_answer(custom["answer"], user=case.text)
    return ExamRow(id=case.id, parts=parts_of(judge.rubric.shows, trajectory, case), human=int(label))


def _pair_row(case: Case, judge: PairJudge) -> ExamRow:
    custom = case.expected.custom
    if custom.get("human") not in ("A", "B"):
        raise ValueError(f"expected.custom.human must be 'A' or 'B', got {custom.get('human')!r}")
    beside = tuple(name for name in judge.rubric.shows if name not in ("answer", "other"))
    parts = parts_of((*beside, "answer_a", "answer_b"), Trajectory.from_answer("-"), case)
    return ExamRow(id=case.id, parts=parts, human=_CHOICE[custom["human"]])


async def examine(
    judge: Judge | Panel,
    dataset: Dataset,
    *,
    created_at: str = "",
    limits: Limits | None = None,
    concurrency: int = 50,
    probes: bool = True,
    around: Callable[[str, Awaitable[Any]], Awaitable[Any]] | None = None,
) -> JudgeRecord:
    """Hold the exam.

    :param limits: what is asked of the judge; default: :class:`Limits`.
    :param probes: False leaves out what needs more than one verdict per row: self-consistency, order, padding.
    :param around: runs one row's questions, given its id: where the caller sets a gateway.
    :raises Broken: what the way to the model raises.
    """
    rows = exam_rows(dataset, judge)
    gate = asyncio.Semaphore(concurrency)

    async def one(row: ExamRow) -> Any:
        async with gate:
            work = _ask_pair(judge, row, probes) if isinstance(judge, PairJudge) else _ask(judge, row, probes)
            return await (work if around is None else around(row.id, work))

    marked = await asyncio.gather(*map(one, rows))
    about = {
        "identity": judge.identity,
        "judge": judge.name,
        "model": judge.model_name,
        "rubric": judge.rubric.name,
        "dataset": dataset.name,
        "dataset_hash": dataset.content_hash,
        "created_at": created_at,
        "method": judge.method,
    }
    if isinstance(judge, PairJudge):
        return pair_record([m[0] for m in marked], [m[1] for m in marked], about, limits or Limits())
    return single_record(marked, about, limits or Limits())


async def _ask(judge: Judge | Panel, row: ExamRow, probes: bool) -> Marked:
    padded = {**row.parts, "answer": pad(row.parts["answer"])} if "answer" in row.parts else None
    criteria = judge.rubric.criteria
    turns = len(criteria) > 1 or any(one.anchors for one in criteria)

    async def also(wanted: bool, parts: Mapping[str, str] | None, **how: Any) -> Opinion | None:
        return await judge.opinion(parts, **how) if wanted and parts is not None else None

    first, again, turned, longer = await asyncio.gather(
        judge.opinion(row.parts),
        also(probes, row.parts, trial=1),
        also(probes and turns, row.parts, reverse=True),
        also(probes, padded),
    )
    return Marked(
        human=bool(row.human),
        first=first,
        again=again,
        reversed=turned,
        padded=longer,
        length=len(row.parts.get("answer", "").split()),
    )


async def _ask_pair(judge: PairJudge, row: ExamRow, probes: bool) -> tuple[PairVerdicts, dict[str, Any]]:
    beside = {name: text for name, text in row.parts.items() if name not in ("answer_a", "answer_b")}
    a, b = row.parts["answer_a"], row.parts["answer_b"]
    given, turned = await judge.choices(beside, a, b, samples=judge.samples)
    votes = [_vote(given), _vote(turned)]
    verdicts = PairVerdicts(
        human=row.human,
        given=votes[0],
        swapped=None if votes[1] is None else (0, 2, 1)[votes[1]],
        length_1=len(a.split()),
        length_2=len(b.split()),
    )
    more: dict[str, Any] = {"confidence": None, "again": None}
    if None not in votes:
        sides = [[one.winner for one in side if isinstance(one, Ballot)] for side in (given, turned)]
        sides[1] = [{"A": "B", "B": "A"}.get(winner, winner) for winner in sides[1]]
        opinion = pair_opinion(sides[0], sides[1], 0.5)
        more["confidence"] = opinion.confidence
        more["winner"] = _CHOICE[opinion.winner]
    if probes:
        more["again"] = _vote(await judge.ballots(row.parts, trial=1, samples=judge.samples))
    return verdicts, more


def _vote(side: Sequence[Ballot | str]) -> int | None:
    """The winner most samples name; a tie between winners is one; None without verdicts."""
    found = [_CHOICE[one.winner] for one in side if isinstance(one, Ballot)]
    if not found:
        return None
    first, second = found.count(1), found.count(2)
    return 1 if first > max(second, found.count(0)) else 2 if second > max(first, found.count(0)) else 0


def pad(answer: str) -> str:
    """The answer at about three times its length, saying nothing more."""
    return f"{answer}\n\nTo say the same again: {answer}\n\nIn short, and once more: {answer}"

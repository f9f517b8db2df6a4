"""What a new score of a judge makes of a finished trial: the outcome follows from what is left of the old one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from harness.core.errors import Failure
from harness.core.record import Record
from harness.core.score import Score

_BY_SCORES = ("not_measured", "nothing_judged", "advisory_judge")
"""``error.reason`` of trials that broke because nobody could judge them."""


def rejudged(record: Record, score: Score, *, cost_usd: Decimal | None = None, observed: bool = False) -> Record:
    """The record with ``score`` in the place of one of the same name.

    - A run that broke, or failed by an assertion, stays as it was: no judge can mend that.
    - A failed score fails the trial; a trial that only the replaced score had failed, or left unjudged, is open again.
    - A trial that nothing but an advisory judge speaks for is *errored* (kind ``judge``), unless its suite is observed.

    :param cost_usd: what the verdict cost; None: nothing.
    """
    others = tuple(old for old in record.scores if old.name != score.name)
    made = replace(record, scores=(*others, score), judge_cost_usd=cost_usd)
    broke = record.outcome == "errored" and record.error is not None and record.error.reason not in _BY_SCORES
    if broke or (record.trajectory is not None and record.trajectory.error is not None):
        return made
    by_body = record.outcome == "failed" and not any(old.passed is False for old in record.scores)
    if by_body:
        return made
    failed = [one for one in made.scores if one.passed is False]
    if failed:
        text = "\n".join(f"{one.name}: {one.reason}" for one in failed)[:20_000]
        return replace(made, outcome="failed", failure=text, error=None)
    lost = [one for one in made.scores if not one.measured and not one.expected_nothing]
    if lost:
        message = f"{lost[0].name} could not judge: {lost[0].reason}"[:4000]
        failure = Failure(kind=lost[0].error_kind or "judge", message=message, reason="not_measured")
        return replace(made, outcome="errored", failure="", error=failure)
    replaced = [old for old in record.scores if old.name == score.name]
    only_judge = (
        record.outcome != "passed"
        or any(old.passed is not None for old in replaced)
        or (not record.scores and record.error is not None)
    )
    measured = [one for one in made.scores if one.measured]
    if only_judge and not observed and not any(one.passed is not None for one in measured):
        message = f"only {score.name}, a judge without a valid exam record, judged this trial: harness calibrate"
        failure = Failure(kind="judge", message=message, reason="advisory_judge")
        return replace(made, outcome="errored", failure="", error=failure)
    return replace(made, outcome="passed", failure="", error=None)

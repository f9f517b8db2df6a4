"""From an opinion to a score: what a judge's word is worth in a trial.

- The value is the total in [0, 1]. It may fail the trial only when the judge has a valid exam record *now*; else the
  score is advisory: ``passed`` stays None, and what the judge would have said stands in the evidence.
- The evidence holds, under ``judge``, what the scorecard counts: identity, verdict, confidence, cache hits, and the
  label that a person gave this very answer, where the case has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.core.case import Case
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory

if TYPE_CHECKING:
    from harness.core.judges import JudgeRecord
    from harness.evaluators.judge.opinion import Opinion

_PASS = {"pass": True, "fail": False, "passed": True, "failed": False, True: True, False: False}


def score_of(
    judge: Any, opinion: Opinion, *, human: bool | None = None, more: Mapping[str, Any] | None = None
) -> Score:
    """The score of an opinion.

    :param judge: what has name, version, identity, model_name, rubric and record.
    :param human: what a person said of the same answer; None: nobody did.
    :param more: further evidence.
    """
    record: JudgeRecord | None = judge.record
    decides = record is not None and record.valid
    evidence: dict[str, Any] = {
        "identity": judge.identity,
        "model": judge.model_name,
        "asked": opinion.asked,
        "cached": opinion.cached,
        "advisory": not decides,
    }
    evidence.update(more or {})
    if human is not None:
        evidence["human"] = human
    if opinion.value is None:
        why = f"{opinion.why}" or "the judge gave no verdict"
        return Score.not_measured(
            judge.name, why, kind=opinion.kind or "judge", evidence={"judge": evidence}, version=judge.version
        )
    evidence.update(
        passes=opinion.passes,
        confidence=_short(opinion.confidence),
        criteria={name: _short(value) for name, value in opinion.criteria.items()},
        trust={name: _short(value) for name, value in opinion.trust.items()},
        samples=[dict(ballot.scores) or ballot.winner for ballot in opinion.ballots],
    )
    if opinion.spread is not None:
        evidence["spread"] = _short(opinion.spread)
    said = "passes" if opinion.passes else "fails"
    start = f"{opinion.value:.3g} of 1, {said} from {judge.rubric.pass_at:g} on, confidence {opinion.confidence:.2f}"
    standing = "" if decides else " (advisory: no exam passed)"
    return Score.of(
        judge.name,
        opinion.value,
        f"{start}{standing}: {shorten(opinion.reason, 600)}",
        passed=opinion.passes if decides else None,
        evidence={"judge": evidence},
        version=judge.version,
    )


def human_label(case: Case, trajectory: Trajectory) -> bool | None:
    """What a person said (``expected.custom["human"]``: pass or fail) of this answer (``expected.custom["answer"]``).

    A label belongs to the words that the person read, so it counts only where the agent said the same words.
    """
    custom = case.expected.custom
    label, answer = custom.get("human"), custom.get("answer")
    if answer is None or answer != trajectory.answer or not isinstance(label, (str, bool)):
        return None
    return _PASS.get(label)


def label_of(value: Any) -> bool | None:
    """A label as people write it; None when it is none."""
    return _PASS.get(value.lower() if isinstance(value, str) else value) if isinstance(value, (str, bool)) else None


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 6)

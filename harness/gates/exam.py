"""Exam: no gate rests on a judge that has not passed one.

- A rule on a judge's own metric is advisory unless every judge behind it has a valid record now.
- A rule on passes is inconclusive where a judge that has no valid record any more decided trials in its scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.core.judges import JudgeLine
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.gates.scope import lines_in_scope

CALIBRATE = "an exam of the judge: harness calibrate JUDGE DATASET"


def held_to_exam(rule: Any, verdict: Verdict, scorecard: Scorecard) -> Verdict:
    """The verdict of a rule, as far as the judges that it rests on may be trusted."""
    if not scorecard.judges or verdict.advisory:
        return verdict
    scope = places_of(rule, scorecard)
    metric = str(getattr(rule, "metric", ""))
    unfit = [
        line
        for line in scorecard.judges
        if not line.valid and any(place in scope for place in line.suites) and line.metric == metric
    ]
    if unfit:
        reason = f"advisory, because {_who(unfit)} may not gate ({unfit[0].standing}); {verdict.reason}"
        return replace(verdict, advisory=True, reason=reason, needs=CALIBRATE)
    decided = [
        line
        for line in scorecard.judges
        if not line.valid and line.deciding and any(place in scope for place in line.suites)
    ]
    if decided and _about_passes(rule) and verdict.answer != "inconclusive":
        reason = (
            f"trials in its scope were decided by {_who(decided)}, which may not gate now ({decided[0].standing}); "
            f"else: {verdict.answer}, {verdict.reason}"
        )
        return replace(verdict, answer="inconclusive", reason=reason, needs=CALIBRATE)
    return verdict


def places_of(rule: Any, scorecard: Scorecard) -> set[tuple[str, str]]:
    """(suite, arm) that a rule is about."""
    own = getattr(rule, "suites", None)
    if isinstance(own, tuple) and own and all(isinstance(place, tuple) for place in own):
        return set(own)
    lines = lines_in_scope(scorecard, suite=str(getattr(rule, "suite", "")), area=str(getattr(rule, "area", "")))
    arm = getattr(rule, "arm", None)
    return {(line.suite, line.arm) for line in lines if arm is None or line.arm == arm}


def _about_passes(rule: Any) -> bool:
    metric = getattr(rule, "metric", None)
    if metric is not None:
        return metric in ("pass_rate", "pass^k", "pass@k")
    # Every case passes, must-pass cases: rules without a metric that judge outcomes.
    return type(rule).__name__ in ("EveryCasePasses", "MustPass")


def _who(lines: Sequence[JudgeLine]) -> str:
    names = sorted({line.metric for line in lines})
    return f"judge {names[0]!r}" if len(names) == 1 else f"judges {', '.join(map(repr, names))}"

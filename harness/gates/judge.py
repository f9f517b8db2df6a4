"""Judge: every rule's verdict, and the ones that hold without being written down.

Without being written down:

- a suite's declared ``pass_rate`` is a threshold rule on that suite, at 95 % confidence;
- must-pass cases must pass;
- a suite that no rate rule decides over is plain pytest: every case passes, and every trial is measured;
- a run that was cut off, or that measured nothing, never passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.core.comparison import Comparison
from harness.core.contracts import GateRule
from harness.core.scorecard import Scorecard, SuiteLine
from harness.core.verdict import Verdict
from harness.gates.every_case import EveryCasePasses
from harness.gates.exam import held_to_exam
from harness.gates.family import judge_family, uses_holm
from harness.gates.must_pass import MustPass
from harness.gates.scope import lines_in_scope
from harness.gates.threshold import Threshold

RATE_METRICS = ("pass_rate", "pass^k", "pass@k")


def judge_rules(
    rules: Iterable[GateRule], scorecard: Scorecard, comparison: Comparison | None = None
) -> tuple[Verdict, ...]:
    """The verdict of each rule in the given order, then of the unwritten ones; never empty.

    A rule that raises answers inconclusive with what it raised. With no rules this is the default gate.
    """
    written = tuple(rules)
    rules_of_run = (*written, *unwritten_rules(written, scorecard))
    verdicts = judge_family(rules_of_run, lambda rule: _judge_one(rule, scorecard, comparison))
    return (*verdicts, *_about_the_run(scorecard))


def unwritten_rules(written: Sequence[GateRule], scorecard: Scorecard) -> tuple[GateRule, ...]:
    """The rules that hold on this run beside the written ones; see the head of this file."""
    gating = [line for line in scorecard.suites if not line.observe]
    # Frozen rules have a read-only name; the contract on the page declares a settable one, which no rule needs.
    found: list[Any] = []
    holm = uses_holm(written)
    covered = {place for rule in written for place in decides_over(rule, scorecard)}
    for line in gating:
        if line.pass_rate is not None:
            covered.add((line.suite, line.arm))
            found.append(_declared(line, line.pass_rate, holm=holm))
    cases = (case for line in gating for case in scorecard.cases[line.start : line.stop])
    if not any(isinstance(rule, MustPass) for rule in written) and any(c.severity == "must_pass" for c in cases):
        found.append(MustPass(name="must-pass cases"))
    plain = tuple((line.suite, line.arm) for line in gating if (line.suite, line.arm) not in covered)
    if plain:
        found.append(EveryCasePasses(suites=plain))
    return tuple(found)


def decides_over(rule: GateRule, scorecard: Scorecard) -> list[tuple[str, str]]:
    """(suite, arm) of the suites whose failed trials this rule decides over, so that one alone is not red.

    Threshold rules on a pass rate, and no-regression rules; advisory ones decide nothing.
    """
    decides = getattr(rule, "metric", "") in RATE_METRICS and not getattr(rule, "advisory", False)
    if not decides:
        return []
    suite, area = getattr(rule, "suite", ""), getattr(rule, "area", "")
    arm = getattr(rule, "arm", None)
    lines = lines_in_scope(scorecard, suite=suite, area=area)
    return [(line.suite, line.arm) for line in lines if arm is None or line.arm == arm]


def _declared(line: SuiteLine, limit: float, *, holm: bool) -> Threshold:
    name = f"declared pass rate [{line.arm}]" if line.arm else "declared pass rate"
    return Threshold(name=name, metric="pass_rate", at_least=limit, suite=line.suite, arm=line.arm, holm=holm)


def _judge_one(rule: GateRule, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
    try:
        return held_to_exam(rule, rule.judge(scorecard, comparison), scorecard)
    except Exception as error:  # noqa: BLE001 - a team's own rule may raise anything, and the gate must still answer
        return Verdict(
            rule=str(getattr(rule, "name", type(rule).__name__)),
            answer="inconclusive",
            reason=f"the rule could not decide: {type(error).__name__}: {error}"[:1000],
            suite=str(getattr(rule, "suite", "")),
            area=str(getattr(rule, "area", "")),
            needs="a rule that does not raise",
            advisory=bool(getattr(rule, "advisory", False)),
        )


def _about_the_run(scorecard: Scorecard) -> list[Verdict]:
    found = []
    if scorecard.exit_reason or not scorecard.finished:
        why = scorecard.exit_reason or "it has no end time"
        reason = f"the run did not finish: {why}; {scorecard.measured:,} of {scorecard.planned:,} trials were measured"
        found.append(
            Verdict(
                rule="the run finished",
                answer="inconclusive",
                reason=reason,
                needs=f"the rest of the run: --harness-resume={scorecard.run_id}",
            )
        )
    if not any(line.measured for line in scorecard.suites if not line.observe):
        reason = f"no gating suite measured anything ({scorecard.planned:,} trials planned)"
        found.append(Verdict(rule="something was measured", answer="inconclusive", reason=reason, needs="a run"))
    return found

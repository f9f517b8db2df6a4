"""Holm over the rules of a gate (``[gate] holm = true``): no rule passes, and none fails, because there are many.

With m rules at 95 % each, one of them fails a candidate that deserves none of it with a chance of up to m times 5 %,
and one of them passes one that does not up to as often. That the *whole gate* passes falsely is not among these: it
needs every rule, so its level is that of the one rule that should not have passed (Berger 1982, Technometrics
24:295-300). What Holm buys is therefore fewer false alarms, and rows that can be read one by one; what it costs is
cases. It is off unless asked for.

Step-down on bounds, without p-values: all r open rules are judged at 1 - (1 - confidence) / r; those that get the
answer keep it and leave, and the rest are judged again at the r that remains, until nobody leaves. A bound clears a
limit at 1 - a / r exactly when the p-value of the inverted test is at most a / r, so this is Holm's procedure (1979)
word for word. Once for *fail* and once for *pass*. The chance that any rule gets the answer falsely is at most the mean
of the levels of the rules for which it would be false; with one confidence in the whole file, that confidence's.

*Tests* are the gating rules with a confidence: threshold, no_regression, superiority, equivalence, latency, cost per
trial, and declared pass rates. A test without data counts among the r, so that leaving one out gains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import is_dataclass, replace
from typing import Any

from harness.core.contracts import GateRule
from harness.core.verdict import Answer, Verdict
from harness.gates.wording import percent

Judge = Callable[[GateRule], Verdict]


def is_test(rule: Any) -> bool:
    """Whether a rule decides at a confidence, and gates."""
    if getattr(rule, "advisory", False) or not hasattr(rule, "holm") or not hasattr(rule, "confidence"):
        return False
    # The total of a run is a count of money, not a sample: only a limit per trial is tested.
    return getattr(rule, "per_trial_usd", 0) is not None


def uses_holm(rules: Sequence[GateRule]) -> bool:
    """Whether the file of these rules said ``holm = true``."""
    return any(getattr(rule, "holm", False) for rule in rules)


def at_level(rule: Any, open_rules: int) -> Any:
    """The rule with the confidence that it needs while ``open_rules`` tests are open."""
    if open_rules <= 1 or not is_dataclass(rule) or isinstance(rule, type):
        return rule
    return replace(rule, confidence=raised(float(getattr(rule, "confidence", 0.95)), open_rules))


def raised(confidence: float, open_rules: int) -> float:
    """1 - (1 - confidence) / open rules."""
    return 1 - (1 - confidence) / max(1, open_rules)


def judge_family(rules: Sequence[GateRule], judge: Judge) -> list[Verdict]:
    """The verdict of each rule, in order; those that are not tests, or of a file without Holm, as they are."""
    members = [index for index, rule in enumerate(rules) if getattr(rule, "holm", False) and is_test(rule)]
    if len(members) < 2:
        return [judge(rule) for rule in rules]
    made: dict[tuple[int, int], Verdict] = {}

    def at(index: int, open_rules: int) -> Verdict:
        if (index, open_rules) not in made:
            made[index, open_rules] = judge(at_level(rules[index], open_rules))
        return made[index, open_rules]

    levels = dict.fromkeys(members, len(members))
    answers: dict[int, Answer] = {}
    failed, _ = _step_down(members, "fail", at)
    passed, left = _step_down(members, "pass", at)
    for index in members:
        if index in failed:
            answers[index], levels[index] = "fail", failed[index]
        elif index in passed:
            answers[index], levels[index] = "pass", passed[index]
        else:
            answers[index], levels[index] = "inconclusive", left
    return [
        _said(at(index, levels[index]), rule, answers[index], levels[index], len(members))
        if index in answers
        else judge(rule)
        for index, rule in enumerate(rules)
    ]


def _step_down(members: Sequence[int], wanted: Answer, at: Callable[[int, int], Verdict]) -> tuple[dict[int, int], int]:
    """Of the rules that get the answer, how many were open when they did; and how many are open at the end."""
    open_rules, found = list(members), {}
    while open_rules:
        count = len(open_rules)
        leaving = [index for index in open_rules if at(index, count).answer == wanted]
        if not leaving:
            break
        found.update(dict.fromkeys(leaving, count))
        open_rules = [index for index in open_rules if index not in found]
    return found, max(1, len(open_rules))


def _said(verdict: Verdict, rule: Any, answer: Answer, open_rules: int, size: int) -> Verdict:
    own = float(rule.confidence)
    told = f"; Holm over {size} tests: {percent(raised(own, open_rules))} in place of {percent(own)}"
    if verdict.answer == answer:
        return replace(verdict, reason=verdict.reason + told)
    # Shown at the level at which the others stopped, and not at the one that Holm asks of this answer.
    reason = f"{verdict.reason}{told}, which is not enough for {verdict.answer} while other tests are open"
    return replace(verdict, answer=answer, reason=reason, needs=verdict.needs or "more cases")

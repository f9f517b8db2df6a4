"""Rules that cannot pass with the cases this run has are said before the first call, with the number they need."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.plugin.judging import covers

if TYPE_CHECKING:
    from harness.core.record import PlannedSuite
    from harness.plugin.session import HarnessSession


def hopeless(shared: HarnessSession) -> list[str]:
    """One line per pass-rate rule whose suites have fewer cases than an unbroken row of passes would need.

    With ``[gate] holm = true`` a rule needs the level of Holm's first step only while every other test is open, and its
    own once all others have passed. It is hopeless where its own is out of reach; where only the raised one is, what it
    then depends on is said. A run that may stop early watches every rule at the raised level.
    """
    from harness.gates.family import is_test, uses_holm

    planned = [item for item in shared.plans.values() if not item.observe]
    rules = shared.rules()
    declared = [item for item in planned if item.pass_rate is not None]
    tests = sum(map(is_test, rules)) + len(declared) if uses_holm(rules) else 1
    lines = []
    for rule in rules:
        lines += _paired(shared, rule, planned, tests)
        bar = getattr(rule, "at_least", None)
        if getattr(rule, "metric", "") != "pass_rate" or bar is None or not 0 < bar < 1:
            continue
        cases = sum(item.cases for item in planned if covers(rule, item.suite, item.area))
        if cases:
            open_tests = tests if is_test(rule) else 1
            confidence, looks = float(getattr(rule, "confidence", 0.95)), getattr(rule, "looks", None)
            needs = partial(_passes, shared, bar, looks=looks)
            lines += _line(f"rule {rule.name!r}", cases, needs, confidence, open_tests, _how(shared, looks))
    for item in declared:
        if item.pass_rate is not None and item.pass_rate < 1:
            name = f"pass_rate={item.pass_rate:g} of {item.suite.rpartition('::')[2]}"
            needs = partial(_passes, shared, item.pass_rate, looks=None)
            lines += _line(name, item.cases, needs, 0.95, tests, _how(shared, None))
    return lines


def _passes(shared: HarnessSession, bar: float, confidence: float, *, looks: int | None) -> int:
    """Passes without a failure that a rule needs at a confidence."""
    if not shared.settings.until_decided:
        from harness.stats.planning import passes_needed

        return passes_needed(bar, confidence=confidence)
    if looks is not None:
        from harness.gates.looks import cases_for_looks

        return cases_for_looks(bar, confidence, looks)
    from harness.stats.sequential.pass_rate import passes_in_a_row

    return passes_in_a_row(bar, alpha=1 - confidence)


def _how(shared: HarnessSession, looks: int | None) -> str:
    if not shared.settings.until_decided:
        return ""
    return " when it may stop early" if looks is None else " at its last look"


def _line(name: str, cases: int, needs: Callable[[float], int], confidence: float, tests: int, how: str) -> list[str]:
    from harness.gates.family import raised

    own, first = needs(confidence), needs(raised(confidence, tests))
    early = bool(how)  # watched at the raised level, and at no other
    if cases < (first if early else own):
        holm = f" (Holm over {tests} tests)" if early and first > own else ""
        needed = first if early else own
        return [f"{name} cannot pass with {cases} cases: it needs at least {needed}{how}{holm}, all of them passing"]
    if cases < first:
        return [
            f"{name} passes with {cases} cases only after others of the {tests} tests did (Holm): to be the first it "
            f"needs at least {first}, all of them passing"
        ]
    return []


def _paired(shared: HarnessSession, rule: Any, planned: list[PlannedSuite], tests: int) -> list[str]:
    """The same for "no regression" of the pass rate: identical runs of how many cases rule its margin out?"""
    from harness.gates.family import is_test, raised
    from harness.gates.no_regression import NoRegression

    if not isinstance(rule, NoRegression) or rule.metric != "pass_rate" or rule.advisory:
        return []
    cases = sum(item.cases for item in planned if covers(rule, item.suite, item.area))
    margin = (5.0 if rule.margin_points is None else rule.margin_points) / 100
    if not cases:
        return []
    early = shared.settings.until_decided
    confidence = raised(rule.confidence, tests) if early and is_test(rule) else rule.confidence
    if early and rule.looks is None:
        from harness.stats.sequential.non_inferiority import ties_in_a_row

        needed = ties_in_a_row(margin, alpha=1 - confidence)
    else:
        from harness.stats.paired import pairs_to_decide

        needed = pairs_to_decide([0.0] * cases, margin, confidence=confidence) or 0
    if cases >= needed:
        return []
    holm = f" (Holm over {tests} tests)" if confidence > rule.confidence else ""
    return [
        f"rule {rule.name!r} cannot rule out a drop of {100 * margin:g} points with {cases} cases: it needs at least "
        f"{needed}{holm}, none of them different"
    ]

"""Rules that cannot pass with the cases this run has are said before the first call, with the number they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.plugin.judging import covers

if TYPE_CHECKING:
    from harness.core.record import PlannedSuite
    from harness.plugin.session import HarnessSession


def hopeless(shared: HarnessSession) -> list[str]:
    """One line per pass-rate rule whose suites have fewer cases than an unbroken row of passes would need."""
    planned = [item for item in shared.plans.values() if not item.observe]
    lines = []
    for rule in shared.rules():
        lines += _paired(shared, rule, planned)
        bar = getattr(rule, "at_least", None)
        if getattr(rule, "metric", "") != "pass_rate" or bar is None or not 0 < bar < 1:
            continue
        cases = sum(item.cases for item in planned if covers(rule, item.suite, item.area))
        if cases:
            lines += _line(shared, f"rule {rule.name!r}", cases, bar, _confidence(rule))
    for item in planned:
        if item.pass_rate is not None and item.pass_rate < 1:
            name = f"pass_rate={item.pass_rate:g} of {item.suite.rpartition('::')[2]}"
            lines += _line(shared, name, item.cases, item.pass_rate, 0.95)
    return lines


def _paired(shared: HarnessSession, rule: Any, planned: list[PlannedSuite]) -> list[str]:
    """The same for "no regression" of the pass rate: identical runs of how many cases rule its margin out?"""
    from harness.gates.no_regression import NoRegression

    if not isinstance(rule, NoRegression) or rule.metric != "pass_rate" or rule.advisory:
        return []
    cases = sum(item.cases for item in planned if covers(rule, item.suite, item.area))
    margin = (5.0 if rule.margin_points is None else rule.margin_points) / 100
    if not cases:
        return []
    if shared.settings.until_decided:
        from harness.stats.sequential.non_inferiority import ties_in_a_row

        needed = ties_in_a_row(margin, alpha=1 - rule.confidence)
    else:
        from harness.stats.paired import pairs_to_decide

        needed = pairs_to_decide([0.0] * cases, margin, confidence=rule.confidence) or 0
    if cases >= needed:
        return []
    return [
        f"rule {rule.name!r} cannot rule out a drop of {100 * margin:g} points with {cases} cases: it needs at least "
        f"{needed}, none of them different"
    ]


def _confidence(rule: Any) -> float:
    return float(getattr(rule, "confidence", 0.95))


def _line(shared: HarnessSession, name: str, cases: int, bar: float, confidence: float) -> list[str]:
    if shared.settings.until_decided:
        from harness.stats.sequential.pass_rate import passes_in_a_row

        needed, how = passes_in_a_row(bar, alpha=1 - confidence), " when it may stop early"
    else:
        from harness.stats.planning import passes_needed

        needed, how = passes_needed(bar, confidence=confidence), ""
    if cases >= needed:
        return []
    return [f"{name} cannot pass with {cases} cases: it needs at least {needed}{how}, all of them passing"]

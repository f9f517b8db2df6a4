"""Rules that cannot pass with the cases this run has are said before the first call, with the number they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.plugin.judging import covers

if TYPE_CHECKING:
    from harness.plugin.session import HarnessSession


def hopeless(shared: HarnessSession) -> list[str]:
    """One line per pass-rate rule whose suites have fewer cases than an unbroken row of passes would need."""
    planned = [item for item in shared.plans.values() if not item.observe]
    lines = []
    for rule in shared.rules():
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

"""Which suites a rule is about: a prefix of the node id, an area, or all gating suites."""

from __future__ import annotations

import difflib

from harness.core.scorecard import Scorecard, SuiteLine
from harness.core.verdict import Verdict


def lines_in_scope(scorecard: Scorecard, *, suite: str = "", area: str = "") -> list[SuiteLine]:
    """The gating suites (observed ones never gate) below ``suite`` and in ``area``; empty strings do not narrow.

    ``suites/desk`` means that folder, file or test, and not ``suites/desk_two``.
    """
    return [
        line
        for line in scorecard.suites
        if not line.observe and _below(line.suite, suite) and (not area or line.area == area)
    ]


def no_data(rule: str, scorecard: Scorecard, *, suite: str = "", area: str = "", advisory: bool = False) -> Verdict:
    """The answer of a rule whose suites are not in the run: inconclusive, with what is there instead."""
    asked = " and ".join(
        part for part in (f"suite {suite!r}" if suite else "", f"area {area!r}" if area else "") if part
    )
    if any(line.observe and _below(line.suite, suite) and (not area or line.area == area) for line in scorecard.suites):
        reason = f"no data: {asked or 'every suite'} is observed only, and observed suites never gate"
    elif not scorecard.suites:
        reason = "no data: the run has no suite"
    else:
        there = sorted({line.area for line in scorecard.suites if line.area}) if area and not suite else []
        there = there or sorted({line.suite for line in scorecard.suites})
        near = difflib.get_close_matches(suite or area, there, n=3, cutoff=0.3) or there[:3]
        reason = f"no data: {asked} is not in this run; it has {', '.join(near)}"
    return Verdict(
        rule=rule,
        answer="inconclusive",
        reason=reason,
        suite=suite,
        area=area,
        needs="a run of these suites",
        advisory=advisory,
    )


def _below(suite: str, prefix: str) -> bool:
    prefix = prefix.rstrip("/")
    rest = suite[len(prefix) :]
    return suite.startswith(prefix) and (not prefix or not rest or rest[0] in "/:[")

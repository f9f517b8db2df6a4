"""Verdict: a gate rule's answer, pass, fail or inconclusive, with the arithmetic; and how answers combine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Answer = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One rule's answer."""

    rule: str
    """Name of the rule as declared."""
    answer: Answer
    reason: str
    """The arithmetic in one or two sentences: estimate, bound, limit, n of N."""
    suite: str = ""
    """What it was about; empty: the whole run."""
    area: str = ""
    needs: str = ""
    """For inconclusive: what would decide it ("about 40 more cases")."""
    advisory: bool = False
    """Shown, but does not gate."""
    baseline_missing: bool = False
    """Inconclusive because there is no comparable baseline (exit code 13)."""

    def to_json(self) -> dict[str, Any]:
        """Plain mapping; empty fields are left out."""
        return {key: value for key, value in vars(self).items() if value not in ("", False)}


def combine(verdicts: Iterable[Verdict]) -> Answer:
    """The answer over all gating verdicts: any fail is fail, else any inconclusive is inconclusive, else pass.

    No gating verdict at all is inconclusive: a gate without rules has decided nothing.
    """
    answers = [verdict.answer for verdict in verdicts if not verdict.advisory]
    if "fail" in answers:
        return "fail"
    if "inconclusive" in answers or not answers:
        return "inconclusive"
    return "pass"

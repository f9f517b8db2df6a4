"""Latency: a quantile of the agent's wall time per trial stays below a limit."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.gates.fields import check_between, check_confidence
from harness.gates.threshold import Threshold


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The ``quantile`` of the latency is at most ``at_most_s``, shown by order statistics.

    With n trials the bound of the 95 % quantile at 95 % exists from n = 59 on, and is the slowest trial up to n = 92;
    below, the rule cannot pass and says so. A trial that broke counts as slowest for passing.
    """

    name: str
    at_most_s: float
    """Limit in seconds; the limit itself is good enough."""
    quantile: float = 0.95
    confidence: float = 0.95
    suite: str = ""
    area: str = ""
    advisory: bool = False
    holm: bool = False
    """Set by ``[gate] holm = true``; see :mod:`harness.gates.family`."""

    def __post_init__(self) -> None:
        check_between("at_most_s", self.at_most_s, 0, float("inf"))
        check_between("quantile", self.quantile, 0, 1)
        check_confidence(self.confidence)

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """See :class:`harness.gates.threshold.Threshold`."""
        rule = Threshold(
            name=self.name,
            metric="latency_s",
            at_most=self.at_most_s,
            quantile=self.quantile,
            confidence=self.confidence,
            suite=self.suite,
            area=self.area,
            advisory=self.advisory,
        )
        return rule.judge(scorecard, comparison)

"""Paired rules: what no_regression, superiority and equivalence share; they differ in the claims they make.

- The pass rate, and evaluators whose values are shares in [0, 1]: corrected Tango bounds on won and lost, a trial that
  broke counted both ways.
- Cost, latency, tokens and other evaluators: sign flips of the differences of case means, above 0 always better.
- Cases of a cluster, and the same case in two suites, are one group.
- A run that may have stopped early: betting e-processes along the seeded order of the cases, for the pass rate; other
  metrics are judged on what was measured.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.figures import metric_names
from harness.core.scorecard import Scorecard, SuiteLine
from harness.core.verdict import Answer, Verdict
from harness.gates.claims import Claim, Shown, show
from harness.gates.early import judge_pairs_in_order
from harness.gates.fields import FieldError, check_between, check_confidence, check_looks
from harness.gates.pairs import Pairs, base_shares, pair_cases
from harness.gates.says import Says
from harness.gates.scope import lines_in_scope, no_data
from harness.gates.triage import got_worse, got_worse_in_order
from harness.gates.wording import count, number, percent, some

ACCEPT = "a new baseline: harness baseline accept RUN"


@dataclass(frozen=True, kw_only=True)
class PairedRule(Says):
    """A difference from the baseline over the suites in scope, pooled, every paired case with the same weight."""

    name: str
    metric: str = "pass_rate"
    """``pass_rate``, ``cost_usd``, ``latency_s``, ``tokens`` or an evaluator's name, whose direction says what is
    better."""
    margin_points: float | None = None
    """For ``pass_rate``: the margin in percentage points, in (0, 100)."""
    margin: float | None = None
    """For every other metric: the margin in its unit (seconds, dollars), above 0."""
    margin_percent: float | None = None
    """For every other metric, instead of ``margin``: the margin as a share of the baseline's mean, in percent."""
    confidence: float = 0.975
    """Of each one-sided bound, in (0.5, 1); 0.975 is the usual level of non-inferiority trials (ICH E9)."""
    max_unpaired: float = 0.1
    """Largest share of cases on one side only (changed, gone, new); above it the rule cannot pass."""
    looks: int | None = None
    """With ``--harness-until-decided``: decide at so many planned looks only, see :mod:`harness.gates.looks`."""
    suite: str = ""
    area: str = ""
    advisory: bool = False
    holm: bool = False
    """Set by ``[gate] holm = true``; see :mod:`harness.gates.family`."""

    def __post_init__(self) -> None:
        check_between("margin_points", self.margin_points, 0, 100)
        check_between("margin", self.margin, 0, float("inf"))
        check_between("margin_percent", self.margin_percent, 0, float("inf"))
        check_confidence(self.confidence)
        check_between("max_unpaired", self.max_unpaired, 0, 1, ends=True)
        check_looks(self.looks, decides=self.metric == "pass_rate")
        if self.metric.startswith(("pass^", "pass@")):
            why = f"{self.metric!r} has no value per case that could be paired; compare pass_rate"
            raise FieldError("metric", why)
        own, other = ("margin_points",), ("margin", "margin_percent")
        wrong = other if self.metric == "pass_rate" else own
        for name in wrong:
            if getattr(self, name) is not None:
                right = " or ".join(own if wrong is other else other)
                raise FieldError(name, f"the margin of {self.metric} is given as {right}")
        if self.margin is not None and self.margin_percent is not None:
            raise FieldError("margin_percent", "give margin or margin_percent, got both")
        self._check()

    def _check(self) -> None:
        """What a kind refuses beyond that."""

    def claims(self) -> tuple[tuple[Claim, ...], tuple[Claim, ...]]:
        """Claims that pass it, and counter-claims of which any fails it."""
        raise NotImplementedError

    def _words(self, answer: Answer) -> str:
        """What an answer says, after the numbers."""
        raise NotImplementedError

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """See the head of this file. Without a comparable baseline: inconclusive, ``baseline_missing``."""
        lines = lines_in_scope(scorecard, suite=self.suite, area=self.area)
        if not lines:
            return no_data(self.name, scorecard, suite=self.suite, area=self.area, advisory=self.advisory)
        if comparison is None:
            return self._no_baseline("there is no baseline")
        if (changed := self._version_changed(comparison)) is not None:
            return changed
        pairs = pair_cases(scorecard, lines, comparison, self.metric)
        if len(pairs.new_suites) == len(lines):
            return self._no_baseline(f"baseline {comparison.base} has none of these suites")
        if scorecard.until_decided and self.metric == "pass_rate":
            return self._decide_in_order(scorecard, lines, comparison, pairs)
        if not pairs.worst:
            return self._nothing(scorecard, lines, comparison, pairs)
        claims, counter = self.claims()
        return self._decide(comparison, pairs, show(pairs, claims, counter, confidence=self.confidence))

    def _decide(self, comparison: Comparison, pairs: Pairs, shown: Shown) -> Verdict:
        start = self._numbers(comparison, pairs, shown)
        notes = self._notes(pairs)
        if shown.fails:
            return self._say("fail", f"{start}: {self._words('fail')}{notes}{got_worse(pairs)}")
        if self._too_many_unpaired(pairs):
            return self._say("inconclusive", f"{start}: {self._unpaired()}{notes}", ACCEPT)
        if shown.passes:
            return self._say("pass", f"{start}: {self._words('pass')}{notes}")
        needs = [f"the {count(pairs.missing, 'unmeasured trial')}"] if pairs.missing else []
        if not needs:
            hopeless = "a better candidate, or another margin"
            needs = [f"about {count(shown.more, 'more case')}" if shown.more is not None else hopeless]
        reason = f"{start}: {self._words('inconclusive')}{notes}{got_worse(pairs)}"
        return self._say("inconclusive", reason, needs[0])

    def _decide_in_order(
        self, scorecard: Scorecard, lines: list[SuiteLine], comparison: Comparison, pairs: Pairs
    ) -> Verdict:
        shares = base_shares(scorecard, lines, comparison)
        if not shares:
            return self._nothing(scorecard, lines, comparison, pairs)
        claims, counter = self.claims()
        answer, reason, needs = judge_pairs_in_order(
            scorecard,
            lines,
            shares,
            claims=claims,
            counter=counter,
            confidence=self.confidence,
            about=f"{self._words('pass')} against {comparison.base}",
            looks=self.looks,
        )
        reason += self._notes(pairs)
        if answer != "fail" and self._too_many_unpaired(pairs):
            return self._say("inconclusive", f"{reason}; {self._unpaired()}", ACCEPT)
        worse = "" if answer == "pass" else got_worse_in_order(scorecard, lines, shares)
        return self._say(answer, reason + worse, needs)

    def _numbers(self, comparison: Comparison, pairs: Pairs, shown: Shown) -> str:
        """Difference and bounds, new minus old in the metric's own sign, whichever way is better."""
        points = self.metric == "pass_rate"
        scale, unit = (100.0, " points") if points else (1.0, f" {pairs.unit}".rstrip())
        scale = -scale if pairs.lower_is_better else scale

        def signed(value: float) -> str:
            value = scale * value + 0.0  # minus zero is zero
            return f"{value:+.1f}" if points else f"{'+' if value >= 0 else ''}{number(value)}"

        # With broken trials there is no one difference: they count as lost at one end, and as won at the other.
        told = " to ".join(dict.fromkeys(map(signed, pairs.means)))
        start = f"{'' if points else f'{self.metric} '}{told}{unit} against {comparison.base} over "
        start += count(len(pairs.worst), "case")
        if shown.low is None and shown.high is None:
            return f"{start} (no bounds: {'unmeasured trials' if pairs.missing else 'no spread, or too few cases'})"
        ends = (shown.high, shown.low) if pairs.lower_is_better else (shown.low, shown.high)
        low, high = (None if bound is None else scale * bound + 0.0 for bound in ends)
        limits = sorted({scale * claim.at + 0.0 for group in self.claims() for claim in group})
        bounds = f"bounds {number(low, limit=limits[0])} to {number(high, limit=limits[-1])}{unit}"
        return f"{start} ({bounds} at {percent(self.confidence)} each)"

    def _notes(self, pairs: Pairs) -> str:
        notes = f"; lost: {some(pairs.worse)}" if pairs.worse and pairs.bounded else ""
        parts = [(pairs.changed, "changed"), (pairs.gone, "gone"), (pairs.new, "new")]
        parts.append((pairs.unvalued, f"with {self.metric} on one side only"))
        told = ", ".join(f"{n} {word}" for n, word in parts if n)
        notes += f"; cases on one side only: {told}" if told else ""
        return notes + (f"; not in the baseline: {some(pairs.new_suites, 3)}" if pairs.new_suites else "")

    def _too_many_unpaired(self, pairs: Pairs) -> bool:
        return pairs.share_unpaired > self.max_unpaired + 1e-12

    def _unpaired(self) -> str:
        return f"more than {100 * self.max_unpaired:g} % of the cases could not be paired"

    def _nothing(self, scorecard: Scorecard, lines: list[SuiteLine], comparison: Comparison, pairs: Pairs) -> Verdict:
        if self.metric != "pass_rate":
            names = metric_names(scorecard)
            if self.metric not in names:
                near = difflib.get_close_matches(self.metric, names, n=3, cutoff=0.4) or names
                reason = f"no data: no metric {self.metric!r} in this run; there is {', '.join(near)}"
                return self._say("inconclusive", reason, "a run that measures it")
            if pairs.missing:
                reason = f"{self.metric}: nothing measured that could be paired"
                return self._say("inconclusive", reason, f"the {count(pairs.missing, 'unmeasured trial')}")
            if pairs.unvalued:
                return self._no_baseline(
                    f"baseline {comparison.base} and this run have no case with {self.metric} on both sides; a "
                    "baseline that was accepted by an older harness keeps passes only"
                )
        told = f"{pairs.unpaired} changed, new or gone"
        return self._no_baseline(f"no case of baseline {comparison.base} could be paired ({told})")

    def _version_changed(self, comparison: Comparison) -> Verdict | None:
        before = comparison.baseline.score_versions.get(self.metric, "1") if comparison.baseline is not None else "1"
        now = str(comparison.meta.get("score_versions", {}).get(self.metric, "1"))
        if before == now:
            return None
        return self._no_baseline(
            f"{self.metric} is version {now} now and was version {before} in baseline {comparison.base}; scores of "
            "different versions are not compared"
        )

    def _no_baseline(self, why: str) -> Verdict:
        return self._say("inconclusive", why, "a baseline: harness baseline accept RUN", missing=True)

    def _at(self, points: float) -> Claim:
        """A claim "above the margin, downwards": at minus the margin, in the unit of the differences."""
        if self.metric == "pass_rate":
            return Claim(side="above", at=-(self.margin_points or points) / 100)
        if self.margin_percent is not None:
            return Claim(side="above", per_base=-self.margin_percent / 100)
        return Claim(side="above", at=-(self.margin or 0.0))

    def _margin(self, points: float) -> str:
        """The margin in words."""
        if self.metric == "pass_rate":
            return f"{self.margin_points or points:g} points"
        if self.margin_percent is not None:
            return f"{self.margin_percent:g} % of the baseline's {self.metric}"
        return f"{self.margin or 0:g} in {self.metric}"

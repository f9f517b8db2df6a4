"""No regression: the candidate is not worse than the baseline by more than a margin, paired by case.

Non-inferiority, not "no significant difference": pass when the lower bound of the difference is above minus the
margin; fail when the upper bound is below 0; else inconclusive with the number of cases that would decide. A trial that
broke counts as lost in the lower bound and as won in the upper one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.comparison import Comparison, SuiteComparison, suite_key
from harness.core.scorecard import Scorecard, SuiteLine
from harness.core.verdict import Answer, Verdict
from harness.gates.fields import FieldError, check_between, check_confidence
from harness.gates.scope import lines_in_scope, no_data
from harness.gates.wording import count, number, percent, some
from harness.stats.paired import paired_bounds, pairs_to_decide


@dataclass(frozen=True, kw_only=True)
class NoRegression:
    """The pass rate has not dropped by more than ``margin_points``, over the suites in scope, pooled."""

    name: str
    margin_points: float = 5.0
    """Largest acceptable drop in percentage points, in (0, 100)."""
    confidence: float = 0.975
    """Of each one-sided bound, in (0.5, 1); 0.975 is the usual level of non-inferiority trials (ICH E9)."""
    max_unpaired: float = 0.1
    """Largest share of the baseline's cases that may be changed or gone before the answer is inconclusive."""
    suite: str = ""
    area: str = ""
    metric: str = "pass_rate"
    """Only the pass rate is compared."""
    advisory: bool = False

    def __post_init__(self) -> None:
        check_between("margin_points", self.margin_points, 0, 100)
        check_confidence(self.confidence)
        check_between("max_unpaired", self.max_unpaired, 0, 1, ends=True)
        if self.metric != "pass_rate":
            raise FieldError("metric", f"no_regression compares pass_rate only, got {self.metric!r}")

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """See the head of this file. Without a comparable baseline: inconclusive, ``baseline_missing``."""
        lines = lines_in_scope(scorecard, suite=self.suite, area=self.area)
        if not lines:
            return no_data(self.name, scorecard, suite=self.suite, area=self.area, advisory=self.advisory)
        if comparison is None:
            return self._no_baseline("there is no baseline")
        found = [(line, comparison.suite(suite_key(line.suite, line.arm))) for line in lines]
        both = [(line, pair) for line, pair in found if pair is not None and _base_size(pair)]
        if not both:
            return self._no_baseline(f"baseline {comparison.base} has none of these suites")
        new = [line.suite for line, pair in found if pair is None or not _base_size(pair)]
        total = sum(_base_size(pair) for _, pair in both)
        worst, best, lost_cases = [], [], []
        unpaired = 0
        for line, pair in both:
            low, high, lost, gone = _differences(scorecard, line, pair)
            worst += low
            best += high
            lost_cases += lost
            unpaired += gone
        if not worst:
            return self._no_baseline(
                f"no case of baseline {comparison.base} could be paired ({unpaired} changed or gone)"
            )
        low_bound = paired_bounds(worst, confidence=self.confidence)[0]
        high_bound = paired_bounds(best, confidence=self.confidence)[1]
        return self._decide(
            comparison, worst, low_bound, high_bound, unpaired=unpaired, total=total, lost=lost_cases, new=new
        )

    def _decide(
        self,
        comparison: Comparison,
        worst: list[float],
        low: float | None,
        high: float | None,
        *,
        unpaired: int,
        total: int,
        lost: list[str],
        new: list[str],
    ) -> Verdict:
        margin = self.margin_points / 100
        points = [None if bound is None else 100 * bound for bound in (low, high)]
        mean = 100 * sum(worst) / len(worst)
        start = (
            f"{mean:+.1f} points against {comparison.base} over {count(len(worst), 'case')} "
            f"(bounds {number(points[0], limit=-self.margin_points)} to {number(points[1], limit=0.0)} points at "
            f"{percent(self.confidence)} each)"
        )
        notes = f"; lost: {some(lost)}" if lost else ""
        notes += f"; {unpaired} of {total} baseline cases changed or gone" if unpaired else ""
        notes += f"; not in the baseline: {some(new, 3)}" if new else ""
        if high is not None and high < 0:
            return self._say("fail", f"{start}: worse than the baseline{notes}")
        if unpaired > self.max_unpaired * total:
            reason = (
                f"{start}: more than {100 * self.max_unpaired:g} % of the baseline's cases could not be paired{notes}"
            )
            return self._say("inconclusive", reason, "a new baseline: harness baseline accept RUN")
        if low is not None and low > -margin:
            return self._say("pass", f"{start}: no drop of {self.margin_points:g} points or more{notes}")
        needed = pairs_to_decide(worst, margin, confidence=self.confidence)
        more = None if needed is None else max(1, needed - len(worst))
        needs = f"about {count(more, 'more case')}" if more is not None else "fewer lost cases, or a wider margin"
        return self._say(
            "inconclusive", f"{start}: a drop of {self.margin_points:g} points is not ruled out{notes}", needs
        )

    def _no_baseline(self, why: str) -> Verdict:
        return self._say("inconclusive", why, "a baseline: harness baseline accept RUN", missing=True)

    def _say(self, answer: Answer, reason: str, needs: str = "", *, missing: bool = False) -> Verdict:
        return Verdict(
            rule=self.name,
            answer=answer,
            reason=reason,
            suite=self.suite,
            area=self.area,
            needs=needs,
            advisory=self.advisory,
            baseline_missing=missing,
        )


def _base_size(pair: SuiteComparison) -> int:
    return len(pair.pairs) + len(pair.changed) + len(pair.only_base)


def _differences(
    scorecard: Scorecard, line: SuiteLine, pair: SuiteComparison
) -> tuple[list[float], list[float], list[str], int]:
    """Differences per case with broken trials lost, and with them won; ids of lost cases; cases without a pair."""
    cases = {case.case_id: case for case in scorecard.cases[line.start : line.stop]}
    worst: list[float] = []
    best: list[float] = []
    lost: list[str] = []
    for item in pair.pairs:
        base = item.base_passes / item.base_trials
        case = cases.get(item.case_id)
        open_trials = 0 if case is None else case.errored + case.not_run
        trials = item.new_trials + open_trials
        worst.append(item.new_passes / trials - base)
        best.append((item.new_passes + open_trials) / trials - base)
        if worst[-1] < 0:
            lost.append(item.case_id)
    broken = [case_id for case_id in pair.only_base if case_id in cases]
    # Planned cases without any record have no id here; they are among those the baseline has and this run lacks.
    unseen = min(line.missing_cases, len(pair.only_base) - len(broken))
    for _ in range(len(broken) + unseen):
        # Its rate in the baseline is not in the comparison: lost in full is the worst, won in full the best.
        worst.append(-1.0)
        best.append(1.0)
    return worst, best, lost + broken, len(pair.changed) + len(pair.only_base) - len(broken) - unseen


def unpaired_notes(comparison: Comparison) -> Iterator[str]:
    """One line per suite that has cases on one side only, for a report."""
    for suite in comparison.suites:
        parts = [(len(suite.changed), "changed"), (len(suite.only_base), "only before"), (len(suite.only_new), "new")]
        if any(n for n, _ in parts):
            yield f"{suite.suite}: " + ", ".join(f"{n} {word}" for n, word in parts if n)

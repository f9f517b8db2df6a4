"""Count: something happens at most so often in this run. A census, not an estimate: nothing is said of other runs.

For what must not happen at all, where a share has no limit to be tested against: a guard that broke, a forbidden call
that was made.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.figures import OWN_METRICS, metric_names
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.gates.fields import FieldError
from harness.gates.says import Says
from harness.gates.scope import lines_in_scope, no_data
from harness.gates.wording import count


@dataclass(frozen=True, kw_only=True)
class Count(Says):
    """The sum of an evaluator's values over all measured trials in scope is at most a limit."""

    name: str
    metric: str
    """An evaluator's name; its values are counts (0 and 1, or how often)."""
    at_most: float = 0
    suite: str = ""
    area: str = ""
    advisory: bool = False

    def __post_init__(self) -> None:
        if self.metric in OWN_METRICS:
            raise FieldError("metric", f"must be an evaluator's name, got {self.metric!r}; a threshold rule judges it")
        if self.at_most < 0:
            raise FieldError("at_most", f"must be at least 0, got {self.at_most:g}")

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """Fail above the limit; inconclusive where a trial that was not measured could still pass it."""
        lines = lines_in_scope(scorecard, suite=self.suite, area=self.area)
        if not lines:
            return no_data(self.name, scorecard, suite=self.suite, area=self.area, advisory=self.advisory)
        found = [scorecard.samples.get((line.suite, line.arm, self.metric)) for line in lines]
        samples = [sample for sample in found if sample is not None]
        if not samples:
            names = [name for name in metric_names(scorecard) if name not in OWN_METRICS]
            near = difflib.get_close_matches(self.metric, names, n=3, cutoff=0.4) or names
            reason = f"no data: no evaluator {self.metric!r} in this run; there is {', '.join(near) or 'none'}"
            return self._say("inconclusive", reason, "a run that measures it")
        total = sum(sum(sample.values) for sample in samples)
        seen, of = sum(len(sample.values) for sample in samples), sum(sample.of for sample in samples)
        told = f"{self.metric} {total:g} in {seen:,} of {count(of, 'trial')}"
        want = f"at most {self.at_most:g}"
        if total > self.at_most:
            return self._say("fail", f"{told}, not {want}")
        if seen < of:
            reason = f"{told}: {want} so far, and {count(of - seen, 'trial')} could not be measured"
            return self._say("inconclusive", reason, f"the {count(of - seen, 'unmeasured trial')}")
        return self._say("pass", f"{told}, {want}")

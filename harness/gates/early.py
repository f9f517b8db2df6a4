"""Pass-rate rules on a run that was allowed to stop early: judged by evidence that holds under such stopping.

A fixed-sample bound looked at after every case is wrong far more often than it says. The beta-mixture e-process of
:class:`harness.stats.sequential.pass_rate.PassRateWatch` may be looked at any time; it is fed along the seeded order
of the cases and keeps its answer once it has one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.core.in_order import walk
from harness.core.scorecard import Scorecard, SuiteLine
from harness.core.verdict import Answer
from harness.gates.wording import count, number, percent

if TYPE_CHECKING:
    from harness.stats.sequential.pass_rate import PassRateWatch


def watch_for(at_least: float, confidence: float) -> PassRateWatch:
    """The watch of a rule "pass rate at least ... at ... confidence": each of its two mistakes has the same bound."""
    from harness.stats.sequential.pass_rate import PassRateWatch

    alpha = 1 - confidence
    return PassRateWatch(at_least, alpha_pass=alpha, alpha_fail=alpha)


def judge_in_order(
    scorecard: Scorecard, lines: Sequence[SuiteLine], *, at_least: float, confidence: float
) -> tuple[Answer, str, str]:
    """Answer, arithmetic and what it needs, for a pass-rate rule on a run that may have stopped early."""
    watch = watch_for(at_least, confidence)
    missing = sum(line.missing_cases for line in lines)
    total = len({(line.dataset or line.suite, case.cluster or case.case_id) for line in lines for case in
                 scorecard.cases[line.start : line.stop]}) + missing  # fmt: skip
    if not missing:  # a case without any record may stand anywhere in the order, so nothing can be said without it
        for _, group in walk(scorecard, lines):
            if watch.update(group.worst, best=group.best).decided_at is not None:
                break
    state = watch.state
    bar = f"pass_rate at least {number(at_least)}"
    level = f"at {percent(confidence)}, looked at after every one"
    if state.decided_at is not None:
        value = math.exp(min(700.0, state.log_e_pass if state.answer == "pass" else state.log_e_fail))
        reason = (
            f"{bar}: decided after {state.decided_at:,} of {count(total, 'independent case')} in seeded order {level} "
            f"(evidence {value:,.3g} against 1, {1 / (1 - confidence):,.3g} needed)"
        )
        return state.answer, reason, ""
    if missing:
        return "inconclusive", f"{bar}: {count(missing, 'case')} left no record, so the order has gaps", "to be resumed"
    more = watch.more()
    needs = f"about {count(more, 'more case')}" if more else "more cases"
    return "inconclusive", f"{bar}: not decided after {state.n:,} of {count(total, 'independent case')} {level}", needs

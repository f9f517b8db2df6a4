"""Rules on a run that was allowed to stop early: judged by evidence that holds under such stopping.

A fixed-sample bound looked at after every case is wrong far more often than it says. The e-processes of
:mod:`harness.stats.sequential` may be looked at any time; they are fed along the seeded order of the cases and keep
their answer once they have one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from harness.core.in_order import walk
from harness.core.scorecard import Scorecard, SuiteLine
from harness.core.verdict import Answer
from harness.gates.claims import Claim
from harness.gates.looks import Looks
from harness.gates.wording import count, number, percent

if TYPE_CHECKING:
    from harness.stats.sequential.evidence import Evidence
    from harness.stats.sequential.non_inferiority import NonInferiorityWatch


class Watch(Protocol):
    """What every kind of evidence along the order can do."""

    @property
    def state(self) -> Evidence:
        """The evidence so far."""
        ...

    def update(self, value: float, *, best: float | None = None) -> Evidence:
        """One more independent item."""
        ...

    def more(self) -> int | None:
        """About how many more items decide."""
        ...


def watch_for(at_least: float, confidence: float, *, looks: int | None = None, total: int = 1) -> Watch:
    """The watch of a rule "pass rate at least ... at ... confidence": each of its two mistakes has the same bound.

    :param looks: planned looks instead of one after every group; ``total`` is then the number of groups there are.
    """
    if looks is not None:
        from harness.gates.looks import RateLooks

        return RateLooks(at_least, confidence, looks, max(1, total))
    from harness.stats.sequential.pass_rate import PassRateWatch

    alpha = 1 - confidence
    return PassRateWatch(at_least, alpha_pass=alpha, alpha_fail=alpha)


def claims_watch_for(
    claims: Sequence[Claim], counter: Sequence[Claim], *, confidence: float, looks: int | None = None, total: int = 1
) -> Watch:
    """The same for a rule on the difference from a baseline."""
    if looks is not None:
        from harness.gates.looks import ClaimLooks

        return ClaimLooks(claims, counter, confidence=confidence, looks=looks, total=max(1, total))
    return ClaimsWatch(claims, counter, confidence=confidence)


class ClaimsWatch:
    """Claims about a paired difference, each by a betting e-process of its own.

    Passes when every claim has been shown at some time, fails when a counter-claim has; the first answer stays. Each
    claim alone is wrongly shown, ever, with a chance of at most 1 - confidence. "Every claim" is then no worse
    (intersection-union); the two counter-claims of equivalence lie two margins apart, and their chances add up.
    """

    def __init__(self, claims: Sequence[Claim], counter: Sequence[Claim], *, confidence: float) -> None:
        from harness.stats.sequential.evidence import Evidence

        self._needed = -math.log(1 - confidence)
        self._claims = [_ClaimWatch(claim) for claim in claims]
        self._counter = [_ClaimWatch(claim) for claim in counter]
        self._shown: set[int] = set()
        self.state = Evidence(answer="inconclusive", n=0, log_e_pass=0.0, log_e_fail=0.0)

    def update(self, value: float, *, best: float | None = None) -> Evidence:
        """One more case (or family) with a difference of ``value`` at worst and ``best`` at best, in [-1, 1]."""
        from harness.stats.sequential.evidence import Evidence

        top = value if best is None else best
        good = [watch.update(value, top) for watch in self._claims]
        bad = [watch.update(value, top) for watch in self._counter]
        self._shown |= {index for index, log_e in enumerate(good) if log_e >= self._needed}
        n, answer, decided = self.state.n + 1, self.state.answer, self.state.decided_at
        if decided is None:
            failed, passed = max(bad) >= self._needed, len(self._shown) == len(good)
            answer = "fail" if failed else "pass" if passed else "inconclusive"
            decided = n if failed or passed else None
        self.state = Evidence(answer=answer, n=n, log_e_pass=min(good), log_e_fail=max(bad), decided_at=decided)
        return self.state

    def more(self) -> int | None:
        """About how many more cases decide, if evidence goes on growing as it did; None when it does not grow."""
        if self.state.decided_at is not None:
            return 0
        log_e = max(self.state.log_e_pass, self.state.log_e_fail)
        return None if log_e <= 1e-9 else max(1, math.ceil((self._needed - log_e) * self.state.n / log_e))


class _ClaimWatch:
    """Evidence for one claim. "Below" is "above" in the mirror; a claim above more than 0 is scaled into the range."""

    def __init__(self, claim: Claim) -> None:
        from harness.stats.sequential.non_inferiority import NonInferiorityWatch

        self._mirrored = claim.side == "below"
        at = -claim.at if self._mirrored else claim.at
        self._by = max(0.0, at)
        self._watch: NonInferiorityWatch = NonInferiorityWatch(max(0.0, -at))

    def update(self, worst: float, best: float) -> float:
        """Log evidence after one more difference: the worst for a claim above, the best for one below."""
        value = -best if self._mirrored else worst
        return self._watch.update((value - self._by) / (1 + self._by)).log_e_pass


def judge_in_order(
    scorecard: Scorecard, lines: Sequence[SuiteLine], *, at_least: float, confidence: float, looks: int | None = None
) -> tuple[Answer, str, str]:
    """Answer, arithmetic and what it needs, for a pass-rate rule on a run that may have stopped early."""
    missing = sum(line.missing_cases for line in lines)
    total = _groups(scorecard, lines) + missing
    watch = watch_for(at_least, confidence, looks=looks, total=total)
    if not missing:  # a case without any record may stand anywhere in the order, so nothing can be said without it
        for _, group in walk(scorecard, lines):
            if watch.update(group.worst, best=group.best).decided_at is not None:
                break
    bar = f"pass_rate at least {number(at_least)}"
    return _told(watch, bar, total=total, missing=missing, confidence=confidence)


def judge_pairs_in_order(
    scorecard: Scorecard,
    lines: Sequence[SuiteLine],
    shares: Mapping[tuple[str, str, str], float],
    *,
    claims: Sequence[Claim],
    counter: Sequence[Claim],
    confidence: float,
    about: str,
    looks: int | None = None,
) -> tuple[Answer, str, str]:
    """The same for a rule on the paired difference of pass shares.

    :param shares: the baseline's, see :func:`harness.gates.pairs.base_shares`.
    :param about: what is claimed, for the reason.
    """
    missing = sum(line.missing_cases for line in lines)
    total = _groups(scorecard, lines, set(shares)) + missing
    watch = claims_watch_for(claims, counter, confidence=confidence, looks=looks, total=total)
    if not missing:
        for _, group in walk(scorecard, lines, base=shares):
            base = group.base_share
            if watch.update(group.worst - base, best=group.best - base).decided_at is not None:
                break
    return _told(watch, about, total=total, missing=missing, confidence=confidence)


def _groups(scorecard: Scorecard, lines: Sequence[SuiteLine], among: set[tuple[str, str, str]] | None = None) -> int:
    return len(
        {
            (line.dataset or line.suite, case.cluster or case.case_id)
            for line in lines
            for case in scorecard.cases[line.start : line.stop]
            if among is None or (line.suite, line.arm, case.case_id) in among
        }
    )


def _told(watch: Watch, about: str, *, total: int, missing: int, confidence: float) -> tuple[Answer, str, str]:
    state = watch.state
    if isinstance(watch, Looks):
        return _told_of_looks(watch, about, total=total, missing=missing, confidence=confidence)
    level = f"at {percent(confidence)}, looked at after every one"
    if state.decided_at is not None:
        value = math.exp(min(700.0, state.log_e_pass if state.answer == "pass" else state.log_e_fail))
        reason = (
            f"{about}: decided after {state.decided_at:,} of {count(total, 'independent case')} in seeded order "
            f"{level} (evidence {value:,.3g} against 1, {1 / (1 - confidence):,.3g} needed)"
        )
        return state.answer, reason, ""
    if missing:
        return _gaps(about, missing)
    more = watch.more()
    needs = f"about {count(more, 'more case')}" if more else "more cases"
    reason = f"{about}: not decided after {state.n:,} of {count(total, 'independent case')} {level}"
    return "inconclusive", reason, needs


def _told_of_looks(watch: Looks, about: str, *, total: int, missing: int, confidence: float) -> tuple[Answer, str, str]:
    state = watch.state
    if state.decided_at is not None:
        saved = total - state.decided_at
        reason = (
            f"{about}: decided after {state.decided_at:,} of {count(total, 'independent case')} in seeded order at "
            f"{percent(confidence)}, {watch.told()}; {count(saved, 'case')} not needed"
        )
        return state.answer, reason, ""
    if missing:
        return _gaps(about, missing)
    reason = (
        f"{about}: not decided after {state.n:,} of {count(total, 'independent case')} at {percent(confidence)}, "
        f"{watch.told()}"
    )
    more = watch.more()
    needs = f"{count(more, 'more case')} to the next look" if more else "a plan with more cases: harness plan --looks"
    return "inconclusive", reason, needs


def _gaps(about: str, missing: int) -> tuple[Answer, str, str]:
    return "inconclusive", f"{about}: {count(missing, 'case')} left no record, so the order has gaps", "to be resumed"

"""Paired non-inferiority with a margin, looked at after every case: betting e-processes on a grid of bets.

Under "the mean difference is at or below -m" nobody can expect to win by betting on more: a stake of one that bets the
share g on each case turns into the product of 1 + g (d + m) / (1 - m), which does not grow on average. Several stakes
with different g are held at once, and their mean is the evidence (Waudby-Smith and Ramdas 2024, Journal of the Royal
Statistical Society B 86:1-27; for the bounded mean no valid evidence beats such bets: Clerico 2024,
arXiv:2412.02640). Evidence for fail bets the other way, against "at or above the limit".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.stats.sequential.evidence import Answer, Evidence, check_alpha, check_value

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SHARES = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Bets, as shares of the largest one that cannot lose more than the stake. All have the same weight."""


class NonInferiorityWatch:
    """Fed with one case's difference after the other, in an order that has nothing to do with how they end.

    Differences lie in [-1, 1] (candidate minus baseline; shares of trials that passed, or scores in [0, 1]). Where
    cases belong to families, feed the mean of one family as one item.
    """

    def __init__(
        self, margin: float, *, alpha_pass: float = 0.025, alpha_fail: float = 0.025, fail_below: float = 0.0
    ) -> None:
        """``margin`` in [0, 1); ``fail_below`` in (-1, 1): fail when the difference is shown to be below it.

        ``fail_below=0`` fails what is worse at all, ``fail_below=-margin`` what is worse by the margin. A margin of 0
        asks for superiority.
        """
        if not 0.0 <= margin < 1.0:
            raise ValueError(f"a margin is a drop in [0, 1), got {margin!r}")
        if not -1.0 < fail_below < 1.0:
            raise ValueError(f"fail_below is a difference between -1 and 1, got {fail_below!r}")
        self.margin = margin
        self.fail_below = fail_below
        self.alpha_pass = check_alpha("alpha_pass", alpha_pass)
        self.alpha_fail = check_alpha("alpha_fail", alpha_fail)
        self._pass_stakes = [0.0] * len(SHARES)
        self._fail_stakes = [0.0] * len(SHARES)
        self.state = Evidence(answer="inconclusive", n=0, log_e_pass=0.0, log_e_fail=0.0)

    def update(self, difference: float, *, best: float | None = None) -> Evidence:
        """One more case with ``difference`` in [-1, 1].

        :param best: for a case that could not be measured in full: ``difference`` counts for pass, ``best`` for fail.
        :raises ValueError: outside [-1, 1], or for a best below the difference.
        """
        worst, top = check_value(difference, best, -1.0, 1.0)
        for j, share in enumerate(SHARES):
            self._pass_stakes[j] += _log_factor(share * (worst + self.margin) / (1.0 - self.margin))
            self._fail_stakes[j] += _log_factor(share * (self.fail_below - top) / (1.0 - self.fail_below))
        good, bad = _log_mean(self._pass_stakes), _log_mean(self._fail_stakes)
        n, answer, decided = self.state.n + 1, self.state.answer, self.state.decided_at
        if decided is None:
            answer = self._answer(good, bad)
            decided = None if answer == "inconclusive" else n
        self.state = Evidence(answer=answer, n=n, log_e_pass=good, log_e_fail=bad, decided_at=decided)
        return self.state

    def more(self) -> int | None:
        """About how many more cases like the ones so far decide; 0 when decided, None when no number does.

        What is missing, over the mean growth of the stake that has done best so far.
        """
        if self.state.decided_at is not None:
            return 0
        if not self.state.n:
            return None
        waits = [
            (-math.log(alpha) - log_e) * self.state.n / max(stakes)
            for stakes, log_e, alpha in (
                (self._pass_stakes, self.state.log_e_pass, self.alpha_pass),
                (self._fail_stakes, self.state.log_e_fail, self.alpha_fail),
            )
            if max(stakes) > 1e-9
        ]
        return max(1, math.ceil(min(waits))) if waits else None

    def _answer(self, good: float, bad: float) -> Answer:
        if good >= -math.log(self.alpha_pass):
            return "pass"
        return "fail" if bad >= -math.log(self.alpha_fail) else "inconclusive"


def ties_in_a_row(margin: float, *, alpha: float = 0.025) -> int:
    """Cases without any difference after which a watch of every case passes: 103 for 5 points at 2.5 %.

    A rule with fewer cases cannot pass early.
    """
    check_alpha("alpha", alpha)
    if not 0.0 < margin < 1.0:
        raise ValueError(f"a margin is a drop between 0 and 1, got {margin!r}")
    steps = [_log_factor(share * margin / (1.0 - margin)) for share in SHARES]
    low, high = 0, 1
    while _log_mean([high * step for step in steps]) < -math.log(alpha):
        low, high = high, high * 2
    while low + 1 < high:
        middle = (low + high) // 2
        reached = _log_mean([middle * step for step in steps]) >= -math.log(alpha)
        low, high = (low, middle) if reached else (middle, high)
    return high


def log_evidence_not_worse(differences: npt.ArrayLike, margin: float) -> npt.NDArray[np.float64]:
    """Log evidence that the mean is above ``-margin`` after each item, along the last axis; for simulations."""
    import numpy as np

    d = np.asarray(differences, dtype=float)
    total: npt.NDArray[np.float64] | None = None
    for share in SHARES:
        # A stake that is lost stays lost: log(0) is minus infinity, and so is every later sum.
        with np.errstate(divide="ignore"):
            path = np.cumsum(np.log1p(np.maximum(-1.0, share * (d + margin) / (1.0 - margin))), axis=-1)
        total = path if total is None else np.logaddexp(total, path)
    assert total is not None
    evidence: npt.NDArray[np.float64] = total - math.log(len(SHARES))
    return evidence


def log_evidence_worse(differences: npt.ArrayLike, limit: float = 0.0) -> npt.NDArray[np.float64]:
    """Log evidence that the mean is below ``limit`` after each item, along the last axis; for simulations."""
    import numpy as np

    return log_evidence_not_worse(-np.asarray(differences, dtype=float), limit)


def _log_factor(gain: float) -> float:
    return math.log1p(gain) if gain > -1.0 else -math.inf


def _log_mean(stakes: list[float]) -> float:
    # At margin 0 or more the smallest bet is never ruined, so the largest stake is finite.
    top = max(stakes)
    return top + math.log(math.fsum(math.exp(stake - top) for stake in stakes) / len(stakes))

"""A pass rate against a bar, looked at after every case: two one-sided truncated beta-mixture e-processes.

Evidence for pass is the likelihood ratio of the cases so far, averaged over rates above the bar, against the bar;
evidence for fail the same over rates below it. Each is a test martingale at the bar and a supermartingale beyond it
(Robbins 1970, Annals of Mathematical Statistics 41:1397-1409; Ramdas, Grunwald, Vovk and Shafer 2023, Statistical
Science 38:576-601).

The priors, truncated at the bar b: on its short side Beta(1/2, 1/2), on its long side Beta(1 / (2(1 - b)), 1), mirrored
for b below one half. Jeffreys' prior reaches a decision after 36 passes in a row at b = .9 and 5 %; the uniform one
needs 43. The long side is scaled to the room that failures have, which saves a fifth of the cases where the true
rate is .8 at a bar of .9.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.stats.sequential.evidence import Answer, Evidence, check_alpha, check_value

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class PassRateWatch:
    """Fed with one case after the other, in an order that has nothing to do with how they end.

    A case with several trials is one item: the share of its trials that passed. Fractions keep the guarantee (by
    weighted means, p^x (1-p)^(1-x) <= xp + (1-x)(1-p)); they cost power, never errors.
    """

    def __init__(self, bar: float, *, alpha_pass: float = 0.05, alpha_fail: float = 0.05) -> None:
        """``bar`` in (0, 1); ``alpha_pass`` bounds the chance of ever passing at or below the bar, ``alpha_fail`` of
        ever failing at or above it.
        """
        if not 0.0 < bar < 1.0:
            raise ValueError(f"a bar lies between 0 and 1, got {bar!r}; use a must-pass rule for 1")
        self.bar = bar
        self.alpha_pass = check_alpha("alpha_pass", alpha_pass)
        self.alpha_fail = check_alpha("alpha_fail", alpha_fail)
        self._passes = 0.0
        self._best = 0.0
        self._n = 0
        self.state = Evidence(answer="inconclusive", n=0, log_e_pass=0.0, log_e_fail=0.0)

    def update(self, value: float, *, best: float | None = None) -> Evidence:
        """One more case with ``value`` in [0, 1].

        :param best: for a case that could not be measured in full: ``value`` counts for pass, ``best`` for fail. A
            broken trial is ``update(0.0, best=1.0)``.
        :raises ValueError: outside [0, 1], or for a best below the value.
        """
        value, top = check_value(value, best, 0.0, 1.0)
        self._passes += value
        self._best += top
        self._n += 1
        above = float(log_evidence_above(self._passes, self._n - self._passes, self.bar))
        below = float(log_evidence_below(self._best, self._n - self._best, self.bar))
        answer, decided = self.state.answer, self.state.decided_at
        if decided is None:
            answer = _answer(above, below, self.alpha_pass, self.alpha_fail)
            decided = None if answer == "inconclusive" else self._n
        self.state = Evidence(answer=answer, n=self._n, log_e_pass=above, log_e_fail=below, decided_at=decided)
        return self.state

    def more(self) -> int | None:
        """About how many more cases like the ones so far decide; 0 when decided, None when no number does.

        What is missing, over the growth per case: the divergence of the measured share from the bar.
        """
        if self.state.decided_at is not None:
            return 0
        if not self._n:
            return None
        p = self._passes / self._n
        growth = sum(x * math.log(x / y) for x, y in ((p, self.bar), (1 - p, 1 - self.bar)) if x > 0)
        if growth < 1e-9:
            return None
        missing = -math.log(self.alpha_pass) - self.state.log_e_pass
        if p < self.bar:
            missing = -math.log(self.alpha_fail) - self.state.log_e_fail
        return max(1, math.ceil(missing / growth))


def passes_in_a_row(bar: float, *, alpha: float = 0.05) -> int:
    """Passes without a failure after which a watch of every case passes: 36 for a bar of .9 at 5 %."""
    check_alpha("alpha", alpha)
    low, high = 0, 1
    while float(log_evidence_above(high, 0, bar)) < -math.log(alpha):
        low, high = high, high * 2
    while low + 1 < high:
        middle = (low + high) // 2
        reached = float(log_evidence_above(middle, 0, bar)) >= -math.log(alpha)
        low, high = (low, middle) if reached else (middle, high)
    return high


def log_evidence_above(passes: npt.ArrayLike, failures: npt.ArrayLike, bar: float) -> npt.NDArray[np.float64]:
    """Log evidence that the rate is above ``bar``, per pair of counts; the vectorised form of the watch."""
    import numpy as np

    return log_evidence_below(np.asarray(failures, dtype=float), passes, 1.0 - bar)


def log_evidence_below(passes: npt.ArrayLike, failures: npt.ArrayLike, bar: float) -> npt.NDArray[np.float64]:
    """Log evidence that the rate is below ``bar``, per pair of counts."""
    import numpy as np
    from scipy.special import betaln

    s, f = np.broadcast_arrays(np.asarray(passes, dtype=float), np.asarray(failures, dtype=float))
    a, b = (0.5 / (1.0 - bar), 1.0) if bar > 0.5 else (0.5, 0.5)
    prior = betaln(a, b) + _log_lower_tail(np.array(a), np.array(b), bar)
    posterior = betaln(a + s, b + f) + _log_lower_tail(a + s, b + f, bar)
    evidence: npt.NDArray[np.float64] = posterior - prior - s * math.log(bar) - f * math.log1p(-bar)
    return evidence


def _log_lower_tail(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], x: float) -> npt.NDArray[np.float64]:
    """Log of the regularised incomplete beta function, also where it is below the smallest double."""
    import numpy as np
    from scipy.special import betainc, betaln

    tail = betainc(a, b, x)
    with np.errstate(divide="ignore"):
        logs = np.asarray(np.log(tail))
    tiny = np.asarray(tail < 1e-280)
    if bool(tiny.any()):
        # Far in the tail the series of DLMF 8.17.8 falls like a geometric one with ratio below (a+b)x/(a+1) < 1.
        aa, bb = a[tiny], b[tiny]
        term, total, k = np.ones(aa.shape), np.ones(aa.shape), 0
        while bool((term > 1e-16 * total).any()) and k < 100_000:
            term = term * (aa + bb + k) / (aa + 1 + k) * x
            total = total + term
            k += 1
        logs[tiny] = aa * math.log(x) + bb * math.log1p(-x) - np.log(aa) - betaln(aa, bb) + np.log(total)
    return logs


def _answer(above: float, below: float, alpha_pass: float, alpha_fail: float) -> Answer:
    if above >= -math.log(alpha_pass):
        return "pass"
    return "fail" if below >= -math.log(alpha_fail) else "inconclusive"

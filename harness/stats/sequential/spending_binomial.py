"""Planned looks at a pass rate against a bar: exact, by recursion over the number of passes.

At each look the suite passes with at least so many passes and fails with at most so many; both error rates, exactly at
the bar, are kept by the binomial distribution of the paths that have not stopped, not by an approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.stats.sequential.evidence import Answer, check_alpha
from harness.stats.sequential.spending import check_looks, obrien_fleming_spent

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Operating:
    """What a plan does when the true rate is ``rate``."""

    rate: float
    passes: float
    """Chance of passing, in [0, 1]."""
    fails: float
    cases: float
    """Cases used on average."""


@dataclass(frozen=True, kw_only=True)
class LookPlan:
    """When a pass-rate gate with planned looks passes and fails."""

    bar: float
    looks: tuple[int, ...]
    """Cases seen at each look; the last is the maximum."""
    pass_at: tuple[int, ...]
    """Pass with at least this many passes; above the cases seen where the look cannot pass."""
    fail_at: tuple[int, ...]
    """Fail with at most this many passes; -1 where the look cannot fail."""

    def answer(self, look: int, passes: int) -> Answer:
        """What the look of this number, from 0, says about so many passes."""
        if not 0 <= look < len(self.looks) or not 0 <= passes <= self.looks[look]:
            raise ValueError(f"look {look!r} with {passes!r} passes is not in the plan {self.looks!r}")
        if passes >= self.pass_at[look]:
            return "pass"
        return "fail" if passes <= self.fail_at[look] else "inconclusive"

    def operating(self, rate: float) -> Operating:
        """Chances of both answers and cases used on average, exactly, for a true ``rate`` in [0, 1]."""
        going = passed = failed = cases = 0.0
        paths, before = _start(), 0
        for n, up, down in zip(self.looks, self.pass_at, self.fail_at, strict=True):
            paths = _steps(paths, n - before, rate)
            over, under = float(paths[up:].sum()), float(paths[: down + 1].sum())
            passed, failed, cases = passed + over, failed + under, cases + n * (over + under)
            paths[up:] = 0.0
            paths[: down + 1] = 0.0
            going, before = float(paths.sum()), n
        return Operating(rate=rate, passes=passed, fails=failed, cases=cases + going * self.looks[-1])


def plan_looks(
    bar: float, looks: Sequence[int], *, alpha_pass: float = 0.05, alpha_fail: float | None = 0.05
) -> LookPlan:
    """Boundaries at each look by O'Brien-Fleming spending; :func:`~.spending.obrien_fleming_spent`.

    At the bar the chance of passing is at most ``alpha_pass`` and of failing at most ``alpha_fail``. Each side is
    computed as if the other were not there, so going on although the plan says fail is allowed and harms nothing.
    What a look could not spend, because counts are whole, the next one has.

    :param alpha_fail: None: the plan has no failing side.
    """
    if not 0.0 < bar < 1.0:
        raise ValueError(f"a bar lies between 0 and 1, got {bar!r}")
    check_looks(looks)
    check_alpha("alpha_pass", alpha_pass)
    upper = _upper_side(bar, looks, alpha_pass)
    lower = [-1] * len(looks)
    if alpha_fail is not None:
        # Few passes are many failures: the same recursion with the parts swapped.
        check_alpha("alpha_fail", alpha_fail)
        lower = [n - c for n, c in zip(looks, _upper_side(1 - bar, looks, alpha_fail), strict=True)]
    return LookPlan(bar=bar, looks=tuple(looks), pass_at=tuple(upper), fail_at=tuple(lower))


def _upper_side(bar: float, looks: Sequence[int], alpha: float) -> list[int]:
    import numpy as np

    paths, before, spent = _start(), 0, 0.0
    bounds: list[int] = []
    for n in looks:
        paths = _steps(paths, n - before, bar)
        allowed = obrien_fleming_spent(n / looks[-1], alpha) - spent
        tails = np.cumsum(paths[::-1])[::-1]
        # The smallest count whose tail is affordable; n + 1 when even "all pass" is not.
        bound = int(np.searchsorted(-tails, -allowed))
        spent += float(tails[bound]) if bound <= n else 0.0
        paths[bound:] = 0.0
        bounds.append(bound)
        before = n
    return bounds


def _start() -> npt.NDArray[np.float64]:
    import numpy as np

    return np.ones(1)


def _steps(paths: npt.NDArray[np.float64], steps: int, rate: float) -> npt.NDArray[np.float64]:
    """Distribution of the number of passes after so many more cases."""
    import numpy as np
    from scipy.special import gammaln, xlog1py, xlogy

    k = np.arange(steps + 1)
    logs = gammaln(steps + 1) - gammaln(k + 1) - gammaln(steps - k + 1) + xlogy(k, rate) + xlog1py(steps - k, -rate)
    # Far from the middle there is nothing that a sum of doubles could see; without it large plans take no time.
    far = 1e-40
    steps_made, kept = np.exp(logs), np.flatnonzero(paths > far)
    out = np.zeros(paths.size + steps)
    if kept.size:
        a, b = int(kept[0]), int(kept[-1]) + 1
        near = np.flatnonzero(steps_made > far)
        c, d = int(near[0]), int(near[-1]) + 1
        out[a + c : b + d - 1] = np.convolve(paths[a:b], steps_made[c:d])
    return out

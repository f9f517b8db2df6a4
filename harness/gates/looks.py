"""Rules with ``looks``: decided at a few planned looks up to the known number of cases, and nowhere between them.

Where the number of cases is known beforehand and is the most there will ever be, a few looks with boundaries from the
O'Brien-Fleming spending function (Lan and DeMets 1983) cost almost nothing at the end: the last look is close to a test
of all cases at once, which evidence after every case is not. Looks stand at planned numbers of groups along the seeded
order, the last at all of them. Pass rates by exact binomial boundaries, differences from a baseline by the paired
bounds at each look's own level. A group of several trials counts with the share that passed, rounded against whichever
answer is asked for.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.gates.claims import Claim
from harness.gates.wording import percent
from harness.stats.paired import paired_bounds
from harness.stats.sequential.evidence import Answer, Evidence

if TYPE_CHECKING:
    from harness.stats.sequential.spending_binomial import LookPlan

MOST_LOOKS = 50
"""More looks than that are better made after every case."""


class Looks:
    """What both kinds share: items are collected, and nothing is said between looks."""

    def __init__(self, looks: Sequence[int]) -> None:
        self.looks = tuple(looks)
        self.state = Evidence(answer="inconclusive", n=0, log_e_pass=0.0, log_e_fail=0.0)
        self.boundary = ""
        """The last look's arithmetic, in words."""

    def update(self, value: float, *, best: float | None = None) -> Evidence:
        """One more group; the answer can only change at a planned look."""
        self._take(value, value if best is None else best)
        n, answer, decided = self.state.n + 1, self.state.answer, self.state.decided_at
        if decided is None and n in self.looks:
            answer, self.boundary = self._look(self.looks.index(n), n)
            decided = None if answer == "inconclusive" else n
        self.state = Evidence(answer=answer, n=n, log_e_pass=0.0, log_e_fail=0.0, decided_at=decided)
        return self.state

    def more(self) -> int | None:
        """Groups up to the next look; 0 when decided, None after the last one."""
        if self.state.decided_at is not None:
            return 0
        return next((look - self.state.n for look in self.looks if look > self.state.n), None)

    def told(self) -> str:
        """Which look it was, its boundary, and where the looks stand."""
        seen = [number for number, look in enumerate(self.looks, 1) if look <= (self.state.decided_at or self.state.n)]
        which = (
            f"look {seen[-1]} of {len(self.looks)}: {self.boundary}" if seen else f"before the first look, {_at(self)}"
        )
        return f"{which}; O'Brien-Fleming looks {_at(self)}" if seen else f"{which} (O'Brien-Fleming)"

    def _take(self, value: float, best: float) -> None:
        raise NotImplementedError

    def _look(self, number: int, n: int) -> tuple[Answer, str]:
        raise NotImplementedError


class RateLooks(Looks):
    """A pass rate against a bar. At the bar either wrong answer has a chance of at most 1 - confidence in all."""

    def __init__(self, at_least: float, confidence: float, looks: int, total: int) -> None:
        self.plan = _plan(at_least, looks, total, round(1 - confidence, 12))
        super().__init__(self.plan.looks)
        self._worst: list[float] = []
        self._best: list[float] = []

    def _take(self, value: float, best: float) -> None:
        self._worst.append(value)
        self._best.append(best)

    def _look(self, number: int, n: int) -> tuple[Answer, str]:
        # Shares of several trials are rounded down for a pass and up for a fail: counts are what is planned with.
        low, high = math.floor(math.fsum(self._worst) + 1e-9), math.ceil(math.fsum(self._best) - 1e-9)
        up, down = self.plan.pass_at[number], self.plan.fail_at[number]
        passed = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        bars = [f"{up:,} or more pass" if up <= n else "none can pass", f"{down:,} or fewer fail" if down >= 0 else ""]
        answer: Answer = "pass" if low >= up else "fail" if high <= down else "inconclusive"
        return answer, f"{passed} of {n:,} passed; {', '.join(bar for bar in bars if bar)}"


class ClaimLooks(Looks):
    """Claims about a paired difference. Each is wrongly shown, at any look, with a chance of at most 1 - confidence."""

    def __init__(
        self, claims: Sequence[Claim], counter: Sequence[Claim], *, confidence: float, looks: int, total: int
    ) -> None:
        planned, self._levels = _levels(looks, total, round(1 - confidence, 12))
        super().__init__(planned)
        self._claims, self._counter = list(claims), list(counter)
        self._shown: set[int] = set()
        self._worst: list[float] = []
        self._best: list[float] = []

    def _take(self, value: float, best: float) -> None:
        self._worst.append(value)
        self._best.append(best)

    def _look(self, number: int, n: int) -> tuple[Answer, str]:
        level = self._levels[number]
        if level <= 0:
            return "inconclusive", "nothing to spend yet"
        low = paired_bounds(self._worst, confidence=1 - level)[0]
        high = paired_bounds(self._best, confidence=1 - level)[1]
        assert low is not None  # there is at least one pair
        assert high is not None

        def shown(claim: Claim) -> bool:
            return low > claim.at if claim.side == "above" else high < claim.at

        self._shown |= {index for index, claim in enumerate(self._claims) if shown(claim)}
        failed, passed = any(map(shown, self._counter)), len(self._shown) == len(self._claims)
        answer: Answer = "fail" if failed else "pass" if passed else "inconclusive"
        return answer, f"bounds {100 * low:+.1f} to {100 * high:+.1f} points at {percent(1 - level)} each"


def cases_for_looks(at_least: float, confidence: float, looks: int) -> int:
    """Fewest cases, all passing, with which a rule with looks can pass at all."""
    from harness.stats.planning import passes_needed

    # The last look has all that is left to spend, which is never more than the whole level.
    found = passes_needed(at_least, confidence=confidence)
    while _plan(at_least, looks, found, round(1 - confidence, 12)).pass_at[-1] > found:
        found += 1
    return found


def _at(watch: Looks) -> str:
    return "at " + ", ".join(f"{look:,}" for look in watch.looks)


@functools.lru_cache(maxsize=64)
def _plan(at_least: float, looks: int, total: int, alpha: float) -> LookPlan:
    from harness.stats.sequential.spending import even_looks
    from harness.stats.sequential.spending_binomial import plan_looks

    return plan_looks(at_least, even_looks(total, looks), alpha_pass=alpha, alpha_fail=alpha)


@functools.lru_cache(maxsize=64)
def _levels(looks: int, total: int, alpha: float) -> tuple[list[int], list[float]]:
    from harness.stats.sequential.spending import even_looks, look_levels

    planned = even_looks(total, looks)
    return planned, look_levels(planned, alpha=alpha)

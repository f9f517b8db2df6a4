"""Sensitivity: what a suite noticed of faults that were put into a good agent's trials.

The words:

- *fault*: a trajectory (or an agent) made worse by one *operator*.
- *killed*: the suite failed the trial with the fault in it. *survived*: it passed. *errored*: it could not judge, so
  the fault is in no rate. *equivalent*: there was nothing to put the fault into; it is no fault, and counts nowhere.
- *claimed*: whether the suite says that it notices faults of this operator (``golden(..., faults=[...])``); the kill
  rate is over claimed faults only.
- *bound*: an agent that cannot be mistaken for a good one (``null``, ``random``), or that answers as the case expects
  (``gold``): floor and ceiling of what a suite can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Fate = Literal["killed", "survived", "errored", "equivalent"]
FATES: tuple[Fate, ...] = get_args(Fate)


@dataclass(frozen=True, kw_only=True)
class FaultLine:
    """One operator on one suite."""

    suite: str
    """Empty: over all suites."""
    operator: str
    arm: str = ""
    area: str = ""
    claimed: bool = True
    killed: int = 0
    survived: int = 0
    errored: int = 0
    equivalent: int = 0
    low: float | None = None
    high: float | None = None
    """Interval of the kill rate, clustered by case; None where nothing was judged."""

    @property
    def judged(self) -> int:
        """Faults that were killed or survived: the N of the kill rate."""
        return self.killed + self.survived

    @property
    def rate(self) -> float | None:
        """Share killed of the judged; None where nothing was judged."""
        return self.killed / self.judged if self.judged else None


@dataclass(frozen=True, kw_only=True)
class JudgeLine:
    """One evaluator, or the test's body, of one suite: what it killed."""

    suite: str
    judge: str
    arm: str = ""
    area: str = ""
    kills: int = 0
    """Faults that it failed, alone or with others."""
    alone: int = 0
    """Faults that nothing else failed."""
    of: int = 0
    """Faults it was asked about (killed or survived)."""
    low: float | None = None
    high: float | None = None
    """Interval of ``kills`` of ``of``, clustered by case."""


@dataclass(frozen=True, kw_only=True)
class Survivor:
    """A fault that a suite let pass, with what it changed."""

    suite: str
    case_id: str
    operator: str
    arm: str = ""
    trial: int = 0
    claimed: bool = True
    before: str = ""
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class BoundLine:
    """What a suite said of a null, random or gold agent."""

    suite: str
    agent: str
    arm: str = ""
    area: str = ""
    passed: int = 0
    failed: int = 0
    errored: int = 0
    limit: float | None = None
    """The suite's declared pass rate; None: every case must pass."""
    low: float | None = None
    high: float | None = None

    @property
    def trials(self) -> int:
        """All of them: an agent that a suite cannot judge has not passed."""
        return self.passed + self.failed + self.errored

    @property
    def refused(self) -> bool:
        """Whether the suite's own criterion is missed: by the whole interval where a rate is declared, or by all."""
        if not self.trials:
            return False
        if not self.passed:
            return True
        if self.limit is None or self.limit >= 1:
            return self.passed < self.trials
        return self.high is not None and self.high < self.limit


@dataclass(frozen=True, kw_only=True)
class CaseKills:
    """One case of one suite: how many claimed faults it was judged with, and how many it killed."""

    suite: str
    case_id: str
    arm: str = ""
    area: str = ""
    cluster: str = ""
    killed: int = 0
    judged: int = 0
    equivalent: int = 0
    """Claimed faults that had nothing to change."""


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """All of it, for one run."""

    faults: tuple[FaultLine, ...] = ()
    """Over all suites first (``suite`` is empty), then per suite and arm."""
    judges: tuple[JudgeLine, ...] = ()
    survivors: tuple[Survivor, ...] = ()
    """Claimed ones first; at most :data:`MOST_SURVIVORS`."""
    bounds: tuple[BoundLine, ...] = ()
    cases: tuple[CaseKills, ...] = ()
    attacked: int = 0
    """Trials that passed and were attacked."""
    left_out: int = 0
    """Trials that did not pass as they were, so that a fault in them would prove nothing."""
    seed: int = 0
    notices: tuple[str, ...] = ()

    @property
    def killed(self) -> int:
        """Claimed faults killed."""
        return sum(case.killed for case in self.cases)

    @property
    def judged(self) -> int:
        """Claimed faults killed or survived."""
        return sum(case.judged for case in self.cases)

    @property
    def toothless(self) -> tuple[CaseKills, ...]:
        """Cases that were judged with claimed faults and failed none of them."""
        return tuple(case for case in self.cases if case.judged and not case.killed)

    @property
    def idle(self) -> tuple[JudgeLine, ...]:
        """What judged faults and never failed one."""
        return tuple(line for line in self.judges if line.of and not line.kills)


MOST_SURVIVORS = 200
"""Survivors that are kept with their example; the counts are of all."""

"""Scorecard: a run as rows, each with n of N, estimate, interval and unit; and one line per case.

The words:

- *planned*: trials the run was going to make (manifest). *measured*: trials that ended passed or failed.
- *n of N*: measured of planned. An errored or missing trial stays in N; it is never a zero and never dropped.
- *unreliable*: a case of a statistical suite that passed some trials and failed others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from harness.core.case import Severity
from harness.core.judges import JudgeLine
from harness.core.record import Manifest, Record
from harness.core.score import Direction
from harness.core.sensitivity import Sensitivity

RowKind = Literal["rate", "mean", "quantile", "pass_k", "total"]
CaseStatus = Literal["passed", "failed", "unreliable", "errored", "not_run", "decided"]
"""``decided``: every trial was left out, because no rule needed one any more."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of the scorecard."""

    suite: str
    """Empty for a row over several suites."""
    metric: str
    """``pass_rate``, ``pass^k`` (see ``k``), ``cost_usd``, ``latency_s`` (see ``quantile``), or an evaluator's name."""
    kind: RowKind
    area: str = ""
    arm: str = ""
    estimate: float | None = None
    """None: nothing was measured."""
    low: float | None = None
    high: float | None = None
    """Bounds of the interval; a bound that cannot be had is None, never a stand-in."""
    level: float = 0.95
    method: str = ""
    """How the interval was made, in the field's words."""
    n: int = 0
    """Trials measured."""
    of: int = 0
    """Trials planned (for an evaluator: planned trials whose case expects something of it)."""
    clusters: int = 0
    """Independent groups behind ``n``."""
    unit: str = ""
    direction: Direction = "higher"
    k: int | None = None
    quantile: float | None = None
    gate_low: float | None = None
    """Lower bound a gate may use at ``level`` (Clopper-Pearson or clustered), missing trials counted as failures."""
    gate_high: float | None = None
    """Upper bound a gate may use, missing trials counted as passes."""
    note: str = ""
    """Anything to know about the number ("only 4 clusters")."""


@dataclass(frozen=True, kw_only=True)
class CaseLine:
    """One case of one suite."""

    suite: str
    case_id: str
    status: CaseStatus
    arm: str = ""
    area: str = ""
    severity: Severity = "normal"
    cluster: str = ""
    passed: int = 0
    failed: int = 0
    errored: int = 0
    not_run: int = 0
    decided: int = 0
    """Trials left out because every rule that needs them was decided; not part of ``trials``."""
    reason: str = ""
    """The first failure or error, for a list."""
    case_hash: str = ""
    cost_usd: Decimal | None = None
    latency_s: float | None = None
    """Median over trials."""

    @property
    def measured(self) -> int:
        """Trials that ended passed or failed."""
        return self.passed + self.failed

    @property
    def trials(self) -> int:
        """Trials planned: measured, errored and not run."""
        return self.passed + self.failed + self.errored + self.not_run


@dataclass(frozen=True, kw_only=True)
class SuiteLine:
    """One suite and arm: what was planned and what became of it."""

    suite: str
    arm: str = ""
    area: str = ""
    dataset: str = ""
    trials: int = 1
    """Planned trials per case."""
    missing_cases: int = 0
    """Planned cases without a single record; they have no line in ``Scorecard.cases``."""
    passed: int = 0
    failed: int = 0
    errored: int = 0
    not_run: int = 0
    """Planned trials that never ran, those of missing cases included."""
    decided: int = 0
    """Planned trials left out because every rule that needs them was decided; in neither n nor N."""
    pass_rate: float | None = None
    """The declared criterion, or None."""
    observe: bool = False
    """Measured and shown, never gating."""
    statistical: bool = False
    """Whether a rate rule decides over the suite, so that a failed trial alone is not red."""
    start: int = 0
    """Its cases are ``Scorecard.cases[start:stop]``."""
    stop: int = 0

    @property
    def measured(self) -> int:
        """Trials that ended passed or failed."""
        return self.passed + self.failed

    @property
    def planned(self) -> int:
        """The N of *n of N*."""
        return self.passed + self.failed + self.errored + self.not_run


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The values behind one figure of one suite and arm, trial by trial."""

    cases: Sequence[int]
    """Position in ``Scorecard.cases`` of each value's case."""
    values: Sequence[float]
    unit: str = ""
    direction: Direction = "higher"
    area: str = ""
    of: int = 0
    """Trials that should have a value: the planned ones whose case expects something of the evaluator."""
    evaluator: bool = True
    """Whether an evaluator gave it (else: cost, latency, tokens)."""


@dataclass(frozen=True, kw_only=True)
class JudgedSample:
    """What a judge said in one suite and arm, trial by trial."""

    cases: Sequence[int]
    """Position in ``Scorecard.cases`` of each verdict's case."""
    passes: Sequence[int]
    """1 or 0 per verdict."""
    human: Sequence[int]
    """What a person said of the same answer: 1, 0, or -1 where nobody did."""
    identities: tuple[str, ...] = ()
    """The judges behind the verdicts."""
    of: int = 0
    """Trials that should have a verdict."""


@dataclass(frozen=True, kw_only=True)
class ArmComparison:
    """One arm of a suite against the first one, on the same cases and seeds."""

    suite: str
    axis: str
    """The parameter that differs."""
    first: str
    """Its value in the first arm."""
    arm: str
    """Its value in this one."""
    within: str = ""
    """The other parameters, which both share."""
    pairs: int = 0
    """Cases measured on both sides."""
    unpaired: int = 0
    """Cases measured on one side only."""
    won: int = 0
    lost: int = 0
    """Cases in which this arm passed a larger, or a smaller, share of its trials."""
    difference: float | None = None
    """Mean over pairs of this arm's pass share minus the first's, in [-1, 1]."""
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    p_value: float | None = None
    """Two-sided: exact McNemar with one trial a case, sign flips otherwise; None without pairs."""
    p_holm: float | None = None
    """Adjusted over the arms of the axis."""
    answer: Literal["better", "worse", "not shown"] = "not shown"
    """At 5 % over all arms of the axis together."""


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """A run as rows."""

    run_id: str
    rows: tuple[Row, ...]
    cases: tuple[CaseLine, ...]
    planned: int = 0
    measured: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """Trials per outcome: passed, failed, errored, not_run."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """Errored trials per kind."""
    error_reasons: Mapping[str, int] = field(default_factory=dict)
    """Errored trials per ``kind: reason``."""
    agent_cost_usd: Decimal | None = None
    """None: at least one trial's cost is unknown (never zero for unknown)."""
    judge_cost_usd: Decimal = Decimal(0)
    unpriced_trials: int = 0
    """Trials whose cost is unknown."""
    tokens: int = 0
    duration_s: float | None = None
    """From the first trial's start to the last one's end."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    suites: tuple[SuiteLine, ...] = ()
    """In planned order; gate rules choose among them."""
    finished: bool = True
    """False when the run was cut off: such a run never passes."""
    exit_reason: str = ""
    """Why it ended early, else empty."""
    partial: bool = False
    """Whether a selection left cases out."""
    seed: int = 0
    until_decided: bool = False
    """Whether the run stopped early where its rules allowed; its pass-rate rules are then judged in the seeded order
    of its cases by tests that hold under such stopping, never by fixed-sample bounds."""
    decided: int = 0
    """Trials left out, over all suites."""
    arms: tuple[ArmComparison, ...] = ()
    """Settings compared inside this run."""
    judges: tuple[JudgeLine, ...] = ()
    """Models that judged, each with what it did and its exam as the project has it now."""
    judged: Mapping[tuple[str, str, str], JudgedSample] = field(default_factory=dict, repr=False, compare=False)
    """Per (suite, arm, evaluator) the verdicts of judges; kept in memory only, as ``samples``."""
    sensitivity: Sensitivity | None = None
    """What the suites noticed of faults put into this run's trials; None where nobody put any."""
    samples: Mapping[tuple[str, str, str], Sample] = field(default_factory=dict, repr=False, compare=False)
    """Per (suite, arm, metric) the values themselves, for rules with a confidence or a pooling of their own. Kept in
    memory only; the journal is where they are stored."""

    def row(self, metric: str, *, suite: str = "", arm: str | None = None, **match: Any) -> Row | None:
        """The first row of that metric and suite (and ``k=``, ``quantile=``), or None."""
        for row in self.rows:
            if row.metric != metric or row.suite != suite or (arm is not None and row.arm != arm):
                continue
            if all(getattr(row, name) == value for name, value in match.items()):
                return row
        return None


def build_scorecard(manifest: Manifest, records: Iterable[Record], *, level: float = 0.95) -> Scorecard:
    """The scorecard of a run, in one pass over its records; trajectories are let go as they are read.

    Rows come in this order: over all suites, per area, per suite and arm. Observed suites have rows of their own and
    are left out of the rows over several suites, because those are what the gate decides on. A record that appears
    twice counts once, the last one. Nothing measured gives rows with estimate None, never a zero.

    :param level: confidence of the intervals, and of each one-sided gate bound.
    """
    from harness.core.arms import compare_arms
    from harness.core.figures import all_rows
    from harness.core.tally import tally

    counted = tally(manifest, records)
    arms = compare_arms(counted, manifest.planned, level=level) if any(p.compare for p in manifest.planned) else ()
    return replace(counted, rows=all_rows(counted, level=level), arms=arms)

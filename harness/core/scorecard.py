"""Scorecard: a run as rows, each with n of N, estimate, interval and unit; and one line per case.

The words:

- *planned*: trials the run was going to make (manifest). *measured*: trials that ended passed or failed.
- *n of N*: measured of planned. An errored or missing trial stays in N; it is never a zero and never dropped.
- *unreliable*: a case of a statistical suite that passed some trials and failed others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from harness.core.case import Severity
from harness.core.score import Direction

RowKind = Literal["rate", "mean", "quantile", "pass_k", "total"]
CaseStatus = Literal["passed", "failed", "unreliable", "errored", "not_run"]


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
    reason: str = ""
    """The first failure or error, for a list."""
    case_hash: str = ""
    cost_usd: Decimal | None = None
    latency_s: float | None = None
    """Median over trials."""


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

    def row(self, metric: str, *, suite: str = "", arm: str | None = None, **match: Any) -> Row | None:
        """The first row of that metric and suite (and ``k=``, ``quantile=``), or None."""
        for row in self.rows:
            if row.metric != metric or row.suite != suite or (arm is not None and row.arm != arm):
                continue
            if all(getattr(row, name) == value for name, value in match.items()):
                return row
        return None

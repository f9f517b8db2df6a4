"""Trial, Record, Manifest, Run: one attempt, what is kept of it, and all of a session together.

Outcomes, exactly one per record:

- ``passed``: the body and every declared evaluator that could judge said yes.
- ``failed``: something was judged and was wrong.
- ``errored``: it could not be measured; ``error.kind`` names the boundary that broke. Never a pass, never a fail.
- ``not_run``: it was planned and never started, or was cut off; ``error.message`` says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, Literal

from harness.core.case import Severity
from harness.core.errors import Failure
from harness.core.score import Score
from harness.core.trajectory import Trajectory

Outcome = Literal["passed", "failed", "errored", "not_run"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One attempt at one case."""

    index: int
    """From 0."""
    seed: int
    """Derived from the run's seed, the case id and the index: the same in every run with the same seed."""
    deadline_s: float | None = None
    """Seconds this trial may take; None: no limit."""

    @classmethod
    def of(cls, case_id: str, index: int, *, run_seed: int = 0, deadline_s: float | None = None) -> Trial:
        """The trial with its derived seed (31 bits)."""
        digest = hashlib.blake2b(f"{run_seed}|{case_id}|{index}".encode("utf-8", "surrogatepass"), digest_size=4)
        return cls(index=index, seed=int.from_bytes(digest.digest(), "big") >> 1, deadline_s=deadline_s)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One finished trial: a line of the journal."""

    suite: str
    """Node id of the test function, without the case: ``suites/desk/test_refunds.py::test_refunds``."""
    case_id: str
    case_hash: str
    trial: int
    outcome: Outcome
    nodeid: str = ""
    """Node id of the pytest item."""
    arm: str = ""
    """Parameters other than the case, where the test is parametrized; part of the record's identity."""
    dataset: str = ""
    area: str = ""
    severity: Severity = "normal"
    cluster: str | None = None
    tags: tuple[str, ...] = ()
    seed: int = 0
    config_hash: str = ""
    """Over everything declared that could change the outcome (agent spec, evaluators, mode, limits)."""
    agent: str = ""
    error: Failure | None = None
    failure: str = ""
    """What the body's assertion said, for ``failed``."""
    scores: tuple[Score, ...] = ()
    trajectory: Trajectory | None = None
    started_at: float = 0.0
    """Seconds since the epoch."""
    duration_s: float = 0.0
    """From start to end of the trial, evaluators included."""
    cost_usd: Decimal | None = None
    """The agent's cost; None when unknown."""
    judge_cost_usd: Decimal | None = None
    """The evaluators' cost; None when none was spent."""
    statistical: bool = False
    """Whether a rate rule decides over the suite, so that a failed trial makes its case *unreliable*, not red."""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Identity inside a run: suite, arm, case, trial."""
        return (self.suite, self.arm, self.case_id, self.trial)

    @property
    def group(self) -> str:
        """Identity for independence: the cluster, or the case itself."""
        return self.cluster if self.cluster is not None else self.case_id

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for the journal; fields at their default are left out."""
        out: dict[str, Any] = {}
        for item in _FIELDS:
            value = getattr(self, item.name)
            if value is None or value == item.default or value == ():
                continue
            out[item.name] = value
        for name in ("cost_usd", "judge_cost_usd"):
            if name in out:
                out[name] = str(out[name])
        if "tags" in out:
            out["tags"] = list(self.tags)
        if "scores" in out:
            out["scores"] = [score.to_json() for score in self.scores]
        if self.error is not None:
            out["error"] = self.error.to_json()
        if self.trajectory is not None:
            out["trajectory"] = self.trajectory.to_json()
        out["started_at"] = round(self.started_at, 3)
        out["duration_s"] = round(self.duration_s, 6)
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """The inverse of :meth:`to_json`; unknown keys of newer minor versions are ignored."""
        values = {item.name: data[item.name] for item in _FIELDS if item.name in data}
        for name in ("cost_usd", "judge_cost_usd"):
            if values.get(name) is not None:
                values[name] = Decimal(values[name])
        values["tags"] = tuple(values.get("tags", ()))
        values["scores"] = tuple(Score.from_json(score) for score in values.get("scores", ()))
        if values.get("error"):
            values["error"] = Failure.from_json(values["error"])
        if values.get("trajectory"):
            values["trajectory"] = Trajectory.from_json(values["trajectory"])
        return cls(**values)


_FIELDS = fields(Record)


DECIDED = "decided"
"""``error.reason`` of a trial that was not run because no rule needed it any more."""


@dataclass(frozen=True, kw_only=True)
class PlannedSuite:
    """What one test function was going to run; counts against which n of N is stated."""

    suite: str
    arm: str = ""
    """Parameters other than the case, where the test is parametrized."""
    area: str = ""
    dataset: str = ""
    dataset_hash: str = ""
    cases: int = 0
    trials: int = 1
    pass_rate: float | None = None
    """The declared criterion ``@pytest.mark.golden(..., pass_rate=...)``, or None."""
    observe: bool = False
    """Measured and shown, never gating."""
    statistical: bool = False
    """Whether a rate rule decides over the suite's cases."""
    compare: str = ""
    """The parameter whose values are compared as arms (``golden(..., compare="prompt")``), or empty."""
    compare_value: str = ""
    """This arm's value of that parameter."""
    compare_within: str = ""
    """The other parameters of this arm: arms are compared only with arms that share them."""

    def to_json(self) -> dict[str, Any]:
        """Plain mapping."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a run was: enough to say whether two runs may be compared, and to repeat this one."""

    run_id: str
    created_at: str
    """ISO 8601, UTC."""
    harness_version: str = ""
    agent: str = ""
    mode: str = "replay"
    seed: int = 0
    commit: str = ""
    """Commit of the project under test; empty outside a checkout."""
    dirty: bool = False
    """Whether the checkout had uncommitted changes."""
    command: tuple[str, ...] = ()
    """Arguments of the pytest invocation."""
    partial: bool = False
    """Whether a selection (-k, -m, --lf, a node id) left cases out: never accepted as a baseline."""
    planned: tuple[PlannedSuite, ...] = ()
    until_decided: bool = False
    """Whether trials were left out once every rule that needs them was decided (``--harness-until-decided``)."""
    models: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, Any] = field(default_factory=dict)
    finished_at: str = ""
    """Empty when the run was cut off."""
    exit_reason: str = ""
    """Why it ended early (``interrupted``, ``budget``, ``worker crashed``, ...), else empty."""

    @property
    def planned_trials(self) -> int:
        """Cases times trials over all suites."""
        return sum(item.cases * item.trials for item in self.planned)

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for ``manifest.json``."""
        out = dict(vars(self))
        out["command"] = list(self.command)
        out["models"] = list(self.models)
        out["planned"] = [item.to_json() for item in self.planned]
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        """The inverse of :meth:`to_json`; unknown keys are ignored."""
        values = {item.name: data[item.name] for item in fields(cls) if item.name in data}
        values["command"] = tuple(values.get("command", ()))
        values["models"] = tuple(values.get("models", ()))
        known = {item.name for item in fields(PlannedSuite)}
        values["planned"] = tuple(
            PlannedSuite(**{k: v for k, v in item.items() if k in known}) for item in values.get("planned", ())
        )
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Run:
    """All records of one session, with its manifest."""

    manifest: Manifest
    records: Collection[Record]
    """Sized, and may be walked many times; read from disk as it is walked, so a run need not fit in memory."""
    notices: tuple[str, ...] = ()
    """What reading it had to say: a torn last line dropped, a duplicate ignored, a worker that never finished."""

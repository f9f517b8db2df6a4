"""Attack: what was done to one trial and what became of it, as one line of ``sensitivity-<worker>.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import FormatError
from harness.core.sensitivity import FATES, Fate

FORMAT = "harness.sensitivity"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault in one trial."""

    fate: Fate
    by: tuple[str, ...] = ()
    """What failed it: names of evaluators, and the body (see :data:`BODY`)."""
    before: str = ""
    after: str = ""


BODY = "the test's body"
"""The judge that a test's own assertions are."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One trial under attack; with no faults where the trial did not pass as it was."""

    suite: str
    case_id: str
    trial: int = 0
    arm: str = ""
    area: str = ""
    cluster: str = ""
    observe: bool = False
    limit: float | None = None
    """The suite's declared pass rate."""
    judges: tuple[str, ...] = ()
    """What judges a trial of this case."""
    claims: tuple[str, ...] | None = None
    """Operators whose faults the suite says it notices; None: all."""
    seed: int = 0
    faults: Mapping[str, Fault] = field(default_factory=dict)
    """By operator."""
    bounds: Mapping[str, str] = field(default_factory=dict)
    """Outcome of the null, random and gold agent."""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """As of a record: suite, arm, case, trial."""
        return (self.suite, self.arm, self.case_id, self.trial)

    def claimed(self, operator: str) -> bool:
        """Whether the suite says it notices faults of this operator. Observed suites claim only what they declare."""
        return not self.observe if self.claims is None else operator in self.claims

    def to_json(self) -> dict[str, Any]:
        """Plain mapping; fields at their default are left out."""
        out: dict[str, Any] = {"suite": self.suite, "case": self.case_id, "trial": self.trial}
        for name in ("arm", "area", "cluster", "observe", "seed"):
            if value := getattr(self, name):
                out[name] = value
        if self.limit is not None:
            out["limit"] = self.limit
        if self.claims is not None:
            out["claims"] = list(self.claims)
        out["judges"] = list(self.judges)
        out["bounds"] = dict(self.bounds)
        out["faults"] = {
            name: {key: list(v) if isinstance(v, tuple) else v for key, v in vars(fault).items() if v}
            for name, fault in self.faults.items()
        }
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Attack:
        """The inverse of :meth:`to_json`. Raises FormatError for anything else."""
        try:
            return cls(
                suite=str(data["suite"]),
                case_id=str(data["case"]),
                trial=int(data["trial"]),
                arm=str(data.get("arm", "")),
                area=str(data.get("area", "")),
                cluster=str(data.get("cluster", "")),
                observe=bool(data.get("observe", False)),
                limit=data.get("limit"),
                judges=tuple(map(str, data.get("judges", ()))),
                claims=None if data.get("claims") is None else tuple(map(str, data["claims"])),
                seed=int(data.get("seed", 0)),
                faults={str(name): _fault(fault) for name, fault in data.get("faults", {}).items()},
                bounds={str(name): str(outcome) for name, outcome in data.get("bounds", {}).items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(f"not a line about an attacked trial ({type(error).__name__}: {error})") from None


def _fault(data: Mapping[str, Any]) -> Fault:
    fate = data["fate"]
    if fate not in FATES:
        raise ValueError(f"unknown fate {fate!r}")
    more = {name: str(data.get(name, "")) for name in ("before", "after")}
    return Fault(fate=fate, by=tuple(map(str, data.get("by", ()))), **more)

"""Rubric: what a judge rates by, as criteria with scales, or as the question which of two answers is better."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import UsageError

Kind = Literal["score", "pairwise"]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One question with a whole-number scale."""

    name: str
    """Lower case, letters, digits and underscores; the key of the verdict's JSON."""
    question: str
    """What to look at, as a full sentence."""
    low: int = 1
    """The worst score."""
    high: int = 5
    """The best score."""
    anchors: Mapping[int, str] = field(default_factory=dict)
    """What a score looks like, for some or all scores; the more of them, the less two readers differ."""
    weight: float = 1.0
    """Share of the total, above 0, relative to the other criteria."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(f"criterion {self.name!r}: a name is lower case letters, digits and _, such as 'correct'")
        ends: tuple[object, object] = (self.low, self.high)
        if any(type(end) is not int for end in ends) or not 0 < self.high - self.low <= 100:
            raise UsageError(
                f"criterion {self.name!r}: the scale runs from low to a larger high, at most 100 apart; "
                f"got {self.low!r} to {self.high!r}"
            )
        if not self.weight > 0:
            raise UsageError(f"criterion {self.name!r}: weight must be above 0, got {self.weight!r}")
        strange = [score for score in self.anchors if not self.low <= score <= self.high]
        if strange:
            raise UsageError(f"criterion {self.name!r}: anchor {strange[0]!r} is not on the scale")

    def share(self, score: float) -> float:
        """A score as a share of the scale, 0 worst and 1 best."""
        return (score - self.low) / (self.high - self.low)


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """What a judge is asked. Everything in it is part of the judge's identity."""

    name: str
    criteria: tuple[Criterion, ...]
    instructions: str = ""
    """What the judge has to know beside the criteria: the task, the audience, the house's policy."""
    shows: tuple[str, ...] = ("input", "answer")
    """Parts of case and trajectory that the judge sees; see :mod:`harness.evaluators.judge.parts`."""
    pass_at: float = 0.5
    """The total, in [0, 1], from which on the work passes."""
    kind: Kind = "score"
    """``pairwise``: which of two answers is better; the criteria say by what."""

    def __post_init__(self) -> None:
        if not self.criteria:
            raise UsageError(f"rubric {self.name!r} has no criterion; give Criterion(name='correct', question='...')")
        names = [criterion.name for criterion in self.criteria]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise UsageError(f"rubric {self.name!r}: criterion {twice[0]!r} is there twice")
        if not 0 <= self.pass_at <= 1:
            raise UsageError(f"rubric {self.name!r}: pass_at is a share from 0 to 1, got {self.pass_at!r}")
        if self.kind not in ("score", "pairwise"):
            raise UsageError(f"rubric {self.name!r}: kind is 'score' or 'pairwise', got {self.kind!r}")

    def to_json(self) -> dict[str, Any]:
        """Plain mapping; what is hashed into a judge's identity."""
        out = {item.name: getattr(self, item.name) for item in fields(self)}
        out["shows"] = list(self.shows)
        out["criteria"] = [
            {**vars(one), "anchors": {str(score): text for score, text in sorted(one.anchors.items())}}
            for one in self.criteria
        ]
        return out

    def total(self, shares: Mapping[str, float], trust: Mapping[str, float] | None = None) -> float:
        """The weighted mean of the criteria's shares; with ``trust`` (0 to 1 each) weighted by that, too."""
        weights = {c.name: c.weight * (1.0 if trust is None else trust[c.name]) for c in self.criteria}
        if sum(weights.values()) <= 0:
            weights = {c.name: c.weight for c in self.criteria}
        # Written around the first share, so that equal shares give exactly that share and rounding moves no limit.
        first = shares[self.criteria[0].name]
        moved = sum(weights[name] * (shares[name] - first) for name in weights) / sum(weights.values())
        return min(1.0, max(0.0, first + moved))

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, where: str = "a rubric") -> Rubric:
        """A rubric from the mapping of a TOML or JSON file.

        :raises UsageError: names the place and what would fit.
        """
        try:
            known = {item.name for item in fields(cls)}
            parts = {item.name for item in fields(Criterion)}
            _refuse_unknown(data, known, where)
            criteria = []
            for given in data.get("criteria", ()):
                _refuse_unknown(given, parts, f"{where}: a criterion")
                anchors = {int(score): str(text) for score, text in given.get("anchors", {}).items()}
                criteria.append(Criterion(**{**given, "anchors": anchors}))
            values = {**data, "criteria": tuple(criteria)}
            if "shows" in values:
                values["shows"] = tuple(values["shows"])
            return cls(**values)
        except (TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"{where}: {error}; it has name, criteria (name, question, low, high, anchors)") from error

    @classmethod
    def load(cls, path: str | Path) -> Rubric:
        """The rubric in a TOML file.

        :raises UsageError: it cannot be read, is not TOML, or is no rubric.
        """
        try:
            data = tomllib.loads(Path(path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path}: cannot be read as a rubric: {error}") from error
        return cls.from_json(data, where=str(path))


def _refuse_unknown(given: Any, known: set[str], where: str) -> None:
    if not isinstance(given, Mapping):
        raise UsageError(f"{where}: expected a table, got {type(given).__name__}")
    strange = sorted(set(given) - known)
    if strange:
        raise UsageError(f"{where}: unknown key {strange[0]!r}; known: {', '.join(sorted(known))}")

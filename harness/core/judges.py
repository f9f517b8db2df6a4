"""What the rooms have to know of judges: the record of an exam, and where a project keeps records and verdicts.

The words:

- *judge*: a model with a rubric, a prompt and a way of sampling. Its *identity* is the hash over all of them: a judge
  with another prompt is another judge, and an exam says nothing about it.
- *exam*: the judge's verdicts on rows that people have labelled.
- *advisory*: a judge without a valid record. Its values are shown; it fails no trial, and no rule may rest on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import FormatError
from harness.stats.estimate import Estimate

if TYPE_CHECKING:
    from harness.core.contracts import Model

RECORD_VERSION = 1
"""Version of the stored form of a :class:`JudgeRecord`."""


@dataclass(frozen=True, kw_only=True)
class JudgeRecord:
    """What an exam found. Counts are of rows that people and the judge both decided; *pass* is the positive side."""

    identity: str
    """Hash of model, prompt, rubric and sampling."""
    judge: str
    """The judge's name."""
    model: str = ""
    rubric: str = ""
    """The rubric's name."""
    dataset: str = ""
    dataset_hash: str = ""
    created_at: str = ""
    """ISO 8601, UTC."""
    rows: int = 0
    """Labelled rows that were asked."""
    caught: int = 0
    """Passes that the judge passed."""
    missed: int = 0
    """Passes that it failed."""
    false_alarms: int = 0
    """Failures that it passed."""
    cleared: int = 0
    """Failures that it failed."""
    figures: Mapping[str, Estimate] = field(default_factory=dict)
    """``kappa``, ``accuracy``, ``tpr``, ``tnr``, ``calibration_error``, ``brier``, ``order_flips``,
    ``order_preference``, ``length_bias``, ``self_consistency``, ...; without a value where it was not measured."""
    problems: tuple[str, ...] = ()
    """Why it may not gate, in words; none: the exam was passed."""
    method: Mapping[str, Any] = field(default_factory=dict)
    """What the identity is the hash of, so that a person can read it; and the limits of the exam."""

    @property
    def valid(self) -> bool:
        """Whether the exam was passed."""
        return not self.problems

    @property
    def measured(self) -> int:
        """Rows with a verdict."""
        return self.caught + self.missed + self.false_alarms + self.cleared

    @property
    def weight(self) -> float:
        """What its vote is worth beside others: the log odds of its balanced accuracy, at least 0; 0 when not valid.

        Log odds are the best weights of independent voters (Nitzan and Paroush 1982, International Economic Review
        23:289-297). One row is added to every cell, so that a perfect exam of few rows is not worth everything.
        """
        if not self.valid or not self.measured:
            return 0.0
        tpr = (self.caught + 1) / (self.caught + self.missed + 2)
        tnr = (self.cleared + 1) / (self.cleared + self.false_alarms + 2)
        right = (tpr + tnr) / 2
        return max(0.0, math.log(right / (1 - right)))

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for ``reports/judges/*.json``."""
        out: dict[str, Any] = {"format": "harness judge record", "version": RECORD_VERSION, "valid": self.valid}
        for item in fields(self):
            out[item.name] = getattr(self, item.name)
        out["figures"] = {name: _plain(figure) for name, figure in self.figures.items()}
        out["problems"] = list(self.problems)
        out["method"] = dict(self.method)
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, where: str = "a judge's record") -> JudgeRecord:
        """The inverse of :meth:`to_json`.

        :raises FormatError: it is none, is damaged, or comes from a newer harness.
        """
        given: object = data
        if not isinstance(given, Mapping) or data.get("format") != "harness judge record":
            raise FormatError(f"{where}: not the record of a judge's exam; make one: harness calibrate JUDGE DATASET")
        if data.get("version") != RECORD_VERSION:
            raise FormatError(
                f"{where}: version {data.get('version')!r}; this harness reads {RECORD_VERSION}. Update it"
            )
        known = {item.name for item in fields(cls)}
        try:
            values = {key: value for key, value in data.items() if key in known}
            values["figures"] = {name: Estimate(**figure) for name, figure in values.get("figures", {}).items()}
            values["problems"] = tuple(map(str, values.get("problems", ())))
            made = cls(**values)
            counts: list[object] = [made.rows, made.caught, made.missed, made.false_alarms, made.cleared]
            if not all(type(n) is int and n >= 0 for n in counts):
                raise ValueError("counts are whole numbers of at least 0")
        except (TypeError, ValueError, AttributeError) as error:
            raise FormatError(
                f"{where}: damaged ({str(error)[:200]}); hold the exam again: harness calibrate"
            ) from error
        return made


def _plain(figure: Estimate) -> dict[str, Any]:
    return {key: value for key, value in vars(figure).items() if value not in ("", None) or key == "value"}


@dataclass(frozen=True, kw_only=True)
class JudgeLine:
    """One judge's work in one run."""

    metric: str
    """The evaluator's name."""
    identity: str
    model: str = ""
    verdicts: int = 0
    """Trials that it judged."""
    unmeasured: int = 0
    """Trials that it could not judge."""
    deciding: int = 0
    """Verdicts that could fail their trial: it had a valid record when they were made."""
    asked: int = 0
    """Samples that were needed."""
    cached: int = 0
    """Samples that came from the cache."""
    suites: tuple[tuple[str, str], ...] = ()
    """(suite, arm) in which it judged."""
    record: JudgeRecord | None = None
    """Its exam, as the project has it now; None: none."""
    alpha: Estimate | None = None
    """Krippendorff's alpha of its members, where it is a panel."""

    @property
    def hit_rate(self) -> float | None:
        """Share of samples that came from the cache; None when none was needed."""
        return self.cached / self.asked if self.asked else None

    @property
    def valid(self) -> bool:
        """Whether it may gate."""
        return self.record is not None and self.record.valid

    @property
    def composed(self) -> bool:
        """Whether several judges and rules made the score; its error rates are then not those of one exam."""
        return "+" in self.identity

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for ``scorecard.json``."""
        out = {key: value for key, value in vars(self).items() if key not in ("record", "alpha")}
        out["suites"] = [list(place) for place in self.suites]
        out.update(hit_rate=self.hit_rate, valid=self.valid, standing=self.standing)
        if self.alpha is not None:
            out["alpha"] = _plain(self.alpha)
        return out

    @property
    def standing(self) -> str:
        """Whether it may gate, and why not, in words."""
        if self.record is None:
            return "no exam: harness calibrate"
        return "exam passed" if self.record.valid else f"exam failed: {'; '.join(self.record.problems)}"


@dataclass(frozen=True, kw_only=True)
class JudgeHome:
    """Where judges of this project find what they need. Set by the front door; empty outside a session."""

    records: Path | None = None
    """Folder of exam records, usually ``reports/judges``."""
    cache: Path | None = None
    """SQLite file of verdicts; None: nothing is kept."""
    model: Callable[[str], Model] | None = None
    """Makes the model that a spec names."""


HOME: ContextVar[JudgeHome | None] = ContextVar("harness_judge_home", default=None)
_default = JudgeHome()


def judge_home() -> JudgeHome:
    """The home of the running code: that of the context, else the one set for the process."""
    return HOME.get() or _default


def set_judge_home(home: JudgeHome) -> None:
    """Set the home of the whole process (a session or a command has one project)."""
    global _default
    _default = home

"""Comparison and Baseline: the same cases in two runs, paired by case.

The words:

- *measured*: a trial that ended passed or failed. A case without a measured trial is not in a baseline.
- *pair*: a case that both sides measured with the same content hash.
- *suite key*: the suite's node id, with the arm behind it in brackets where the test is parametrized.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from harness.core.errors import FormatError
from harness.core.record import Manifest, Record, Run

BASELINE_VERSION = 1
"""Version of the stored form. 1: the first."""


def suite_key(suite: str, arm: str = "") -> str:
    """How a baseline names a suite and arm."""
    return f"{suite}[{arm}]" if arm else suite


@dataclass(frozen=True, kw_only=True)
class BaselineCase:
    """What an accepted run says about one case of one suite."""

    case_hash: str
    trials: int
    """Trials measured (passed or failed)."""
    passes: int


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A committed, diff-stable summary of an accepted run."""

    run_id: str
    created_at: str
    suites: Mapping[str, Mapping[str, BaselineCase]]
    """Per suite, per case id."""
    agent: str = ""
    commit: str = ""
    models: tuple[str, ...] = ()
    datasets: Mapping[str, str] = field(default_factory=dict)
    costs_usd: Mapping[str, str] = field(default_factory=dict)
    """Per suite: mean cost per trial, decimal text."""
    latency_p50_s: Mapping[str, float] = field(default_factory=dict)
    """Per suite."""
    seed: int = 0
    mode: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain mapping, the same for the same run. :meth:`to_text` is what is committed."""
        out: dict[str, Any] = {"version": BASELINE_VERSION}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "suites":
                value = {
                    suite: {name: [case.case_hash, case.trials, case.passes] for name, case in sorted(cases.items())}
                    for suite, cases in sorted(value.items())
                }
            elif isinstance(value, Mapping):
                value = dict(sorted(value.items()))
            elif isinstance(value, tuple):
                value = list(value)
            out[item.name] = value
        return out

    @classmethod
    def from_json(cls, data: Any) -> Baseline:
        """The inverse of :meth:`to_json`.

        :raises FormatError: for a newer version, or a mapping that is not a baseline; names the part that is wrong.
        """
        if not isinstance(data, Mapping) or not isinstance(data.get("suites"), Mapping):
            raise FormatError(
                "this is not a baseline: it has no table 'suites'; make one with: harness baseline accept"
            )
        version = data.get("version")
        if not isinstance(version, int) or version > BASELINE_VERSION:
            raise FormatError(
                f"this baseline has format version {version!r}, this harness reads up to {BASELINE_VERSION}; "
                "update the harness, or accept the baseline again"
            )
        values = {item.name: data[item.name] for item in fields(cls) if item.name in data}
        values["suites"] = {
            str(suite): {str(name): _baseline_case(suite, name, case) for name, case in dict(cases).items()}
            for suite, cases in data["suites"].items()
        }
        values["models"] = tuple(values.get("models", ()))
        missing = [name for name in ("run_id", "created_at") if name not in values]
        if missing:
            raise FormatError(f"this baseline has no {missing[0]!r}; accept it again: harness baseline accept RUN")
        return cls(**values)

    def to_text(self) -> str:
        """The committed form: keys sorted and one case per line, so that a diff shows the cases that changed."""
        data = self.to_json()
        suites = data.pop("suites")
        lines = ["{"]
        lines += [f"  {_dump(key)}: {_dump(data[key])}," for key in sorted(data)]
        lines.append('  "suites": {')
        for suite_number, (suite, cases) in enumerate(suites.items(), start=1):
            lines.append(f"    {_dump(suite)}: {{")
            lines += [
                f"      {_dump(name)}: {_dump(case)}{',' if number < len(cases) else ''}"
                for number, (name, case) in enumerate(cases.items(), start=1)
            ]
            lines.append(f"    }}{',' if suite_number < len(suites) else ''}")
        lines += ["  }", "}", ""]
        return "\n".join(lines)

    @classmethod
    def from_text(cls, text: str) -> Baseline:
        """The inverse of :meth:`to_text`.

        :raises FormatError: also for text that is not JSON.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise FormatError(f"this baseline is not JSON: {error}; accept it again: harness baseline accept") from None
        return cls.from_json(data)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


def _baseline_case(suite: str, name: str, stored: Any) -> BaselineCase:
    if isinstance(stored, (list, tuple)) and len(stored) == 3:
        case_hash, trials, passes = stored
        whole = all(isinstance(count, int) and not isinstance(count, bool) for count in (trials, passes))
        if isinstance(case_hash, str) and whole and 0 <= passes <= trials and trials > 0:
            return BaselineCase(case_hash=case_hash, trials=trials, passes=passes)
    raise FormatError(f"case {name!r} of suite {suite!r} must read [hash, trials, passes], got {stored!r}"[:500])


@dataclass(frozen=True, kw_only=True)
class CasePair:
    """One case in both runs."""

    case_id: str
    base_trials: int
    base_passes: int
    new_trials: int
    new_passes: int

    @property
    def difference(self) -> float:
        """Candidate pass share minus baseline pass share, in [-1, 1]."""
        return self.new_passes / self.new_trials - self.base_passes / self.base_trials


@dataclass(frozen=True, kw_only=True)
class SuiteComparison:
    """One suite in both runs."""

    suite: str
    pairs: tuple[CasePair, ...]
    """Cases measured on both sides with the same content."""
    changed: tuple[str, ...] = ()
    """Cases left out because their content changed."""
    only_base: tuple[str, ...] = ()
    """Cases of the baseline that the candidate did not measure."""
    only_new: tuple[str, ...] = ()
    difference: float | None = None
    """Mean over pairs; None without pairs."""
    low: float | None = None
    high: float | None = None
    """Interval of the mean difference; None where it cannot be had."""
    level: float = 0.95
    method: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Baseline against candidate."""

    base: str
    """Run id of the baseline."""
    new: str
    suites: tuple[SuiteComparison, ...]
    notes: tuple[str, ...] = ()
    """What makes the two hard to compare (another model, other data, an old baseline)."""
    meta: Mapping[str, Any] = field(default_factory=dict)

    def suite(self, name: str) -> SuiteComparison | None:
        """The comparison of one suite, or None."""
        return next((item for item in self.suites if item.suite == name), None)


def baseline_text(baseline: Baseline) -> str:
    """The committed form of a baseline; see :meth:`Baseline.to_text`."""
    return baseline.to_text()


def make_baseline(manifest: Manifest, records: Iterable[Record]) -> Baseline:
    """The summary of a run to compare later runs with. Cases that were not measured are left out.

    Whether a run may become a baseline (not partial, finished, passed) is decided by who asks.
    """
    from harness.core.pairing import summarise

    return summarise(manifest, records)


def compare(baseline: Baseline, manifest: Manifest, records: Iterable[Record], *, level: float = 0.95) -> Comparison:
    """The candidate against the baseline, suite by suite, in one pass over its records.

    Suites that only one side has are compared as far as they go: all their cases are in ``only_base`` or ``only_new``.

    :param level: confidence of the two-sided interval of each difference.
    """
    from harness.core.pairing import pair_up, summarise

    return pair_up(baseline, summarise(manifest, records), level=level)


def compare_runs(old: Run, new: Run, *, level: float = 0.95) -> Comparison:
    """Two stored runs, the older one as the baseline."""
    return compare(make_baseline(old.manifest, old.records), new.manifest, new.records, level=level)

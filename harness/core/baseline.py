"""Baseline: a committed, diff-stable summary of an accepted run, case by case.

The stored form has one case a line, ``[hash, trials, passes, {"metric": [n, mean, variance]}]``; the last part is left
out where nothing but pass and fail was measured, the variance where one trial was. Latencies stand in a table of their
own, one suite a line, because they differ in every run and would otherwise change every line of a diff.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from harness.core.errors import FormatError

BASELINE_VERSION = 2
"""Version of the stored form.

1. The first: ``[hash, trials, passes]`` per case. Read as a baseline without scores.
2. Scores per case, ``latency_s`` per case, ``score_versions``.
"""

LATENCY = "latency_s"


class CaseScore(NamedTuple):
    """One metric on one case of the accepted run."""

    n: int
    """Trials with a value, at least 1."""
    mean: float
    variance: float | None = None
    """Sample variance over the trials (n - 1); None with one trial."""


@dataclass(frozen=True, kw_only=True)
class BaselineCase:
    """What an accepted run says about one case of one suite."""

    case_hash: str
    trials: int
    """Trials measured (passed or failed)."""
    passes: int
    scores: Mapping[str, CaseScore] = field(default_factory=dict)
    """Per evaluator, and ``cost_usd``, ``tokens`` and ``latency_s``; empty in a baseline of format 1."""
    cluster: str = field(default="", compare=False)
    """The case's cluster where it has one; known of a run that was just summed up, and not stored."""


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
    score_versions: Mapping[str, str] = field(default_factory=dict)
    """Per evaluator whose version is not "1": scores of different versions are never compared."""
    seed: int = 0
    mode: str = ""

    def __str__(self) -> str:
        """One short line, where a report would otherwise print every case."""
        return f"baseline {self.run_id} ({sum(map(len, self.suites.values())):,} cases)"

    def to_json(self) -> dict[str, Any]:
        """Plain mapping, the same for the same run. :meth:`to_text` is what is committed."""
        out: dict[str, Any] = {"version": BASELINE_VERSION}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "suites":
                value = {
                    suite: {name: _stored(case) for name, case in sorted(cases.items())}
                    for suite, cases in sorted(value.items())
                }
            elif isinstance(value, Mapping):
                value = dict(sorted(value.items()))
            elif isinstance(value, tuple):
                value = list(value)
            out[item.name] = value
        timed = {
            suite: {
                name: _numbers(case.scores[LATENCY]) for name, case in sorted(cases.items()) if LATENCY in case.scores
            }
            for suite, cases in sorted(self.suites.items())
        }
        out[LATENCY] = {suite: cases for suite, cases in timed.items() if cases}
        return out

    @classmethod
    def from_json(cls, data: Any) -> Baseline:
        """The inverse of :meth:`to_json`; older formats are read as what they say.

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
        timed = data.get(LATENCY, {})
        values["suites"] = {
            str(suite): {
                str(name): _baseline_case(suite, name, case, timed.get(suite, {}).get(name))
                for name, case in dict(cases).items()
            }
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
        suites, timed = data.pop("suites"), data.pop(LATENCY)
        lines = ["{"]
        lines += [f"  {_dump(key)}: {_dump(data[key])}," for key in sorted(data)]
        rows = [f"    {_dump(suite)}: {_dump(cases)}" for suite, cases in timed.items()]
        lines += [f'  "{LATENCY}": {{', *_with_commas(rows), "  },"] if rows else []
        lines.append('  "suites": {')
        for number, (suite, cases) in enumerate(suites.items(), start=1):
            lines.append(f"    {_dump(suite)}: {{")
            lines += _with_commas([f"      {_dump(name)}: {_dump(case)}" for name, case in cases.items()])
            lines.append(f"    }}{',' if number < len(suites) else ''}")
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


def short(value: float) -> float:
    """Nine significant digits: what is stored, and what a later run's value is cut to before the two are compared."""
    return float(f"{value:.9g}")


def _with_commas(rows: list[str]) -> list[str]:
    return [f"{row}," for row in rows[:-1]] + rows[-1:]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


def _stored(case: BaselineCase) -> list[Any]:
    scores = {name: _numbers(score) for name, score in sorted(case.scores.items()) if name != LATENCY}
    return [case.case_hash, case.trials, case.passes, *([scores] if scores else [])]


def _numbers(score: CaseScore) -> list[float]:
    return [score.n, score.mean] if score.variance is None else [score.n, score.mean, score.variance]


def _baseline_case(suite: str, name: str, stored: Any, latency: Any) -> BaselineCase:
    if isinstance(stored, (list, tuple)) and len(stored) in (3, 4):
        case_hash, trials, passes = stored[:3]
        table = dict(stored[3]) if len(stored) == 4 and isinstance(stored[3], Mapping) else {}
        if latency is not None:
            table[LATENCY] = latency
        scores = {str(metric): _case_score(numbers) for metric, numbers in table.items()}
        whole = all(isinstance(count, int) and not isinstance(count, bool) for count in (trials, passes))
        good = len(stored) == 3 or isinstance(stored[3], Mapping)
        known = {metric: score for metric, score in scores.items() if score is not None}
        if good and isinstance(case_hash, str) and whole and 0 <= passes <= trials and trials > 0:
            if len(known) == len(scores):
                return BaselineCase(case_hash=case_hash, trials=trials, passes=passes, scores=known)
            raise FormatError(f"case {name!r} of suite {suite!r} has scores that are not [n, mean, variance]")
    want = '[hash, trials, passes] or [hash, trials, passes, {"metric": [n, mean, variance]}]'
    raise FormatError(f"case {name!r} of suite {suite!r} must read {want}, got {stored!r}"[:500])


def _case_score(numbers: Any) -> CaseScore | None:
    if not isinstance(numbers, (list, tuple)) or len(numbers) not in (2, 3):
        return None
    plain = all(isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x) for x in numbers)
    if not plain or not isinstance(numbers[0], int) or numbers[0] < 1 or (len(numbers) == 3 and numbers[2] < 0):
        return None
    return CaseScore(numbers[0], float(numbers[1]), float(numbers[2]) if len(numbers) == 3 else None)

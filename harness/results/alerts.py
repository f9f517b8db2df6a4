"""Alerts: what in the newest run somebody should look at, as records in the run's folder.

They are no verdict: the gate decides with errors held in check, an alert only says that a limit was crossed, and how
likely chance alone would do that. The kinds:

- ``pass_rate``: a suite passes a share of its trials that is more than 20 % below that of the runs before.
- ``error_rate``: more than 5 % of the trials that ran could not be measured.
- ``cost``: a trial costs more than 10 % more than in the runs before.
- ``chart``: the chart of the suite's failures (CUSUM) crossed its limit in this run.

``alerts.jsonl``: a header line, ``{"format": "harness.alerts", "version": 1, ...}``, then one alert a line. A file with
a header alone says that the run was looked at and nothing was found.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import FormatError, HarnessError
from harness.results.run_folder import write_atomically
from harness.results.suite_history import SuiteFigures

FORMAT = "harness.alerts"
VERSION = 1
FILE = "alerts.jsonl"
BEFORE = 5
"""Earlier runs that a suite is set beside, at most."""
Kind = Literal["pass_rate", "error_rate", "cost", "chart"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From where on something is an alert; shares, such as 0.2 for 20 %."""

    pass_rate_drop: float = 0.20
    """Relative to the rate before: from 90 % to below 72 %."""
    error_rate: float = 0.05
    cost_rise: float = 0.10
    """Relative to the cost before."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One limit that was crossed."""

    kind: Kind
    suite: str
    run_id: str
    value: float
    """Pass rate, share of errors, dollars a trial; for a chart its sum of failures."""
    limit: float
    """What the value was held against, in the same unit."""
    before: float | None = None
    """The value of the runs before; None where the limit does not depend on it."""
    runs_before: int = 0
    chance_p: float | None = None
    """One-sided p-value of such a drop by chance alone; None where it is not judged."""
    observe: bool = False
    """Whether the suite only observes, and gates nothing."""
    text: str = ""
    """The same in a sentence."""

    def to_json(self) -> dict[str, Any]:
        """Plain mapping; absent fields are left out."""
        return {key: value for key, value in vars(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Alert:
        """The inverse of :meth:`to_json`; unknown keys are ignored."""
        return cls(**{key: value for key, value in data.items() if key in cls.__dataclass_fields__})


def suite_alerts(
    run_id: str, now: SuiteFigures, before: Sequence[SuiteFigures], limits: Limits | None = None
) -> list[Alert]:
    """The alerts of one suite against its earlier runs (the last five of ``before``, oldest first)."""
    limits = limits or Limits()
    past = list(before)[-BEFORE:]
    made = [_pass_rate(run_id, now, past, limits), _errors(run_id, now, limits), _cost(run_id, now, past, limits)]
    return [alert for alert in made if alert is not None]


def write_alerts(folder: Path, run_id: str, alerts: Sequence[Alert]) -> Path:
    """Write ``alerts.jsonl`` as a whole, over an older one.

    :raises HarnessError: the folder cannot be written.
    """
    path = folder / FILE
    header = {"format": FORMAT, "version": VERSION, "run_id": run_id, "alerts": len(alerts)}
    lines = [header, *(alert.to_json() for alert in alerts)]
    try:
        write_atomically(path, "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines).encode())
    except OSError as error:
        raise HarnessError(f"{path}: cannot write the alerts ({error.strerror}). Make room on the disk.") from error
    return path


def read_alerts(folder: Path) -> list[Alert] | None:
    """The alerts of a run; None when nobody has looked for any.

    :raises FormatError: the file is damaged, or of a newer harness.
    """
    path = folder / FILE
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: damaged ({error}). Make it again: harness history --alerts") from error
    header = lines[0] if lines and isinstance(lines[0], dict) else {}
    version = header.get("version")
    if header.get("format") != FORMAT or not isinstance(version, int) or isinstance(version, bool):
        raise FormatError(f"{path}: no alerts (no header of the format {FORMAT!r}). Make it again: harness history")
    if version > VERSION:
        raise FormatError(
            f"{path}: alerts of version {version} were written by a newer harness; this one reads up to version "
            f"{VERSION}. Upgrade: pip install --upgrade harness"
        )
    try:
        return [Alert.from_json(line) for line in lines[1:]]
    except (TypeError, AttributeError) as error:
        raise FormatError(f"{path}: damaged ({error}). Make it again: harness history --alerts") from error


def _pass_rate(run_id: str, now: SuiteFigures, past: Sequence[SuiteFigures], limits: Limits) -> Alert | None:
    known = [item for item in past if item.rate is not None and item.worth > 0]
    if now.rate is None or not known:
        return None
    # By worth: a run of which little was measured says little about what is usual.
    weight = sum(item.worth for item in known)
    usual = sum((item.rate or 0.0) * item.worth for item in known) / weight
    limit = usual * (1 - limits.pass_rate_drop)
    if now.rate >= limit:
        return None
    p = _drop_p(now, usual, weight)
    return Alert(
        kind="pass_rate",
        suite=now.key,
        run_id=run_id,
        value=now.rate,
        limit=limit,
        before=usual,
        runs_before=len(known),
        chance_p=p,
        observe=now.observe,
        text=f"pass rate {now.rate:.1%} after {usual:.1%} in {_runs(len(known))}; by chance alone p = {p:.2g}",
    )


def _drop_p(now: SuiteFigures, usual: float, weight: float) -> float:
    """Fisher's exact test of the passes now against those before, on what the trials are worth; one-sided."""
    from scipy.stats import hypergeom

    n, m = max(1, round(now.worth)), max(1, round(weight))
    passes, earlier = round((now.rate or 0.0) * n), round(usual * m)
    return float(min(1.0, hypergeom.cdf(passes, n + m, passes + earlier, n)))


def _errors(run_id: str, now: SuiteFigures, limits: Limits) -> Alert | None:
    ran = now.measured + now.errored
    if not ran or now.errored / ran <= limits.error_rate:
        return None
    return Alert(
        kind="error_rate",
        suite=now.key,
        run_id=run_id,
        value=now.errored / ran,
        limit=limits.error_rate,
        observe=now.observe,
        text=f"{now.errored} of {ran} trials could not be measured",
    )


def _cost(run_id: str, now: SuiteFigures, past: Sequence[SuiteFigures], limits: Limits) -> Alert | None:
    known = [item for item in past if item.cost_usd is not None]
    trials = sum(item.measured + item.errored for item in known)
    if now.cost_usd is None or not trials:
        return None
    usual = sum((item.cost_usd or 0.0) * (item.measured + item.errored) for item in known) / trials
    limit = usual * (1 + limits.cost_rise)
    # A rounding error of the last digit is no rise; from nothing to something is one.
    if now.cost_usd <= limit + 1e-12:
        return None
    rise = "nothing" if usual <= 0 else f"${usual:.3g}"
    return Alert(
        kind="cost",
        suite=now.key,
        run_id=run_id,
        value=now.cost_usd,
        limit=limit,
        before=usual,
        runs_before=len(known),
        observe=now.observe,
        text=f"a trial costs ${now.cost_usd:.3g} after {rise} in {_runs(len(known))}",
    )


def _runs(count: int) -> str:
    return "the run before" if count == 1 else f"the {count} runs before"

"""A stored run for a notebook: its records, its manifest, and tidy pandas frames."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import MissingDependency
from harness.core.record import Manifest, Record, Run
from harness.results.reader import open_run
from harness.results.run_folder import find_run

if TYPE_CHECKING:
    import pandas

_TRIAL = (
    "suite", "arm", "area", "case_id", "trial", "outcome", "severity", "dataset", "agent", "seed", "case_hash",
    "config_hash",
)  # fmt: skip
_TRIAL_COLUMNS = (
    *_TRIAL, "cluster", "tags", "error_kind", "error_reason", "error", "failure", "started_at", "duration_s",
    "latency_s", "cost_usd", "judge_cost_usd", "input_tokens", "output_tokens", "steps", "tool_calls", "answer",
)  # fmt: skip
_SCORE_COLUMNS = (
    "suite", "arm", "case_id", "trial", "outcome", "score", "value", "passed", "measured", "expected_nothing", "unit",
    "direction", "area", "error_kind", "reason", "version",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RunData:
    """A run as :func:`read_run` gives it."""

    path: Path
    run: Run

    @property
    def manifest(self) -> Manifest:
        """What the run was."""
        return self.run.manifest

    @property
    def records(self) -> Collection[Record]:
        """Every trial, read from disk as it is walked."""
        return self.run.records

    @property
    def notices(self) -> tuple[str, ...]:
        """What reading had to say."""
        return self.run.notices

    def frame(self) -> pandas.DataFrame:
        """One row per trial; one column ``score.<name>`` per evaluator, with its value.

        What was not measured is missing (NaN, None or NaT), never 0. Money is float US dollars here, for arithmetic in
        pandas; exact amounts are in the records. ``started_at`` is a UTC time. ``cluster`` is the case where none is
        declared.

        :raises MissingDependency: pandas is not installed.
        """
        pd = _pandas()
        rows = [_trial_row(record) for record in self.records]
        scores = sorted({name for row in rows for name in row if name.startswith("score.")})
        table = pd.DataFrame(rows, columns=[*_TRIAL_COLUMNS, *scores])
        table["started_at"] = pd.to_datetime(table["started_at"], unit="s", utc=True)
        floats = ["duration_s", "latency_s", "cost_usd", "judge_cost_usd", *scores]
        typed: pandas.DataFrame = table.astype(dict.fromkeys(floats, "float64"))
        return typed

    def scores_frame(self) -> pandas.DataFrame:
        """One row per score of each trial: the long form, with reasons. ``value`` is NaN where not measured.

        :raises MissingDependency: pandas is not installed.
        """
        pd = _pandas()
        rows = [_score_row(record, score) for record in self.records for score in record.scores]
        table: pandas.DataFrame = pd.DataFrame(rows, columns=list(_SCORE_COLUMNS))
        return table.astype({"value": "float64", "passed": "boolean"})


def read_run(ref: str | Path = "latest", *, root: str | Path = "reports/runs", strict: bool = True) -> RunData:
    """A stored run.

    :param ref: an id, the unique beginning of one, ``latest``, ``latest~1``, or a folder.
    :param root: folder of the runs.
    :param strict: raise for a damaged line; otherwise leave it out and say so in ``notices``.
    :raises UsageError: there is no such run; the message lists the recent ones.
    :raises FormatError: it cannot be read.
    """
    path = find_run(Path(root), ref)
    return RunData(path=path, run=open_run(path, strict=strict))


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise MissingDependency("pandas", extra="pandas", purpose="a frame of a run") from error
    return pandas


def _trial_row(record: Record) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(record, name) for name in _TRIAL}
    row |= {"cluster": record.group, "tags": record.tags, "failure": record.failure or None}
    row |= {"started_at": record.started_at or None, "duration_s": record.duration_s}
    row |= {"cost_usd": record.cost_usd, "judge_cost_usd": record.judge_cost_usd}
    if record.error is not None:
        error = record.error
        row |= {"error_kind": error.kind, "error_reason": error.reason or None, "error": error.message}
    if record.trajectory is not None:
        path = record.trajectory
        row |= {"latency_s": path.latency_s, "steps": path.steps, "tool_calls": len(path.tool_calls)}
        row |= {"answer": path.answer}
        if path.model_calls:
            row |= {"input_tokens": path.usage.input_tokens, "output_tokens": path.usage.output_tokens}
    for score in record.scores:
        row[f"score.{score.name}"] = score.value
    return row


def _score_row(record: Record, score: Any) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in ("suite", "arm", "case_id", "trial", "outcome")}
    names = ("value", "passed", "measured", "expected_nothing", "unit", "direction", "error_kind", "reason", "version")
    row |= {name: getattr(score, name) for name in names}
    return row | {"score": score.name, "area": score.area or record.area}

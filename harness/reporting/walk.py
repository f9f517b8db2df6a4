"""The walk: one pass over the records that takes everything reports need of them, in bounded memory."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from decimal import Decimal
from types import TracebackType
from typing import NamedTuple

from harness.core.record import Outcome, Record, Run
from harness.core.scorecard import CaseStatus, Scorecard
from harness.core.trajectory import Trajectory
from harness.reporting.case_order import CaseKey, line_key, record_key
from harness.reporting.chunk_store import PAGE_BYTES, ChunkStore, Place
from harness.reporting.reward_notes import RewardNotes
from harness.reporting.trial_view import trial_view
from harness.reporting.visible_text import bounded

MESSAGE_LIMIT = 1_000
MOST_NAMES = 200
"""Different tools or models counted by name; an agent that invents names fills ``(others)``."""
OTHERS = "(others)"


class TrialNote(NamedTuple):
    """What is kept of one trial."""

    outcome: Outcome
    kind: str
    """Error kind, for errored ones."""
    message: str
    """Why it failed or errored, visible text of at most 1,000 characters; empty for a passed trial."""
    duration_s: float
    place: Place | None
    """Where its trajectory lies in the chunks."""


@dataclass(kw_only=True)
class ModelTally:
    """Use of one model."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    """Calls whose cost is unknown."""
    retries: int = 0
    replayed: int = 0
    latency_s: array[float] = field(default_factory=lambda: array("d"))
    ttft_s: array[float] = field(default_factory=lambda: array("d"))


@dataclass(kw_only=True)
class ToolTally:
    """Use of one tool."""

    calls: int = 0
    failed: int = 0
    unanswered: int = 0


class Walk:
    """What one pass over a run's records found. Use it as a context: it holds a temporary file.

    :param page_bytes: compressed trajectories to keep at most; 0 keeps none (reports without trajectories).
    """

    def __init__(self, run: Run, scorecard: Scorecard, *, page_bytes: int = PAGE_BYTES) -> None:
        self.trials: dict[CaseKey, dict[int, TrialNote]] = {}
        """Per case, per trial index; a trial that was recorded twice counts by its last record."""
        self.tags: dict[CaseKey, tuple[str, ...]] = {}
        self.datasets: dict[CaseKey, str] = {}
        self.models: dict[str, ModelTally] = {}
        self.tools: dict[str, ToolTally] = {}
        self.rewards = RewardNotes()
        self.store = ChunkStore(page_bytes=page_bytes)
        self._keep = page_bytes > 0
        self._status: dict[CaseKey, CaseStatus] = {line_key(line): line.status for line in scorecard.cases}
        try:
            for record in run.records:
                self._take(record)
            self.store.finish()
        except BaseException:
            self.store.close()
            raise

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.store.close()

    def _take(self, record: Record) -> None:
        key = record_key(record)
        if record.tags and key not in self.tags:
            self.tags[key] = record.tags
        if record.dataset:
            self.datasets.setdefault(key, record.dataset)
        failing = record.outcome != "passed" or self._status.get(key, "failed") != "passed"
        place = None
        if self._keep:
            # ASCII JSON carries any text, lone surrogates too; the page decodes it without loss.
            view = json.dumps(trial_view(record), separators=(",", ":"), default=str).encode("ascii")
            place = self.store.add(view, failing=failing)
        self.trials.setdefault(key, {})[record.trial] = TrialNote(
            record.outcome,
            record.error.kind if record.error is not None else "",
            _message(record),
            record.duration_s,
            place,
        )
        self.rewards.take(record)
        if record.trajectory is not None:
            self._tally(record.trajectory)

    def _tally(self, trajectory: Trajectory) -> None:
        for call in trajectory.model_calls:
            name = call.model if call.model in self.models or len(self.models) < MOST_NAMES else OTHERS
            model = self.models.setdefault(name, ModelTally())
            model.calls += 1
            model.input_tokens += call.usage.input_tokens
            model.output_tokens += call.usage.output_tokens
            model.cached_tokens += call.usage.cached_tokens
            model.retries += call.attempts - 1
            model.replayed += call.replayed
            if call.cost_usd is None:
                model.unpriced += 1
            else:
                model.cost_usd += call.cost_usd
            if call.latency_s is not None:
                model.latency_s.append(call.latency_s)
            if call.ttft_s is not None:
                model.ttft_s.append(call.ttft_s)
        try:
            calls = trajectory.tool_calls
        except (RecursionError, TypeError, ValueError, AttributeError):
            return  # hostile arguments; the trial's view carries the notice
        for call_ in calls:
            name = call_.name if call_.name in self.tools or len(self.tools) < MOST_NAMES else OTHERS
            tool = self.tools.setdefault(name, ToolTally())
            tool.calls += 1
            tool.failed += call_.error is not None
            tool.unanswered += call_.result is None


def _message(record: Record) -> str:
    if record.error is not None:
        reason = f" ({record.error.reason})" if record.error.reason else ""
        return bounded(f"{record.error.kind}{reason}: {record.error.message}", MESSAGE_LIMIT)
    if record.outcome == "passed":
        return ""
    parts = [record.failure] if record.failure else []
    parts += [f"{score.name}: {score.reason}" for score in record.scores[:50] if score.passed is False]
    return bounded("\n".join(parts), MESSAGE_LIMIT)

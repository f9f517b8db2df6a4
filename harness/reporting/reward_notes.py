"""What the sections about thinking, tool adoption, turn credits and edits need of the records, taken in the one walk.

Read from the evidence of scores, by its shape and not by the evaluator's name: ``evidence["thinking"]`` (class, budget,
tokens, wasted), ``evidence["tools"]`` (counts by tool), ``evidence["turns"]`` (parts and credit of every turn),
``evidence["picture"]`` (an edit's lines side by side).
Evidence of another shape is passed over.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.core.record import Record
from harness.core.score import Score
from harness.reporting.case_order import CaseKey, record_key

MOST_RUNS = 5
"""Runs whose turns are kept: those with the lowest reward."""
MOST_TOOLS = 200


class Thought(NamedTuple):
    """The thinking of one trial."""

    tokens: int
    wasted: int
    right: bool | None
    """Whether the trial passed in everything but its thinking; None where it could not be judged."""


@dataclass(kw_only=True)
class ThinkingTally:
    """The trials of one class."""

    budget: int = 0
    trials: dict[tuple[CaseKey, int], Thought] = field(default_factory=dict)


@dataclass(kw_only=True)
class AdoptionTally:
    """One tool of one agent, counted in trials and in calls."""

    fits: int = 0
    adopted: int = 0
    unfit: int = 0
    astray: int = 0
    """Trials in which the tool does not fit and was called."""
    calls: int = 0
    well_formed: int = 0
    came_back: int = 0
    worked: int = 0


class TurnNote(NamedTuple):
    """The turns of one trial."""

    key: CaseKey
    trial: int
    reward: float
    turns: tuple[Mapping[str, Any], ...]
    turn_count: int


class EditNote(NamedTuple):
    """The edit of one trial."""

    key: CaseKey
    value: float
    reason: str
    files: tuple[Mapping[str, Any], ...]


class RewardNotes:
    """Filled record by record."""

    def __init__(self) -> None:
        self.thinking: dict[str, ThinkingTally] = {}
        self.adoption: dict[tuple[str, str], AdoptionTally] = {}
        self.judged_turns = 0
        """Trials with turn credits."""
        self._worst: list[tuple[float, int, TurnNote]] = []
        self.judged_edits = 0
        """Trials whose edit was drawn."""
        self._least: list[tuple[float, int, EditNote]] = []

    @property
    def worst(self) -> list[TurnNote]:
        """The trials with the lowest reward, lowest first."""
        return [note for _, _, note in sorted(self._worst, key=lambda item: (-item[0], item[1]))]

    @property
    def edits(self) -> list[EditNote]:
        """The edits with the lowest score, lowest first."""
        return [note for _, _, note in sorted(self._least, key=lambda item: (-item[0], item[1]))]

    def take(self, record: Record) -> None:
        """Look at one record's scores."""
        for score in record.scores:
            if not score.evidence:
                continue
            if isinstance(thinking := score.evidence.get("thinking"), Mapping):
                self._thinking(record, score, thinking)
            if isinstance(tools := score.evidence.get("tools"), Mapping):
                self._adoption(record, tools)
            turns = score.evidence.get("turns")
            if isinstance(turns, (list, tuple)) and turns and score.value is not None:
                self._turns(record, score.value, turns, score.evidence.get("turn_count"))

            picture = score.evidence.get("picture")
            if isinstance(picture, (list, tuple)) and picture and score.value is not None:
                self._edit(record, score, picture)

    def _edit(self, record: Record, score: Score, picture: Any) -> None:
        assert score.value is not None
        files = tuple(file for file in picture if isinstance(file, Mapping))
        self.judged_edits += 1
        item = (-score.value, self.judged_edits, EditNote(record_key(record), score.value, score.reason, files))
        if len(self._least) < MOST_RUNS:
            heapq.heappush(self._least, item)
        elif item > self._least[0]:
            heapq.heapreplace(self._least, item)

    def _thinking(self, record: Record, score: Score, found: Mapping[str, Any]) -> None:
        tokens, budget, wasted = (_whole(found.get(name)) for name in ("tokens", "budget", "wasted"))
        if tokens is None or budget is None:
            return
        right = None
        if record.outcome in ("passed", "failed"):
            right = not record.failure and all(s is score or s.passed is not False for s in record.scores)
        tally = self.thinking.setdefault(str(found.get("class"))[:60], ThinkingTally())
        tally.budget = budget
        tally.trials[record_key(record), record.trial] = Thought(tokens, wasted or 0, right)

    def _adoption(self, record: Record, tools: Mapping[str, Any]) -> None:
        for name, found in tools.items():
            if not isinstance(found, Mapping):
                continue
            key = (record.agent, str(name))
            if key not in self.adoption and len(self.adoption) >= MOST_TOOLS:
                continue
            tally = self.adoption.setdefault(key, AdoptionTally())
            calls = _whole(found.get("calls")) or 0
            if found.get("fits") == 1:
                tally.fits += 1
                tally.adopted += calls > 0
            elif found.get("fits") == 0:
                tally.unfit += 1
                tally.astray += calls > 0
            tally.calls += calls
            tally.well_formed += _whole(found.get("well_formed")) or 0
            tally.came_back += _whole(found.get("came_back")) or 0
            tally.worked += _whole(found.get("worked")) or 0

    def _turns(self, record: Record, reward: float, turns: Any, count: Any) -> None:
        kept = tuple(turn for turn in turns if isinstance(turn, Mapping))
        note = TurnNote(record_key(record), record.trial, reward, kept, _whole(count) or len(kept))
        self.judged_turns += 1
        item = (-reward, self.judged_turns, note)
        if len(self._worst) < MOST_RUNS:
            heapq.heappush(self._worst, item)
        elif item > self._worst[0]:
            heapq.heapreplace(self._worst, item)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

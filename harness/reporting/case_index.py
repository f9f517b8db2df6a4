"""The case index of the page: one short row a case, so that ten thousand can be searched and filtered at once.

Names of suites, arms, areas and tags are kept once and referred to by number. The order of the fields is
:data:`CASE_FIELDS`; ``page/app.js`` reads them by these names.
"""

from __future__ import annotations

import json
from typing import Any

from harness.core.record import Manifest, Outcome
from harness.core.scorecard import CaseLine, Scorecard
from harness.reporting import numbers
from harness.reporting.case_order import SIGNS, STATUSES, WORDS, CaseKey, case_anchor, line_key, worst_first
from harness.reporting.visible_text import one_line
from harness.reporting.walk import TrialNote, Walk

CASE_FIELDS = (
    "anchor",
    "suite",
    "arm",
    "id",
    "status",
    "area",
    "mustPass",
    "tags",
    "reason",
    "cost",
    "costText",
    "latency",
    "latencyText",
    "trials",
)
TRIAL_FIELDS = ("index", "outcome", "chunk", "position")
_OUTCOMES: tuple[Outcome, ...] = ("failed", "errored", "not_run", "passed")


class _Names:
    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers))


def case_index(scorecard: Scorecard, walk: Walk, manifest: Manifest) -> dict[str, Any]:
    """The index as plain JSON. A trial whose trajectory was left out to keep the page small has chunk null."""
    suites, arms, areas, tags = _Names(), _Names(), _Names(), _Names()
    kept = walk.store.kept()

    def row(line: CaseLine) -> list[Any]:
        key = line_key(line)
        return [
            case_anchor(key),
            suites(line.suite),
            arms(line.arm),
            line.case_id,
            STATUSES.index(line.status),
            areas(line.area),
            int(line.severity == "must_pass"),
            [tags(one_line(tag, 80)) for tag in walk.tags.get(key, ())[:20]],
            one_line(line.reason, 200),
            None if line.cost_usd is None else float(line.cost_usd),
            "" if line.cost_usd is None else numbers.usd(line.cost_usd),
            line.latency_s,
            "" if line.latency_s is None else numbers.seconds(line.latency_s),
            _trials(key, walk, kept),
        ]

    cases = [row(line) for line in worst_first(scorecard.cases)]
    return {
        "run": manifest.run_id,
        "statuses": [[status, WORDS[status], SIGNS[status]] for status in STATUSES],
        "outcomes": [[outcome, WORDS[outcome], SIGNS[outcome]] for outcome in _OUTCOMES],
        "suites": list(suites.numbers),
        "arms": list(arms.numbers),
        "areas": list(areas.numbers),
        "tags": list(tags.numbers),
        "caseFields": CASE_FIELDS,
        "trialFields": TRIAL_FIELDS,
        "cases": cases,
    }


def left_out(walk: Walk) -> int:
    """Trials whose trajectory is not on the page because the page would be too large."""
    kept = walk.store.kept()
    return sum(_chunk(note, kept) is None for trials in walk.trials.values() for note in trials.values())


def script_json(value: Any) -> str:
    """JSON that may stand inside a script element: no ``<``, ``>`` or ``&``, ASCII only."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _trials(key: CaseKey, walk: Walk, kept: dict[str, int]) -> list[list[Any]]:
    return [
        [index, _OUTCOMES.index(note.outcome), _chunk(note, kept), note.place.position if note.place else 0]
        for index, note in sorted(walk.trials.get(key, {}).items())
    ]


def _chunk(note: TrialNote, kept: dict[str, int]) -> str | None:
    place = note.place
    return f"{place.lane}{place.chunk}" if place is not None and place.chunk < kept[place.lane] else None

"""``scorecard.json``: everything on the scorecard for machines, one row or case a line, without trajectories.

Format history:

1. suites, scorecard rows, cases, verdicts, manifest, comparison, notices.

A number that was not measured is ``null``, never 0; money is decimal text; every text is valid UTF-8.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from harness.core.comparison import CasePair, Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.sensitivity import Sensitivity
from harness.core.verdict import Answer, Verdict
from harness.reporting.visible_text import visible

FORMAT_VERSION = 1


def json_parts(
    run: Run, scorecard: Scorecard, verdicts: Sequence[Verdict], answer: Answer, comparison: Comparison | None = None
) -> Iterator[str]:
    """The document piece by piece, ending with a newline."""
    head = {"format": "harness scorecard", "format_version": FORMAT_VERSION, "run_id": scorecard.run_id}
    yield "{"
    for key, value in head.items():
        yield f'"{key}": {_text(value)},\n'
    yield f'"answer": {_text(answer)},\n'
    yield from _lines("verdicts", [verdict.to_json() for verdict in verdicts])
    yield f'"totals": {_text(_totals(scorecard))},\n'
    yield from _lines("suites", [_filled(vars(line)) for line in scorecard.suites])
    yield from _lines("rows", [_filled(vars(row)) for row in scorecard.rows])
    yield from _lines("cases", (_filled(vars(line)) for line in scorecard.cases))
    yield from _lines("arms", [_filled(vars(arm)) for arm in scorecard.arms])
    yield from _lines("judges", [line.to_json() for line in scorecard.judges])
    if (told := scorecard.sensitivity) is not None:
        yield f'"sensitivity": {_text(_sensitivity(told))},\n'
    yield from _lines("comparison", [] if comparison is None else [_comparison(comparison)])
    yield f'"manifest": {_text(run.manifest.to_json())},\n'
    yield f'"notices": {_text(list(run.notices))}\n'
    yield "}\n"


def _totals(scorecard: Scorecard) -> dict[str, Any]:
    # Samples are every value of every trial: they are in the journal.
    elsewhere = ("run_id", "rows", "cases", "suites", "samples", "arms", "judges", "judged", "sensitivity")
    return {key: value for key, value in vars(scorecard).items() if key not in elsewhere}


def _sensitivity(told: Sensitivity) -> dict[str, Any]:
    out = {**vars(told), "killed": told.killed, "judged": told.judged}
    for name in ("faults", "judges", "survivors", "bounds", "cases"):
        out[name] = [_filled(vars(line)) for line in getattr(told, name)]
    return out


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without empty texts and absent optional values; an estimate stays, because its absence means something."""
    keep = ("suite", "area", "estimate", "low", "high", "cost_usd", "latency_s")
    return {key: value for key, value in values.items() if key in keep or value not in ("", None)}


def _comparison(comparison: Comparison) -> dict[str, Any]:
    out = dict(vars(comparison))
    out["suites"] = [{**vars(suite), "pairs": [_pair(pair) for pair in suite.pairs]} for suite in comparison.suites]
    return out


def _pair(pair: CasePair) -> dict[str, Any]:
    return {key: value for key, value in vars(pair).items() if key != "family"}


def _lines(name: str, items: Any) -> Iterator[str]:
    yield f'"{name}": ['
    first = True
    for item in items:
        yield ("\n  " if first else ",\n  ") + _text(item)
        first = False
    yield "],\n" if first else "\n],\n"


def _text(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {visible(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int)) else visible(str(value))

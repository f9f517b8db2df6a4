"""Groundedness on BEGIN (Dziri et al. 2022): shipped constants, constants picked on the other files, word overlap."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import product
from unittest.mock import patch

from benchmarks.figures import Figure
from benchmarks.injection.sources import EXTERNAL
from harness.guardrails.groundedness import groundedness, scorer
from harness.guardrails.groundedness.words import STOPWORDS

THRESHOLD = 0.7
GRID = {
    "OFFSET": (0.0, 0.1, 0.2),
    "QUESTION": (0.0, 0.3),
    "FIRST_PERSON": (0.0, 0.1, 0.2),
    "MISSING": (0.0, 0.02, 0.05),
}

Row = tuple[str, str, bool]


def _files() -> dict[str, list[Row]]:
    out = {}
    for part in ("wow", "cmu", "tc"):
        with (EXTERNAL / f"grounded/begin_dev_{part}.tsv").open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            out[part] = [
                (row["response"], row["knowledge"], row["begin_label"] == "Fully attributable") for row in rows
            ]
    return out


def on_begin() -> Iterator[Figure]:
    """Balanced accuracy per file; what is picked is picked on the two other files."""
    files = _files()
    ways = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    reached = [{part: _balanced(_scores(rows, way), rows, THRESHOLD) for part, rows in files.items()} for way in ways]
    overlaps = {part: [_overlap(answer, source) for answer, source, _ in rows] for part, rows in files.items()}
    for part, rows in files.items():
        others = [other for other in files if other != part]
        best = max(range(len(ways)), key=lambda index: sum(reached[index][other] for other in others))
        baseline = _balanced(overlaps[part], rows, THRESHOLD)
        own_best = max(_balanced(overlaps[part], rows, cut) for cut in set(overlaps[part]))
        wanted = max(baseline, own_best, 0.88 if part == "wow" else 0.0)
        beside = f"word overlap {baseline:.3f} at {THRESHOLD}, {own_best:.3f} at the best threshold for this file"
        shipped = _balanced(_scores(rows, {}), rows, THRESHOLD)
        what = f"groundedness, BEGIN {part}, balanced accuracy"
        yield Figure(what=f"{what}, as shipped", value=shipped, at_least=wanted, versus=beside, note=f"n = {len(rows)}")
        note = ", ".join(f"{name.lower()} {value}" for name, value in ways[best].items())
        yield Figure(
            what=f"{what}, constants picked on the two other files",
            value=reached[best][part],
            at_least=wanted,
            note=note,
        )


def _scores(rows: list[Row], constants: dict[str, float]) -> list[float]:
    used = {name: getattr(scorer, name) for name in (*GRID, "HEDGE")}
    if constants:
        used |= constants | {"HEDGE": constants["FIRST_PERSON"]}
    with patch.multiple(scorer, **used):
        return [groundedness(answer, source).score or 0.0 for answer, source, _ in rows]


def _overlap(answer: str, source: str) -> float:
    said = [word for word in _words(answer) if word not in STOPWORDS]
    known = set(_words(source))
    return sum(word in known for word in said) / len(said) if said else 0.0


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _balanced(scores: list[float], rows: list[Row], cut: float) -> float:
    yes = [score >= cut for score, (_, _, true) in zip(scores, rows, strict=True) if true]
    no = [score < cut for score, (_, _, true) in zip(scores, rows, strict=True) if not true]
    return (sum(yes) / len(yes) + sum(no) / len(no)) / 2

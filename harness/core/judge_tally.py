"""What judges did in a run, counted while the records go by: verdicts, human labels, cache hits."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

from harness.core.judges import JudgeLine
from harness.core.score import Score
from harness.core.scorecard import JudgedSample
from harness.stats.estimate import Estimate


class JudgeTally:
    """The judged scores of one evaluator in one suite and arm."""

    def __init__(self) -> None:
        self.records = array("q")
        self.passes = array("b")
        """1, 0, or -1: no verdict."""
        self.human = array("b")
        self.deciding = array("b")
        self.asked = array("l")
        self.cached = array("l")
        self.who = array("h")
        self.names: list[tuple[str, str]] = []
        """(identity, model), numbered by ``who``."""
        self.ratings: list[tuple[float | None, ...]] = []
        """Per record the ratings of a panel's members; empty: no panel."""

    def add(self, number: int, score: Score) -> None:
        """Count one score. What the evidence lacks or has in another shape counts as not said."""
        told = score.evidence["judge"]
        if not isinstance(told, Mapping) or not told.get("identity"):
            return
        name = (str(told.get("identity", "")), str(told.get("model", "")))
        if name not in self.names:
            if len(self.names) >= 1000:
                return
            self.names.append(name)
        self.records.append(number)
        self.who.append(self.names.index(name))
        self.passes.append(_flag(told.get("passes")) if score.measured else -1)
        self.human.append(_flag(told.get("human")))
        self.deciding.append(score.passed is not None)
        self.asked.append(_count(told.get("asked")))
        self.cached.append(_count(told.get("cached")))
        ratings = told.get("ratings")
        self.ratings.append(tuple(map(_number, ratings)) if isinstance(ratings, list) else ())

    def sample(self, index: Mapping[int, int], *, of: int) -> JudgedSample:
        """The verdicts of the records that count.

        :param index: the case of each counting record.
        """
        kept = [at for at, number in enumerate(self.records) if number in index and self.passes[at] >= 0]
        return JudgedSample(
            cases=array("q", (index[self.records[at]] for at in kept)),
            passes=array("b", (self.passes[at] for at in kept)),
            human=array("b", (self.human[at] for at in kept)),
            identities=tuple(sorted({self.names[self.who[at]][0] for at in kept})),
            of=of,
        )


def judge_lines(tallies: Mapping[tuple[str, str, str], JudgeTally], live: set[int]) -> tuple[JudgeLine, ...]:
    """One line per evaluator and judge, over all suites."""
    counts: dict[tuple[str, str, str], dict[str, int]] = {}
    places: dict[tuple[str, str, str], dict[tuple[str, str], None]] = {}
    ratings: dict[tuple[str, str, str], list[tuple[float | None, ...]]] = {}
    for (suite, arm, metric), tally in tallies.items():
        for at, number in enumerate(tally.records):
            if number not in live:
                continue
            key = (metric, *tally.names[tally.who[at]])
            into = counts.setdefault(key, dict.fromkeys(("verdicts", "unmeasured", "deciding", "asked", "cached"), 0))
            into["verdicts" if tally.passes[at] >= 0 else "unmeasured"] += 1
            into["deciding"] += tally.deciding[at]
            into["asked"] += tally.asked[at]
            into["cached"] += tally.cached[at]
            places.setdefault(key, {})[suite, arm] = None
            if tally.ratings[at]:
                ratings.setdefault(key, []).append(tally.ratings[at])
    return tuple(
        JudgeLine(
            metric=key[0],
            identity=key[1],
            model=key[2],
            suites=tuple(places[key]),
            alpha=_alpha(ratings[key]) if key in ratings else None,
            verdicts=found["verdicts"],
            unmeasured=found["unmeasured"],
            deciding=found["deciding"],
            asked=found["asked"],
            cached=found["cached"],
        )
        for key, found in counts.items()
    )


def _alpha(ratings: list[tuple[float | None, ...]]) -> Estimate:
    from harness.stats.agreement import krippendorff_alpha

    return krippendorff_alpha(ratings, metric="interval").coefficient


def _flag(value: Any) -> int:
    return int(value) if isinstance(value, bool) else -1


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 1_000_000 else 0


def _number(value: Any) -> float | None:
    # Rounded, because alpha's table has a row per distinct rating.
    return round(float(value), 2) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

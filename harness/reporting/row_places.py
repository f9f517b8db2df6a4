"""Places: the rows of the scorecard that speak of the same suite, or of the whole run, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.core.scorecard import Row


@dataclass(frozen=True, kw_only=True)
class Place:
    """All rows about one suite and arm; without a suite: about all suites together."""

    suite: str
    arm: str
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """Suite and arm, or ``all suites``."""
        return (f"{self.suite} [{self.arm}]" if self.arm else self.suite) or "all suites"

    def row(self, metric: str, **match: object) -> Row | None:
        """The first row of that metric, and ``kind=``, ``quantile=``, ``k=``; None where there is none."""
        for row in self.rows:
            if row.metric == metric and all(getattr(row, name) == value for name, value in match.items()):
                return row
        return None


def places(rows: Iterable[Row]) -> list[Place]:
    """Suites in the order of the scorecard, then all of them together (left out where there is only one suite).

    Rows of an area are left out: an area is a heading over suites, shown where areas are shown.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.suite or not row.area:
            found.setdefault((row.suite, row.arm), []).append(row)
    whole = found.pop(("", ""), None)
    if whole and len(found) != 1:
        found[("", "")] = whole
    return [Place(suite=suite, arm=arm, rows=tuple(mine)) for (suite, arm), mine in found.items()]

"""Tool adoption: by agent and tool, how often the tool was used where it fits, and how its calls went."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.blocks import Cell, Interval, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.reporting import numbers
from harness.reporting.reward_notes import AdoptionTally
from harness.stats.rates import wilson


class Adoption:
    """Adoption is undefined, not 0, for a tool that fits no trial."""

    id = "adoption"

    def __init__(self, tools: Mapping[tuple[str, str], AdoptionTally]) -> None:
        self._tools = tools

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no evaluator asked for adoption."""
        if not self._tools:
            return None
        ordered = sorted(self._tools.items(), key=lambda item: (item[0][0], -item[1].fits, item[0][1]))
        table = Table(
            columns=("Agent", "Tool", "Fits", "Adoption", "", "Calls", "Success", "Format", "Called unasked"),
            rows=tuple(_row(agent, tool, tally) for (agent, tool), tally in ordered),
            caption="Adoption over trials in which the tool fits, with 95% intervals; success over calls that came "
            "back, format over all calls",
            numeric=(2, 3, 5, 6, 7, 8),
        )
        return SectionPage(id=self.id, title="Tool adoption", blocks=(table,))


def _row(agent: str, tool: str, tally: AdoptionTally) -> tuple[Cell, ...]:
    share, picture = Cell(text="undefined", tone="muted"), Cell(text="")
    if tally.fits:
        low, high = wilson(tally.adopted, tally.fits)
        value = tally.adopted / tally.fits
        shown = f"{numbers.share(value)} [{numbers.share(low)}, {numbers.share(high)}]"
        share = Cell(text=numbers.share(value), sort=value)
        picture = Cell(text="", interval=Interval(estimate=value, low=low, high=high, text=shown))
    return (
        Cell(text=agent),
        Cell(text=tool or "(no name)"),
        Cell(text=numbers.count(tally.fits), sort=tally.fits),
        share,
        picture,
        Cell(text=numbers.count(tally.calls), sort=tally.calls),
        _part(tally.worked, tally.came_back),
        _part(tally.well_formed, tally.calls),
        Cell(
            text=numbers.n_of(tally.astray, tally.unfit) if tally.unfit else "",
            sort=tally.astray,
            tone="warn" if tally.astray else "",
        ),
    )


def _part(part: int, whole: int) -> Cell:
    if not whole:
        return Cell(text="no calls", tone="muted")
    return Cell(text=numbers.share(part / whole), sort=part / whole, tone="warn" if part < whole else "")

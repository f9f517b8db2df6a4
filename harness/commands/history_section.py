"""The scorecard's history section: the run that is being reported, set behind its comparable ones.

The work is done when the section is built, so that a history that cannot be read costs the section and not the report.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.blocks import SectionPage
from harness.core.comparison import Comparison
from harness.core.errors import HarnessError
from harness.core.record import Run
from harness.core.scorecard import Scorecard

if TYPE_CHECKING:
    from harness.reporting.sections.history_pictures import DriftRow

MOST_RUNS = 30
READ_BYTES = 10_000_000
"""Of journals that are read for a report at most; ``harness history --trend`` reads them all, once."""


class HistoryTrend:
    """The last comparable runs of the project.

    :param folder: of the run that is reported.
    :param runs: folder of all runs.
    """

    id = "trend"

    def __init__(self, scorecard: Scorecard, *, folder: Path, runs: Path) -> None:
        self._scorecard = scorecard
        self._folder = folder
        self._runs = runs

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None for a run that is partial, unfinished or stopped early, and for the first of its kind."""
        from harness.commands.history_trend import trend_lines
        from harness.reporting.sections.trend import Trend
        from harness.results.suite_history import comparable_runs, figures, is_whole_run, keep_figures

        if not is_whole_run(run.manifest):
            return None
        now = figures(run.manifest, self._scorecard)
        keep_figures(self._runs, self._folder, now)
        older = comparable_runs(
            self._runs, run.manifest, before=self._folder.name, most=MOST_RUNS - 1, read_bytes=READ_BYTES
        )
        before = older[-1].run_id if older else ""
        drift = self._drift(run, before) if before else []
        return Trend(trend_lines([*older, now]), drift=drift, before=before).build(run, comparison)

    def _drift(self, run: Run, before: str) -> list[DriftRow]:
        """From the run before; none where its journal is too large to be read for a report."""
        from harness.commands.history_drift import behaviour, drifts
        from harness.reporting.sections.history_pictures import DriftRow
        from harness.results.reader import open_run

        folder = self._runs / before
        if sum(path.stat().st_size for path in folder.glob("trials-*.jsonl")) > READ_BYTES:
            return []
        try:
            moved = drifts(behaviour(open_run(folder, strict=False).records), behaviour(run.records))
        except (HarnessError, OSError):
            return []  # what cannot be read of the run before costs this table, and not the trend
        return [
            DriftRow(
                name=row.name,
                distance=row.drift.distance,
                threshold=row.drift.threshold,
                moved=row.drift.moved,
                detail=row.detail,
            )
            for row in moved
        ]

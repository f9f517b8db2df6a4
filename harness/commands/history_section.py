"""The scorecard's trend section: the run that is being reported, set behind its comparable ones.

The work is done when the section is built, so that a history that cannot be read costs the section and not the report.
"""

from __future__ import annotations

from pathlib import Path

from harness.core.blocks import SectionPage
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard

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
        """None for a run that is partial, unfinished or stopped early, and with fewer than 3 comparable runs."""
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
        return Trend(trend_lines([*older, now])).build(run, comparison)

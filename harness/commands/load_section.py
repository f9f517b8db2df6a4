"""The scorecard's load section: figures, pictures and the client's own error of each load test of the run."""

from __future__ import annotations

from pathlib import Path

from harness.core.blocks import Block, Prose, SectionPage
from harness.core.comparison import Comparison
from harness.core.errors import HarnessError
from harness.core.record import Run

MOST = 12


class LoadTests:
    """The load tests whose requests lie in the run's folder.

    :param folder: of the run that is reported.
    """

    id = "load"

    def __init__(self, folder: Path) -> None:
        self._base = folder / "load"

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None for a run without load tests."""
        if not self._base.is_dir():
            return None
        from harness.commands.load_blocks import client_table, curves, definition_table, figure_table
        from harness.runs.load.kept import kept_run
        from harness.runs.load.summary import summarise

        blocks: list[Block] = []
        last = None
        folders = sorted(path for path in self._base.iterdir() if path.is_dir())
        for folder in folders[:MOST]:
            parts = sorted(folder.glob("repeat-*"), key=lambda path: (len(path.name), path.name)) or [folder]
            try:
                kept = kept_run(parts[-1])
            except (HarnessError, OSError, KeyError, ValueError) as error:
                blocks.append(Prose(text=f"{folder.name}: its requests cannot be read: {error}", tone="warn"))
                continue
            last = summarise(kept)
            head = f"{folder.name}: {kept.plan.url}, {last.offered}; {last.good} of {last.due} requests good"
            head += f"; the last of {len(parts)} runs" if len(parts) > 1 else ""
            blocks.append(Prose(text=head))
            if last.audit.client_limited:
                blocks.append(Prose(text="Client-limited: " + "; ".join(last.audit.reasons), tone="bad"))
            blocks += [figure_table(last), *curves(kept, last), client_table(last)]
        if len(folders) > MOST:
            blocks.append(Prose(text=f"and {len(folders) - MOST} more load tests, each with a load.html of its own"))
        if last is not None:
            blocks.append(definition_table(last))
        return SectionPage(id=self.id, title="Load tests", blocks=tuple(blocks)) if blocks else None

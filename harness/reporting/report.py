"""The reports of a run: which files are written, which sections the page has and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.verdict import Answer, Verdict
from harness.reporting.to_html import html_parts
from harness.reporting.to_json import json_parts
from harness.reporting.to_junit import junit_parts
from harness.reporting.to_markdown import markdown
from harness.reporting.walk import Walk
from harness.reporting.write_file import write_whole


@dataclass(frozen=True, kw_only=True)
class Reports:
    """Where the reports of a run lie."""

    html: Path
    json: Path
    markdown: Path
    junit: Path


def write_reports(
    directory: Path,
    *,
    run: Run,
    scorecard: Scorecard,
    verdicts: Sequence[Verdict],
    answer: Answer,
    comparison: Comparison | None = None,
) -> Reports:
    """Write ``scorecard.html``, ``scorecard.json``, ``summary.md`` and ``junit.xml``, each whole or not at all.

    The records are walked once and never held together. The folder is made when it is missing; raises OSError as the
    system does (full disk, read-only folder).
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths = Reports(
        html=directory / "scorecard.html",
        json=directory / "scorecard.json",
        markdown=directory / "summary.md",
        junit=directory / "junit.xml",
    )
    # The small files first: should the disk be full, the verdict is more likely to be there than the trajectories.
    write_whole(paths.json, json_parts(run, scorecard, verdicts, answer, comparison))
    write_whole(paths.markdown, [markdown(run, scorecard, verdicts, answer, comparison)])
    with Walk(run, scorecard) as walk:
        write_whole(paths.junit, junit_parts(run.manifest, scorecard, walk.trials))
        write_whole(paths.html, html_parts(run, scorecard, verdicts, answer, comparison, walk))
    return paths

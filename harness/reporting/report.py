"""The reports of a run: which files are written, which sections the page has and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.blocks import Prose, SectionPage
from harness.core.comparison import Comparison
from harness.core.contracts import Section
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.verdict import Answer, Verdict
from harness.reporting.sections.adoption import Adoption
from harness.reporting.sections.areas import Areas
from harness.reporting.sections.arms import Arms
from harness.reporting.sections.budgets import Budgets
from harness.reporting.sections.changes import Changes
from harness.reporting.sections.cost import Cost
from harness.reporting.sections.edits import Edits
from harness.reporting.sections.environment import Environment
from harness.reporting.sections.errors import Errors
from harness.reporting.sections.evaluators import Evaluators
from harness.reporting.sections.failures import Failures
from harness.reporting.sections.guards import Guards
from harness.reporting.sections.judges import Judges
from harness.reporting.sections.latency import Latency
from harness.reporting.sections.reliability import Reliability
from harness.reporting.sections.rewards_lab import RewardLab
from harness.reporting.sections.rules import Rules
from harness.reporting.sections.summary import Summary
from harness.reporting.sections.thinking import Thinking
from harness.reporting.sections.tools import Tools
from harness.reporting.sections.turns import Turns
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
    sections: Sequence[Section] = (),
) -> Reports:
    """Write ``scorecard.html``, ``scorecard.json``, ``summary.md`` and ``junit.xml``, each whole or not at all.

    ``sections`` are further sections of the page, shown before the environment. The records are walked once (plus what
    further sections do) and never held together. The folder is made when it is missing; raises OSError as the
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
        shown = [*standard_sections(scorecard, verdicts, walk), *sections, Environment()]
        pages = build_sections(shown, run, comparison)
        write_whole(paths.html, html_parts(run, scorecard, verdicts, answer, pages, walk))
    return paths


def standard_sections(scorecard: Scorecard, verdicts: Sequence[Verdict], walk: Walk) -> list[Section]:
    """The sections every page has, in order; the environment comes last, after any further ones."""
    return [
        Summary(scorecard),
        Rules(verdicts),
        Areas(scorecard),
        Arms(scorecard),
        Changes(scorecard),
        Failures(scorecard),
        Errors(scorecard),
        Guards(scorecard),
        Evaluators(scorecard),
        Judges(scorecard),
        Reliability(scorecard),
        Budgets(),
        Cost(scorecard, walk.models),
        Latency(scorecard, walk.models),
        Tools(walk.tools),
        RewardLab(scorecard),
        Adoption(walk.rewards.adoption),
        Thinking(walk.rewards.thinking),
        Turns(walk.rewards.worst, walk.rewards.judged_turns),
        Edits(walk.rewards.edits, walk.rewards.judged_edits),
    ]


def build_sections(sections: Sequence[Section], run: Run, comparison: Comparison | None) -> list[SectionPage]:
    """The pages of the sections that have something to say; one that raises becomes a notice in its place."""
    pages = []
    for section in sections:
        try:
            page = section.build(run, comparison)
        except Exception as error:  # noqa: BLE001 - one broken section must not cost the report
            text = f"This section could not be built: {type(error).__name__}: {error}"
            page = SectionPage(id=section.id, title=section.id, blocks=(Prose(text=text, tone="bad"),))
        if page is not None:
            pages.append(page)
    return pages

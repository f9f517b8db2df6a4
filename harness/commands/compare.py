"""What changed between two runs, paired by case: pass rate per suite and area with intervals and a verdict, the cases
that flipped with both trajectories, cost and latency as ratios (new over old). OLD may also be a baseline's file.

The exit code says only whether the comparison could be made; a gate decides: harness gate NEW --baseline OLD
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.project import RUN_HELP, Say, add_project_arguments, open_project, screen
from harness.core.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.commands.covariate import AdjustedLine
    from harness.commands.project import Project
    from harness.core.comparison import Baseline, Comparison
    from harness.core.record import Run

EXAMPLES = """\
examples:
  harness compare latest~1 latest
  harness compare main latest                        main: the file reports/baselines/main.json
  harness compare latest~1 latest --format html --out changes.html
  harness compare latest~1 latest --covariate latest~2       narrower intervals of cost, latency and scores (CUPED)
  harness compare OLD NEW --format markdown >> "$GITHUB_STEP_SUMMARY"
"""
FORMATS = ("terminal", "html", "markdown", "json")
CELLS = {"terminal": 44, "markdown": 160}
"""Characters of a step where the trajectories part; the page shows the steps themselves."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("OLD", help=f"{RUN_HELP}, or a baseline")
    parser.add_argument("NEW", help=RUN_HELP)
    parser.add_argument("--format", choices=FORMATS, help="default: by the ending of --out, else terminal")
    parser.add_argument("--margin", type=float, default=5.0, metavar="POINTS", help="acceptable drop; default: 5")
    parser.add_argument(
        "--covariate",
        metavar="RUN",
        help="an earlier run: take what it foretells of each case out of the differences of cost, latency and scores",
    )
    parser.add_argument("--out", metavar="FILE", help="write there instead of on the screen")
    add_project_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Pair, render, write."""
    from harness.commands.change_blocks import change_page
    from harness.commands.change_sides import side_by_side, sides_json
    from harness.commands.changes import changes_between, changes_json
    from harness.results.reader import open_run

    if not 0 < args.margin < 100:
        raise UsageError(f"--margin is in percentage points between 0 and 100, got {args.margin:g}")
    project = open_project(args)
    wanted = args.format or _by_ending(args.out)
    new_folder = project.run_folder(args.NEW)
    old = _old(args.OLD, project, new_folder)
    new = open_run(new_folder, strict=False)
    changes = changes_between(old, new, margin=args.margin / 100)
    sides, more = side_by_side(changes.comparison, _kept(old, project), new)
    age = _age(changes.comparison, old, new, project)
    adjusted = _adjusted(args.covariate, old, new, project) if args.covariate else None
    if wanted == "json":
        import json

        made = {**changes_json(changes), "age": age, "trajectories": sides_json(sides)}
        if adjusted is not None:
            from harness.commands.covariate import covariate_json

            made["covariate"] = covariate_json(*adjusted)
        text = json.dumps(made, indent=2, default=str)
    else:
        table = None
        if adjusted is not None:
            from harness.commands.covariate import covariate_table

            table = covariate_table(*adjusted)
        page = change_page(changes, old, new, age=age, sides=sides, cell=CELLS.get(wanted, 0), adjusted=table)
        if wanted == "html":
            from harness.commands.change_html import page_html

            text = page_html(page, sides, more)
        elif wanted == "markdown":
            from harness.commands.block_text import markdown_text

            text = markdown_text(page)
        else:
            from harness.commands.block_text import terminal_text

            seen = screen()
            narrow = seen.ascii_only and not args.out
            text = terminal_text(page, width=seen.width, ascii_only=narrow)
    if not args.out:
        say(text.rstrip("\n"))
        return 0
    from harness.results.run_folder import write_atomically

    target = Path(args.out)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, (text.rstrip("\n") + "\n").encode("utf-8", "replace"))
    say(project.shown(target))
    return 0


def _adjusted(ref: str, old: Run | Baseline, new: Run, project: Project) -> tuple[list[AdjustedLine], str]:
    """The lines with what the earlier run foretells taken out, and that run's id."""
    from harness.commands.covariate import adjusted_lines, check_covariate
    from harness.core.comparison import suite_key
    from harness.core.pairing import datasets_of, summarise
    from harness.core.record import Run

    source = _old(ref, project, None)
    before = old if not isinstance(old, Run) else summarise(old.manifest, old.records)
    earlier = source if not isinstance(source, Run) else summarise(source.manifest, source.records)
    made = summarise(new.manifest, new.records)
    check_covariate(ref, earlier, before, made)
    observed = {suite_key(plan.suite, plan.arm) for plan in new.manifest.planned if plan.observe}
    lines = adjusted_lines(before, made, earlier, ref=ref, observed=observed, datasets=datasets_of(new.manifest))
    return lines, earlier.run_id


def _old(ref: str, project: Project, new_folder: Path | None) -> Run | Baseline:
    from harness.commands.baselines import load_baseline
    from harness.results.reader import open_run

    try:
        folder = project.run_folder(ref)
    except UsageError as error:
        try:
            return load_baseline(ref, root=project.root, runs=project.settings.runs)[0]
        except UsageError:
            raise error from None
    if new_folder is not None and folder.resolve() == new_folder.resolve():
        raise UsageError(f"{ref} and the new run are the same run, {folder.name}; name another, such as latest~1")
    return open_run(folder, strict=False)


def _kept(old: Run | Baseline, project: Project) -> Run | None:
    """The run behind a baseline, where its journal is still here: a baseline keeps no trajectories."""
    from harness.core.record import Run
    from harness.results.reader import open_run

    if isinstance(old, Run):
        return old
    try:
        folder = project.settings.runs / old.run_id
        return open_run(folder, strict=False) if re.fullmatch(r"[\w.-]+", old.run_id) else None
    except (HarnessError, OSError):
        return None


def _age(comparison: Comparison, old: Run | Baseline, new: Run, project: Project) -> str:
    from dataclasses import replace

    from harness.commands.changes_age import commits_between
    from harness.core.record import Run
    from harness.reporting.sections.changes import age_of

    commit = old.manifest.commit if isinstance(old, Run) else old.commit
    count = commits_between(project.root, commit, new.manifest.commit)
    meta = {**comparison.meta, "base_commits": count}
    text = age_of(replace(comparison, meta=meta), new.manifest.created_at)[0]
    return text.removesuffix(" old") + " older than the new one" if text else ""


def _by_ending(out: str | None) -> str:
    endings = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json"}
    return endings.get(Path(out).suffix.lower(), "terminal") if out else "terminal"

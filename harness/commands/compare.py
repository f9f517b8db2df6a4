"""What changed between two runs, paired by case: pass rate per suite and area with intervals, the cases that flipped,
cost and latency as ratios (new over old). OLD may also be a file of reports/baselines.

The exit code says only whether the comparison could be made; a gate decides: harness gate NEW --baseline OLD
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.project import RUN_HELP, Say, add_project_arguments, open_project, screen
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.commands.project import Project
    from harness.core.comparison import Baseline
    from harness.core.record import Run

EXAMPLES = """\
examples:
  harness compare latest~1 latest
  harness compare main latest                        main: the file reports/baselines/main.json
  harness compare latest~1 latest --format html --out changes.html
  harness compare OLD NEW --format markdown >> "$GITHUB_STEP_SUMMARY"
"""
FORMATS = ("terminal", "html", "markdown", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("OLD", help=f"{RUN_HELP}, or a baseline")
    parser.add_argument("NEW", help=RUN_HELP)
    parser.add_argument("--format", choices=FORMATS, help="default: by the ending of --out, else terminal")
    parser.add_argument("--out", metavar="FILE", help="write there instead of on the screen")
    add_project_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Pair, render, write."""
    from harness.commands.change_blocks import change_page
    from harness.commands.changes import changes_between, changes_json
    from harness.results.reader import open_run

    project = open_project(args)
    wanted = args.format or _by_ending(args.out)
    new_folder = project.run_folder(args.NEW)
    old = _old(args.OLD, project, new_folder)
    new = open_run(new_folder, strict=False)
    changes = changes_between(old, new)
    if wanted == "json":
        import json

        text = json.dumps(changes_json(changes), indent=2, default=str)
    else:
        page = change_page(changes, old, new)
        if wanted == "html":
            from harness.commands.change_html import page_html

            text = page_html(page)
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


def _old(ref: str, project: Project, new_folder: Path) -> Run | Baseline:
    from harness.commands.baselines import load_baseline
    from harness.results.reader import open_run

    try:
        folder = project.run_folder(ref)
    except UsageError as error:
        try:
            return load_baseline(ref, root=project.root, runs=project.settings.runs)[0]
        except UsageError:
            raise error from None
    if folder.resolve() == new_folder.resolve():
        raise UsageError(f"{ref} and the new run are the same run, {folder.name}; name another, such as latest~1")
    return open_run(folder, strict=False)


def _by_ending(out: str | None) -> str:
    endings = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json"}
    return endings.get(Path(out).suffix.lower(), "terminal") if out else "terminal"

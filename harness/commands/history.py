"""The runs of this project, newest last: when, which agent, what was measured, what it cost, what the gate said."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from harness.commands.project import Say, add_project_arguments, open_project
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.results.history import RunSummary

EXAMPLES = """\
examples:
  harness history
  harness history --limit 5
  harness history --json | jq '.[] | select(.verdict == "fail") | .run_id'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="the newest N; 0: all; default: 20")
    parser.add_argument("--json", action="store_true", help="as JSON instead of a table")
    add_project_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """List."""
    from harness.results.history import list_runs

    if args.limit < 0:
        raise UsageError(f"--limit must be at least 0, got {args.limit}")
    project = open_project(args)
    runs = list_runs(project.settings.runs)
    shown = runs[-args.limit :] if args.limit else runs
    if args.json:
        import json

        found = [{**vars(item), "pass_rate": item.pass_rate} for item in shown]
        say(json.dumps(found, indent=2, default=str))
        return 0
    if not shown:
        say(f"no runs in {project.shown(project.settings.runs)} yet; make one: pytest suites")
        return 0
    for line in _table(shown):
        say(line)
    if len(runs) > len(shown):
        say(f"and {len(runs) - len(shown):,} older; all of them: harness history --limit 0")
    return 0


def _table(runs: list[RunSummary]) -> list[str]:
    from harness.reporting import numbers
    from harness.reporting.visible_text import one_line

    head = ("run", "verdict", "passed", "measured", "cost", "agent", "commit", "notes")
    rows = [
        (
            one_line(item.path, 60),
            item.verdict or "-",
            numbers.share(item.pass_rate) if item.measured else "-",
            numbers.n_of(item.measured, item.planned),
            numbers.usd(item.cost_usd) if item.cost_usd is not None else "unknown",
            one_line(item.agent, 40) or "-",
            (item.commit[:10] + ("+" if item.dirty else "")) or "-",
            one_line(_notes(item), 80),
        )
        for item in runs
    ]
    sizes = [max(len(line[n]) for line in (head, *rows)) for n in range(len(head))]
    right = (2, 3, 4)
    return [
        "  ".join(text.rjust(sizes[n]) if n in right else text.ljust(sizes[n]) for n, text in enumerate(line)).rstrip()
        for line in (head, *rows)
    ]


def _notes(item: RunSummary) -> str:
    notes = []
    if item.mode not in ("", "replay"):
        notes.append(item.mode)
    if item.partial:
        notes.append("partial")
    if item.exit_reason:
        notes.append(item.exit_reason)
    elif not item.finished_at:
        notes.append("cut off, or still running")
    if item.problem:
        notes.append(item.problem)
    return "; ".join(notes)

"""Judge a stored run anew: no agent is run, nothing is written. Prints the verdict and exits with its code.

exit codes: 0 pass, 10 fail, 11 inconclusive, 12 budget exhausted, 13 baseline missing or not comparable
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from harness.commands.project import (
    RUN_HELP,
    Say,
    add_judging_arguments,
    add_project_arguments,
    open_project,
    screen,
)

if TYPE_CHECKING:
    from harness.plugin.judging import Judged

EXAMPLES = """\
examples:
  harness gate                                        the newest run, by the project's rules
  harness gate latest --rules reports/nightly.toml    what would other rules have said?
  harness gate 20260131 --baseline latest~1           against an earlier run
  harness gate latest --json | jq .answer
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("RUN", nargs="?", default="latest", help=f"{RUN_HELP}; default: latest")
    add_judging_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the verdict as JSON instead of text")
    add_project_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Judge, print, answer with the exit code."""
    from harness.plugin.judging import exit_status, judge_run

    project = open_project(args)
    folder = project.run_folder(args.RUN)
    judged = judge_run(folder, settings=project.settings, root=project.root, write=False)
    code = exit_status(0, judged)
    if args.json:
        import json

        say(json.dumps(_plain(judged, code), indent=2))
        return code
    from harness.commands.verdict_lines import verdict_lines

    seen = screen()
    say(f"run {folder.name}")
    for line in verdict_lines(judged, width=seen.width, colour=seen.colour, ascii_only=seen.ascii_only):
        say(line)
    return code


def _plain(judged: Judged, code: int) -> dict[str, Any]:
    from harness.commands.changes import comparison_json

    card = judged.scorecard
    return {
        "run_id": card.run_id,
        "answer": judged.answer,
        "exit_code": code,
        "verdicts": [verdict.to_json() for verdict in judged.verdicts],
        "measured": card.measured,
        "planned": card.planned,
        "comparison": None if judged.comparison is None else comparison_json(judged.comparison),
        "notices": list(judged.run.notices),
    }

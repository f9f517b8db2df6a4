"""Write the reports of a stored run again: scorecard.html, scorecard.json, summary.md and junit.xml.

No agent is run. The verdict is judged anew, by the rules and the baseline as they are now.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.commands.project import RUN_HELP, Say, add_judging_arguments, add_project_arguments, open_project

EXAMPLES = """\
examples:
  harness report latest --open              look at the newest run
  harness report 20260131 --out build/qa    the four files somewhere else
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("RUN", nargs="?", default="latest", help=f"{RUN_HELP}; default: latest")
    parser.add_argument("--out", metavar="DIR", help="where the files go; default: the run's folder")
    parser.add_argument("--open", action="store_true", help="open the scorecard in the browser")
    add_judging_arguments(parser)
    add_project_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Judge, write, say where."""
    from harness.plugin.judging import judge_run

    project = open_project(args)
    folder = project.run_folder(args.RUN)
    out = Path(args.out) if args.out else folder
    judged = judge_run(folder, settings=project.settings, root=project.root, out=out)
    say(f"run {folder.name}: {judged.answer}")
    for name in ("scorecard.html", "scorecard.json", "summary.md", "junit.xml"):
        say(project.shown(out / name))
    if args.open:
        import webbrowser

        if not webbrowser.open((out / "scorecard.html").absolute().as_uri()):
            say("no browser could be opened here; open scorecard.html yourself")
    return 0

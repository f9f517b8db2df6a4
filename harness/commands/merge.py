"""Join the runs of CI shards into one run: same agent, commit, seed, datasets, configuration; the shards stay as they
are. What does not belong together is refused, with every difference named."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from harness.commands.project import RUN_HELP, Say, add_project_arguments, open_project
from harness.core.errors import UsageError

EXAMPLES = """\
examples:
  harness merge shard-1/ shard-2/ shard-3/ --into nightly-0412
  harness gate nightly-0412 && harness report nightly-0412
"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("RUN", nargs="+", help=f"the shards: {RUN_HELP}")
    parser.add_argument("--into", required=True, metavar="NAME", help="name of the new run, or a new folder's path")
    add_project_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Merge, say where."""
    from harness.results.merge import merge_runs

    project = open_project(args)
    into = _target(args.into, project.settings.runs)
    made = merge_runs([project.run_folder(ref) for ref in args.RUN], into)
    say(f"merged {len(args.RUN)} runs into {project.shown(made)}")
    name = made.name if made.parent.resolve() == project.settings.runs.resolve() else project.shown(made)
    say(f"next: harness gate {name}, harness report {name}")
    return 0


def _target(into: str, runs: Path) -> Path:
    if "/" in into:
        return Path(into)
    if not _NAME.fullmatch(into) or into.startswith("latest"):
        raise UsageError(
            f"--into {into!r} cannot be a run's name; use letters, digits, dots and dashes, and not 'latest'"
        )
    return runs / into

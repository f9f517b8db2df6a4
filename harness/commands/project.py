"""The project a command works in: its root, its settings, its runs; and how the terminal likes its lines."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.settings import Settings

Say = Callable[[str], None]
"""Prints one line (or several)."""

RUN_HELP = "id, the unique beginning of one, latest, latest~1, or the run's folder"


@dataclass(frozen=True, kw_only=True)
class Project:
    """Where the command works."""

    root: Path
    settings: Settings

    def run_folder(self, ref: str) -> Path:
        """The folder of a run. Raises UsageError with the recent ones when there is no such run."""
        from harness.results.run_folder import find_run

        return find_run(self.settings.runs, ref)

    def shown(self, path: Path) -> str:
        """A path as it would be typed from here."""
        absolute, here = path.absolute(), Path.cwd()
        return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def add_project_arguments(parser: argparse.ArgumentParser) -> None:
    """``--root`` and ``--runs``, which every command about runs has."""
    parser.add_argument("--root", metavar="DIR", help="the project; default: the nearest folder with a pyproject.toml")
    parser.add_argument("--runs", metavar="DIR", help="folder of the runs; default: as [tool.harness] says")


def add_judging_arguments(parser: argparse.ArgumentParser) -> None:
    """``--rules`` and ``--baseline``, which every command that judges has."""
    parser.add_argument("--rules", metavar="FILE", help="rules of the gate; default: as in a session")
    parser.add_argument(
        "--baseline",
        metavar="FILE|RUN|auto|none",
        help="what to compare with; default: as in a session (auto: the fitting file of reports/baselines)",
    )


def open_project(args: argparse.Namespace) -> Project:
    """The project, from ``--root`` or the current folder.

    :raises UsageError: there is no such folder, or its settings make no sense.
    """
    from harness.settings import Settings

    root = Path(args.root).absolute() if args.root else nearest_root(Path.cwd())
    if not root.is_dir():
        raise UsageError(f"--root: there is no folder {root}")
    cli = {name: getattr(args, name, None) for name in ("runs", "rules", "baseline")}
    return Project(root=root, settings=Settings.load(root, cli=cli, environ=os.environ))


def nearest_root(start: Path) -> Path:
    """The nearest folder from here upwards with a pyproject.toml, else the current folder."""
    return next((path for path in (start, *start.parents) if (path / "pyproject.toml").is_file()), start)


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What the terminal can show."""

    width: int
    colour: bool
    ascii_only: bool


def screen() -> Screen:
    """The terminal behind standard output; 100 wide and without colour where it is none. Honours ``NO_COLOR``."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "✓├●…→".encode(encoding)
        narrow = False
    except (UnicodeEncodeError, LookupError):
        narrow = True
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return Screen(width=shutil.get_terminal_size((100, 24)).columns, colour=colour, ascii_only=narrow)

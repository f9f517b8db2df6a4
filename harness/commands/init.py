"""Write a small project that passes at once: golden cases, a suite, a stand-in for your agent, and a release gate.

Nothing that exists is overwritten.
"""

from __future__ import annotations

import argparse
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from harness.commands.project import Say
from harness.core.errors import UsageError

EXAMPLES = """\
examples:
  harness init my-evals && cd my-evals && pytest suites
  harness init evals                                       beside the code of an existing repository
"""
SUFFIX = ".template"
"""Of the packaged files: so that neither pytest, ruff nor git takes them for files of this project."""
RENAMED = {"gitignore": ".gitignore"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("DIR", help="folder of the new project; made when it is missing")


def run(args: argparse.Namespace, say: Say) -> int:
    """Write the files, say what to do next."""
    target = Path(args.DIR)
    written = write_project(target)
    say(f"wrote {len(written)} files into {target}:")
    for path in written:
        say(f"  {path}")
    say("")
    say("try it:       " + ("" if target.resolve() == Path.cwd() else f"cd {target} && ") + "pytest suites")
    say("your agent:   put it into fixtures/agent.py, or pytest suites --harness-agent=mypackage.agent:answer")
    say("your cases:   golden_datasets/opening_hours/cases.jsonl, one JSON object a line")
    return 0


def write_project(target: Path) -> list[str]:
    """Write every file of the template below ``target``; returns their relative paths.

    :raises UsageError: ``target`` is a file, or files of these names exist; nothing is written then.
    """
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; name a folder: harness init my-evals")
    found = dict(_template(files("harness.commands") / "template", ""))
    taken = [path for path in sorted(found) if (target / path).exists() or (target / path).is_symlink()]
    if taken:
        more = f" and {len(taken) - 8} more" if taken[8:] else ""
        raise UsageError(
            f"{target} already has {', '.join(taken[:8])}{more}, and nothing is overwritten; "
            "choose a new folder: harness init my-evals"
        )
    name = project_name(target)
    for path in sorted(found):
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        # Opened for creation only: a file that appeared in between is kept.
        with place.open("x", encoding="utf-8", newline="\n") as file:
            file.write(found[path].read_text("utf-8").replace("$name", name))
    return sorted(found)


def project_name(target: Path) -> str:
    """A name that pyproject.toml accepts, from the folder's."""
    plain = re.sub(r"[^a-z0-9]+", "-", target.resolve().name.lower()).strip("-")
    return plain or "agent-evals"


def _template(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    out: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            out += _template(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            name = entry.name.removesuffix(SUFFIX)
            out.append((prefix + RENAMED.get(name, name), entry))
    return out

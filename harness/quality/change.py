"""The change that is to be judged: what git says was touched since a base, and which of it a spec allows."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from harness.core.errors import UsageError
from harness.quality.spec import WorkingSpec


@dataclass(frozen=True, kw_only=True)
class Change:
    """Files with the lines that were added and removed, since the base; or why that is not known."""

    base: str = ""
    files: tuple[tuple[str, int], ...] = ()
    """(path, lines added plus removed); a binary file counts one line."""
    missing: str = ""


def change_since(root: Path, base: str) -> Change:
    """What differs between the working tree and the commit where it left ``base``, files git does not know included.

    :param base: a branch, a tag or a commit; ``auto`` for the first of origin/main, main, origin/master, master.
    :raises UsageError: a named base does not exist.
    """
    if _git(root, "rev-parse", "--show-toplevel") is None:
        return Change(missing="this is no git checkout, so what changed is not known")
    names = ("origin/main", "main", "origin/master", "master") if base == "auto" else (base,)
    found = next((name for name in names if _git(root, "rev-parse", "--verify", "-q", f"{name}^{{commit}}")), None)
    if found is None and base != "auto":
        raise UsageError(f"--base: git knows no commit {base[:80]!r}; in CI fetch it first (fetch-depth: 0)")
    start = _git(root, "merge-base", found, "HEAD") if found else None
    if found is None or start is None:
        return Change(missing="there is no base to compare with; name one: --base REF")
    listed = _git(root, "diff", "--numstat", "--no-renames", "-z", "--relative", start.strip())
    fresh = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    if listed is None or fresh is None:
        return Change(base=found, missing="git diff failed")
    files = []
    for entry in filter(None, listed.split("\0")):
        added, removed, path = entry.split("\t", 2)
        files.append((path, max(1, _lines(added) + _lines(removed))))
    files += [(path, _length(root / path)) for path in filter(None, fresh.split("\0"))]
    return Change(base=found, files=tuple(sorted(files)))


def inside(path: str, globs: Iterable[str]) -> bool:
    """Whether a path matches one of the globs: ``*`` stays within a folder, ``**`` crosses folders."""
    return any(_pattern(glob).fullmatch(path) for glob in globs)


def touched(change: Change, spec: WorkingSpec) -> tuple[list[tuple[str, int]], list[str]]:
    """(files of the component with their lines, files of ``scope.out`` that were touched)."""
    mine = [(path, lines) for path, lines in change.files if inside(path, spec.scope_in)]
    out = [path for path, _ in mine if inside(path, spec.scope_out)]
    return mine, out


def strangers(change: Change, spec: WorkingSpec) -> list[str]:
    """Files that a change made under this spec had no business with."""
    return [p for p, _ in change.files if not inside(p, spec.scope_in) or inside(p, spec.scope_out)]


@lru_cache(maxsize=1000)
def _pattern(glob: str) -> re.Pattern[str]:
    text = glob.strip().removeprefix("./")
    text = f"{text}**" if text.endswith("/") else text
    made = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", text):
        made += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return re.compile(made)


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True, encoding="utf-8", errors="surrogateescape", timeout=60, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _lines(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _length(path: Path) -> int:
    try:
        return max(1, path.read_bytes().count(b"\n"))
    except OSError:
        return 1

"""How old what is compared with is: days between the two runs, and commits where git knows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def commits_between(root: Path, old: str, new: str) -> int | None:
    """Commits of the new one that the old one does not have; None where git does not know both, or is not there."""
    if not (_COMMIT.fullmatch(old) and _COMMIT.fullmatch(new)):
        return None
    try:
        done = subprocess.run(
            ["git", "rev-list", "--count", f"{old}..{new}", "--"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    count = done.stdout.strip()
    return int(count) if done.returncode == 0 and count.isdigit() else None

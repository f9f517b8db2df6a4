"""What a run's manifest says about its surroundings: commit, versions, machine."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("pytest", "pytest-xdist", "aiohttp", "scipy", "numpy", "litellm", "deepeval")


@functools.cache
def commit_of(root: Path) -> tuple[str, bool]:
    """Commit of the checkout and whether it has uncommitted changes; ``("", False)`` outside one."""
    try:
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=5, check=False
        )
        if head.returncode != 0:
            return "", False
        status = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", False
    return head.stdout.strip(), bool(status.stdout.strip())


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that can change a result."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine(workers: int) -> dict[str, str]:
    """The machine in the words a reader needs; no host name, no user name."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "cpus": str(os.cpu_count() or 0),
        "workers": str(workers),
        "implementation": sys.implementation.name,
    }

"""The rivals' virtual environments: made once in the user's cache, one per rival, from the package index."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path


class NotInstalled(RuntimeError):
    """A rival could not be installed; the message says why, for the list of what was not compared."""


def place() -> Path:
    """Where the environments are kept: ``$XDG_CACHE_HOME/harness-benchmarks``, by default under ``~/.cache``."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "harness-benchmarks" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def python_of(rival: str, *packages: str) -> Path:
    """The interpreter of a rival's environment, made and filled on first use.

    :raises NotInstalled: it cannot be made (no network, say).
    """
    folder = place() / rival
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    wanted = " ".join(packages)
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return python
    try:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
            check=True,
            capture_output=True,
            text=True,
            timeout=240,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise NotInstalled(f"`pip install {wanted}` failed: {said[-1] if said else error}") from error
    ready.write_text(wanted, encoding="utf-8")
    return python


def version_of(python: Path, package: str) -> str:
    """The installed version."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout.strip()

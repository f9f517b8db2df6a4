"""Files written whole or not at all: a reader never sees half a report, and a crash leaves the old one in place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, parts: Iterable[str]) -> Path:
    """Write the parts as UTF-8 to ``path`` through a temporary file beside it; raises OSError as the system does.

    Lone surrogates that slipped through are written as ``?`` rather than failing the report.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            for part in parts:
                file.write(part)
        # mkstemp makes files for the owner only; reports are for everybody who may read the folder.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return path

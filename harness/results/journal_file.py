"""What a journal file looks like: its name, its header lines, and when a line of it is whole."""

from __future__ import annotations

import contextlib
import mmap
from pathlib import Path

from harness.results.lines import decode
from harness.results.schema import JOURNAL

HEADER_START = b'{"format":"' + JOURNAL.encode() + b'"'
"""How every header line begins, byte for byte, so that it can be searched for."""


def journal_path(directory: Path, worker: str = "main") -> Path:
    """Where a worker's trials are kept."""
    return directory / f"trials-{worker}.jsonl"


def journal_files(directory: Path) -> list[Path]:
    """Every journal of a run, by name."""
    return sorted(directory.glob("trials-*.jsonl"))


def is_whole(line: bytes) -> bool:
    """Whether a line without its newline is a complete JSON object."""
    if not line.endswith(b"}"):
        return False
    try:
        return isinstance(decode(line), dict)
    except ValueError:
        return False


def last_opening(directory: Path) -> int:
    """The highest opening number in any journal of the run; 0 when there is none."""
    last = 0
    for path in journal_files(directory):
        if path.stat().st_size == 0:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
            at = 0 if view[: len(HEADER_START)] == HEADER_START else view.find(b"\n" + HEADER_START) + 1
            while at >= 0 and view[at : at + len(HEADER_START)] == HEADER_START:
                end = view.find(b"\n", at)
                if end < 0:
                    break
                with contextlib.suppress(ValueError):  # who reads the run will say that the line is damaged
                    opening = decode(view[at:end]).get("opening")
                    last = max(last, opening if isinstance(opening, int) else 0)
                found = view.find(b"\n" + HEADER_START, end)
                at = found + 1 if found >= 0 else -1
    return last

"""Where attacks are kept: ``sensitivity-<worker>.jsonl`` in the run's folder, a header line and one line per trial."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from harness.core.errors import FormatError, HarnessError
from harness.sensitivity.attack import FORMAT, VERSION, Attack

PATTERN = "sensitivity-*.jsonl"


def append(folder: Path, worker: str, attacks: Iterable[Attack]) -> None:
    """Write lines at the end of this process's file.

    :raises HarnessError: the disk is full, or the folder is gone.
    """
    path = folder / f"sensitivity-{worker}.jsonl"
    lines = "".join(json.dumps(attack.to_json(), ensure_ascii=True) + "\n" for attack in attacks)
    try:
        with path.open("a", encoding="utf-8") as file:
            if not file.tell():
                file.write(json.dumps({"format": FORMAT, "version": VERSION}) + "\n")
            file.write(lines)
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written ({error.strerror}). Make room on the disk.") from error


def read(folder: Path) -> tuple[list[Attack], list[str]]:
    """The attacks of a run, the last line of a trial counting, and what reading them had to say.

    A torn last line (a killed writer) is left out with a notice, any other damaged line too.

    :raises FormatError: a file was written by a newer harness, or is none of ours.
    """
    found: dict[tuple[str, str, str, int], Attack] = {}
    notices = []
    for path in sorted(folder.glob(PATTERN)):
        with path.open(encoding="utf-8", errors="replace") as file:
            _check_header(path, file.readline())
            for number, line in enumerate(file, start=2):
                try:
                    attack = Attack.from_json(json.loads(line))
                except (ValueError, RecursionError, FormatError):
                    notices.append(f"{path.name}:{number}: a damaged line left out")
                    continue
                found[attack.key] = attack
    return list(found.values()), notices


def forget(folder: Path) -> None:
    """Remove what earlier attacks on a run have left."""
    for path in folder.glob(PATTERN):
        path.unlink()


def _check_header(path: Path, line: str) -> None:
    try:
        head = json.loads(line)
        given, version = head["format"], head["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        given, version = None, None
    if given != FORMAT or not isinstance(version, int):
        raise FormatError(f"{path}: not a file of attacks (no header with format {FORMAT!r}); move it away")
    if version > VERSION:
        raise FormatError(
            f"{path}: {FORMAT} version {version} was written by a newer harness; this one reads up to {VERSION}. "
            "Upgrade: pip install --upgrade harness"
        )

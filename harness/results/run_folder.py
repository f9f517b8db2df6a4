"""The run folder: a sortable name of its own for every run, its manifest, and how a run is found again."""

from __future__ import annotations

import json
import os
import random
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.core.clock import SYSTEM, Clock, iso_utc
from harness.core.errors import FormatError, HarnessError, UsageError
from harness.core.record import Manifest
from harness.results.journal_file import journal_files
from harness.results.lines import decode, plain
from harness.results.migrations import check_version, migrate
from harness.results.schema import MANIFEST, VERSIONS

_ID = re.compile(r"(\d{8}-\d{6})-([0-9a-f]{4})")
_LATEST = re.compile(r"latest(?:~(\d{1,6}))?")


def new_run_folder(root: Path, clock: Clock = SYSTEM) -> tuple[str, Path]:
    """Make the folder of a new run: ``(run_id, path)``, the id like ``20260131-235959-07c2`` (UTC).

    Ids sort by the second, and within a second by the order in which they were made. Making the folder is the claim,
    so runs that start at the same moment, also on other machines sharing the disk, get folders of their own.

    :raises HarnessError: the folder cannot be made.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(clock.wall()))
        for _ in range(1000):
            taken = [int(m[2], 16) for p in root.glob(f"{stamp}-*") if (m := _ID.fullmatch(p.name))]
            number = max(taken) + random.randint(1, 15) if taken else random.randrange(0x1000)
            run_id = f"{stamp}-{min(number, 0xFFFF):04x}"
            try:
                (root / run_id).mkdir()
            except FileExistsError:
                continue
            return run_id, root / run_id
    except OSError as error:
        raise HarnessError(
            f"{root}: cannot make a folder for the run ({error.strerror}). Choose another with --harness-runs=DIR"
        ) from error
    raise HarnessError(f"{root}: too many runs started within one second. Choose another with --harness-runs=DIR")


def write_manifest(directory: Path, manifest: Manifest) -> Path:
    """Write ``manifest.json`` atomically: a reader sees the old one or the new one, never a part.

    :raises HarnessError: the disk is full or the folder is gone; the old manifest is untouched.
    """
    data = {"format": MANIFEST, "version": VERSIONS[MANIFEST], **manifest.to_json()}
    path = directory / "manifest.json"
    try:
        write_atomically(path, _pretty(data))
    except OSError as error:
        raise HarnessError(f"{path}: cannot write the manifest ({error.strerror}). Make room on the disk.") from error
    return path


def read_manifest(directory: Path) -> Manifest | None:
    """The manifest of a run; None when the run was killed before it wrote one.

    :raises FormatError: it is damaged, no manifest, or of a newer harness.
    """
    path = directory / "manifest.json"
    try:
        data = decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise FormatError(f"{path}: damaged ({error}). Move it away to read the run without it.") from error
    if not isinstance(data, dict) or data.get("format") != MANIFEST:
        raise FormatError(f"{path}: not a manifest of a run (no format {MANIFEST!r}). Is it the right folder?")
    version = check_version(MANIFEST, data.get("version"), str(path))
    try:
        return Manifest.from_json(migrate(MANIFEST, version, data))
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise FormatError(f"{path}: damaged ({error}). Move it away to read the run without it.") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file as a whole; on failure the old one stays and nothing is left behind."""
    fd, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def is_run(directory: Path) -> bool:
    """Whether a folder holds a run."""
    return (directory / "manifest.json").is_file() or bool(journal_files(directory))


def list_run_folders(root: Path) -> list[Path]:
    """Every run below ``root``, oldest first; empty when there is no such folder."""
    if not root.is_dir():
        return []
    runs = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".") and is_run(path)]
    return sorted(runs, key=_order)


def latest(root: Path) -> Path:
    """The newest run.

    :raises UsageError: there is none.
    """
    return find_run(root, "latest")


def find_run(root: Path, ref: str | Path) -> Path:
    """The folder of a run.

    :param ref: an id, the unique beginning of one, ``latest``, ``latest~1`` (one before), a folder, or a file of it.
    :raises UsageError: nothing or more than one run fits; the message lists what exists.
    """
    text = str(ref)
    path = Path(ref)
    if path.is_file():
        path = path.parent
    if text and path.is_dir() and is_run(path):
        return path
    runs = list_run_folders(root)
    if match := _LATEST.fullmatch(text):
        back = int(match[1] or 0)
        if back < len(runs):
            return runs[-1 - back]
        raise UsageError(f"{text}: there {_are(len(runs))} in {root}. {_recent(runs)}")
    exact = [run for run in runs if run.name == text]
    fitting = exact or [run for run in runs if text and run.name.startswith(text)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{text!r} fits {len(fitting)} runs in {root}; give more of the id. {_recent(fitting)}")
    if text and path.is_dir():
        raise UsageError(f"{path} is a folder without a run (no manifest.json, no trials-*.jsonl). {_recent(runs)}")
    raise UsageError(f"no run {text!r} in {root}. {_recent(runs)}")


def _are(count: int) -> str:
    return {0: "are no runs", 1: "is only 1 run"}.get(count, f"are only {count} runs")


def _recent(runs: list[Path]) -> str:
    if not runs:
        return "Make a run first: pytest suites"
    names = ", ".join(run.name for run in reversed(runs[-5:]))
    return f"Recent: {names}. Say one of these, or 'latest'."


def _order(path: Path) -> tuple[str, str]:
    match = _ID.fullmatch(path.name)
    if match:
        return match[1], match[2]
    # A merged run has a name of the user's choice; it takes its place by when it was made.
    try:
        created = str(decode((path / "manifest.json").read_bytes())["created_at"])
    except (OSError, ValueError, KeyError, TypeError):
        created = iso_utc(path.stat().st_mtime)
    return created.replace("-", "").replace(":", "").replace("T", "-").rstrip("Z"), path.name


def _pretty(data: dict[str, Any]) -> bytes:
    return (json.dumps(plain(data), indent=2) + "\n").encode()

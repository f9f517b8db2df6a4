"""Exam records on disk: ``reports/judges/*.json``, one judge a file, committed with the project."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.core.errors import FormatError
from harness.core.judges import JudgeRecord

_read: dict[Path, tuple[tuple[tuple[str, int, int], ...], dict[str, JudgeRecord]]] = {}


def load_records(folder: Path | None) -> Mapping[str, JudgeRecord]:
    """Every record of a folder by the judge's identity; empty without a folder. Of two, the later exam counts.

    :raises FormatError: a file is damaged, or of a newer harness.
    """
    if folder is None:
        return {}
    try:
        with os.scandir(folder) as found:
            seen = tuple(
                sorted(
                    (entry.name, entry.stat().st_mtime_ns, entry.stat().st_size)
                    for entry in found
                    if entry.name.endswith(".json") and not entry.name.startswith(".")
                )
            )
    except (FileNotFoundError, NotADirectoryError):
        return {}
    known = _read.get(folder)
    if known is not None and known[0] == seen:
        return known[1]
    records: dict[str, JudgeRecord] = {}
    for name, _, _ in seen:
        record = read_record(folder / name)
        held = records.get(record.identity)
        if held is None or held.created_at <= record.created_at:
            records[record.identity] = record
    _read[folder] = (seen, records)
    return records


def read_record(path: Path) -> JudgeRecord:
    """One record.

    :raises FormatError: it cannot be read.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"{path}: cannot be read as a judge's record ({error}); restore it, or delete it") from error
    return JudgeRecord.from_json(data, where=str(path))


def write_record(folder: Path, record: JudgeRecord) -> Path:
    """Put a record in its place, whole or not at all; an earlier exam of the same judge is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", record.judge).strip("-.")[:60] or "judge"
    path = folder / f"{stem}-{record.identity[:12]}.json"
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(record.to_json(), indent=1, ensure_ascii=False) + "\n")
            os.fchmod(file.fileno(), 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path

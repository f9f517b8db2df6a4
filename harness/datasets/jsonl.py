"""JSON lines: one case per line, UTF-8, read strictly and written atomically.

The words:

- *line*: ends with ``\\n`` (``\\r\\n`` is taken too). U+2028, U+0085 and their like stand inside a line; blank lines
  are skipped but counted.
- A byte order mark at the start is skipped. NaN, Infinity, numbers that overflow, a key written twice in one object,
  and half a surrogate pair are mistakes: another reader would take them otherwise, or not at all.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.core.case import Dataset
from harness.core.errors import DatasetError
from harness.datasets.problems import Problem, shown
from harness.datasets.rows import Row


def read_jsonl(data: bytes, problems: list[Problem]) -> Iterator[Row]:
    """Line number and value of every line; what cannot be read is added to ``problems`` instead."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        fix = "is UTF-16; save it as UTF-8"
        problems.append(Problem(line=0, field="", value="", fix=fix))
        return
    data = data.removeprefix(b"\xef\xbb\xbf")
    for line, raw in enumerate(data.split(b"\n"), 1):
        if not raw or raw.isspace():
            continue
        try:
            value = parse_line(raw)
        except UnicodeDecodeError as error:
            bad = error.object[error.start : error.start + 1].hex()
            fix = f"is not UTF-8: byte 0x{bad} at position {error.start + 1} of the line; save the file as UTF-8"
            problems.append(Problem(line=line, field="", value="", fix=fix))
        except json.JSONDecodeError as error:
            fix = f"is not JSON: {error.msg} at column {error.colno}"
            text = raw.decode("utf-8", "replace")
            problems.append(Problem(line=line, field="", value=shown(text[max(0, error.pos - 20) :]), fix=fix))
        except (ValueError, RecursionError) as error:
            fix = "is nested too deep" if isinstance(error, RecursionError) else str(error)
            problems.append(Problem(line=line, field="", value=shown(raw.decode("utf-8", "replace")), fix=fix))
        else:
            yield line, value


def parse_line(raw: bytes) -> Any:
    """The JSON value of one line. Raises UnicodeDecodeError, ValueError or RecursionError."""
    text = raw.decode("utf-8")
    value = _DECODER.decode(text.strip(" \t\r\n"))
    if "\\ud" in text or "\\uD" in text:
        # Cheap to rule out for nearly every line; only then is the value written out to see whether a half is left.
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):04x}"
            raise ValueError(f"holds half a surrogate pair ({half}); write the whole character") from error
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"holds {constant}, which is not JSON; write null or leave the field out")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"holds {text}, which is too large for a number")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"has the key {twice!r} twice in one object; keep one")
    return out


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once)


def write_jsonl(dataset: Dataset, path: str | Path) -> Path:
    """Write the cases one per line, atomically: a reader sees the old file or the new one, never a part.

    :raises DatasetError: when a case holds something that is not JSON.
    """
    target = Path(path)
    lines = []
    for case in dataset:
        try:
            line = json.dumps(case.to_json(), ensure_ascii=False, allow_nan=False)
            lines.append(line.encode("utf-8"))
        except (TypeError, ValueError, RecursionError) as error:
            raise DatasetError(f"case {case.id!r} cannot be written to {target}: {error}") from error
    write_atomically(target, b"".join(line + b"\n" for line in lines))
    return target


def write_atomically(target: Path, data: bytes) -> None:
    """Write through a temporary file in the same folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only the owner can read; a dataset is committed and shared.
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise

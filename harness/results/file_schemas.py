"""JSON Schemas of the files that the harness writes: what a consumer in any language may rely on.

They lie beside this file as package data, draft 2020-12. A closed object has every field that this version writes; a
reader should ignore fields it does not know, because a later version may add some without another format number.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError

FOLDER = Path(__file__).parent / "schemas"
NAMES: tuple[str, ...] = ("journal", "manifest", "scorecard", "baseline", "audit_log", "sensitivity")
"""What has a schema. ``journal``, ``audit_log`` and ``sensitivity`` are JSON lines: theirs is of one line."""


def file_schema(name: str) -> dict[str, Any]:
    """The schema of a file.

    :raises UsageError: there is none of that name; the message lists those that are.
    """
    if name not in NAMES:
        raise UsageError(f"there is no schema {name!r}; there is case, {', '.join(NAMES)}")
    schema: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema

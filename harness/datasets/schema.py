"""The JSON Schema of a row, for editors: made from the same table the loader checks by (``fields.py``).

In VS Code: ``"json.schemas": [{"fileMatch": ["cases.jsonl"], "url": "./golden_datasets/schema/case.schema.json"}]``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.datasets.fields import CASE_FIELDS, CASE_REQUIRED, Field
from harness.datasets.jsonl import write_atomically

FILE = "golden_datasets/schema/case.schema.json"


def case_schema() -> dict[str, Any]:
    """The schema of one row of ``cases.jsonl``, draft 2020-12."""
    schema = _object(CASE_FIELDS, CASE_REQUIRED)
    # The loader's rule for ids; null is absent and gets one from the content.
    schema["properties"]["id"] = {
        "description": CASE_FIELDS["id"].about,
        "anyOf": [{"type": "null"}, {"type": "string", "maxLength": 200, "pattern": r"^\S(.*\S)?$"}],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A golden case of harness: one row of cases.jsonl",
        **schema,
    }


def write_schema(root: str | Path = ".") -> Path:
    """Write the file that editors read; a test holds it equal to :func:`case_schema`."""
    target = Path(root) / FILE
    write_atomically(target, (json.dumps(case_schema(), indent=2, ensure_ascii=False) + "\n").encode())
    return target


def _object(fields: Mapping[str, Field], required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {name: _property(field, name in required) for name, field in fields.items()},
    }


def _property(field: Field, required: bool) -> dict[str, Any]:
    schema = dict(field.kind.schema)
    if field.inside is not None:
        inner = _object(field.inside, field.required)
        schema = {"type": "array", "items": inner} if schema["type"] == "array" else inner
    if schema and not required:
        # The loader takes null for an absent field.
        schema = {"anyOf": [{"type": "null"}, schema]}
    return {"description": field.about, **schema}

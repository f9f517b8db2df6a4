"""``[tool.harness]`` of a pyproject.toml: read, checked, and every key with the line it stands on."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.settings.option import nearest
from harness.settings.options import BY_NAME, OPTIONS

_NOT_TEXT = {"integer", "seconds", "switch"}
"""Kinds a quoted value in the table would be a slip for; the command line and the environment know only texts."""


def read_table(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """``[tool.harness]`` of a pyproject.toml, checked, and the place (``pyproject.toml:12``) of every key.

    A missing file or table sets nothing.

    :raises UsageError: the file is not TOML, or a key is unknown or does not fit.
    """
    import tomllib

    try:
        text = path.read_text("utf-8")
        tool = tomllib.loads(text, parse_float=Decimal).get("tool", {})
    except (FileNotFoundError, NotADirectoryError):
        return {}, {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    table = tool.get("harness", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"{_place(path, text, 'harness')}: harness must be a table: [tool.harness]")
    lines = {key: _place(path, text, key) for key in table}
    for key, value in table.items():
        option = BY_NAME.get(key)
        if option is None:
            known = [item.name for item in OPTIONS if item.table]
            raise UsageError(f"{lines[key]}: unknown key {key!r} in [tool.harness]{nearest(key, known)}")
        if not option.table:
            raise UsageError(
                f"{lines[key]}: {key} concerns one run and cannot stand in [tool.harness]; use {option.flag_name}"
            )
        if isinstance(value, str) and option.kind in _NOT_TEXT:
            raise UsageError(f"{lines[key]}: {key} {option.wants}, got the text {value!r}; write it without quotes")
        option.convert(value, lines[key])
    return table, lines


def _place(path: Path, text: str, key: str) -> str:
    """``pyproject.toml:12`` for a key or subtable of ``[tool.harness]``. tomllib keeps no lines: it is looked for."""
    quoted = rf"""(?:{re.escape(key)}|"{re.escape(key)}"|'{re.escape(key)}')"""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            inside = head[1] == "tool.harness"
            if re.match(rf"tool\s*\.\s*harness\s*\.\s*{quoted}(?:\s*\.|$)", head[1]):
                return f"{path}:{number}"
        elif inside and re.match(rf"\s*{quoted}\s*[.=]", line):
            return f"{path}:{number}"
    return str(path)

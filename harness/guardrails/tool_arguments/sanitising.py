"""Sanitising: arguments without what could do harm in them, where there is an honest way to leave it out.

Decoded to the bottom first and cut then, never the other way round: cutting ``../`` out of ``....//`` would make one.
What comes out is judged again by the guard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.guardrails.tool_arguments.hazards import layers

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]|%00|\\u0000")
_SHELL = re.compile(r"[;&|`<>\n\r$(){}]")
_PATH = re.compile(r"[\n\r|<>`;:$(){}]")
_START = re.compile(r"^(?:[A-Za-z]:|file:|[/~]|\s)+", re.IGNORECASE)

Path = tuple[str | int, ...]


def sanitised(value: Any, uses: Mapping[Path, str], *, absolute: bool, path: Path = ()) -> Any:
    """A copy of the arguments with every text cleaned for its use; numbers and keys stay as they are."""
    if isinstance(value, Mapping):
        return {key: sanitised(item, uses, absolute=absolute, path=(*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [sanitised(item, uses, absolute=absolute, path=(*path, index)) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    use = uses.get(path, "text")
    value = _CONTROL.sub("", value)
    if use == "path":
        return _inside(list(layers(value))[-1].replace("\\", "/"), absolute)
    if use == "shell":
        return _SHELL.sub("", list(layers(value))[-1]).strip()
    return value


def _inside(value: str, absolute: bool) -> str:
    root = "/" if absolute and value.startswith("/") else ""
    steps = [_PATH.sub("", step) for step in _START.sub("", value).split("/")]
    return root + "/".join(step for step in steps if step.strip(". \t"))

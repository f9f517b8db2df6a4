"""One record as one line of JSON, whatever an agent put into it.

JSON has no NaN, no bytes and no tuple keys, UTF-8 has no lone surrogates, and Python has a recursion limit; agents have
all of them. A record is never lost over that: what JSON cannot say is written as a text that shows it.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 200
"""Nesting kept when a record is too deep to be written as it is; deeper parts become a note."""


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - an agent's own __str__ may raise anything
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_text).encode


def encode(record: Mapping[str, Any]) -> str:
    """JSON on one line, without the newline. Never raises for what is inside the mapping."""
    try:
        return _ENCODE(record)
    except (TypeError, ValueError, RecursionError):
        return _ENCODE(plain(record))


def to_bytes(text: str) -> bytes:
    """The line with its newline, valid UTF-8 also where an agent wrote lone surrogates (they become ``\\udXXX``)."""
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        # Inside JSON every surrogate stands in a string, where its escape means the same.
        return text.encode("utf-8", "backslashreplace") + b"\n"


def plain(value: Any, depth: int = 0) -> Any:
    """A copy that JSON can hold: texts for NaN, foreign keys and objects; a note for what is nested too deep."""
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return int(value) if value.bit_length() < 4096 else hex(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _text(value)
    if depth >= MAX_DEPTH:
        return f"<nested more than {MAX_DEPTH} deep: {type(value).__name__}>"
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else _text(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, depth + 1) for item in value]
    return _text(value)


def decode(line: bytes | str) -> Any:
    """The value of one line.

    :raises ValueError: the line is not JSON.
    """
    try:
        return json.loads(line)
    except RecursionError:
        return _decode_on_fresh_stack(line)


def _decode_on_fresh_stack(line: bytes | str) -> Any:
    # The parser's limit is what the calling stack leaves; a line that could be written can be read from an empty one.
    found: list[Any] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failed:
        raise ValueError(f"cannot be parsed: {failed[0]}")
    return found[0]

"""The file format of recordings: the canonical request, the stored reply, and one JSON file of them.

The file is pretty-printed JSON in the order of the calls, so a re-recording reads well as a difference. Formats:

- 1: first version.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from harness.core.errors import FormatError, HarnessError
from harness.core.exchange import Exchange, Reply
from harness.core.usage import Usage
from harness.runs.redaction import is_secret_field, kept_headers, redact, redact_text

FORMAT = 1
_SECRET_PARAMETERS = frozenset({"key", "sig", "signature", "token", "code", "x-amz-signature", "x-amz-credential"})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One recorded call."""

    key: str
    """Hash of the canonical request."""
    trial: int
    call: int
    """Position among the calls of its trial, from 0."""
    occurrence: int
    """How many calls of its trial with the same key came before."""
    request: Mapping[str, Any]
    reply: Mapping[str, Any]


def canonical_request(exchange: Exchange) -> dict[str, Any]:
    """What is hashed and stored of a request: everything that could change the reply, without secrets."""
    out: dict[str, Any] = {"provider": exchange.provider, "operation": exchange.operation}
    if exchange.model:
        out["model"] = exchange.model
    if exchange.url:
        out["url"] = _clean_url(exchange.url)
    headers = kept_headers(exchange.headers)
    if headers:
        out["headers"] = headers
    out["body"] = _finite(redact(exchange.body))
    return out


def reply_to_json(reply: Reply) -> dict[str, Any]:
    """What is stored of a reply; absent fields are left out."""
    out: dict[str, Any] = {"body": redact(reply.body)}
    if reply.status != 200:
        out["status"] = reply.status
    if reply.usage is not None:
        out["usage"] = reply.usage.to_json()
    if reply.cost_usd is not None:
        out["cost_usd"] = str(reply.cost_usd)
    for name in ("latency_s", "ttft_s"):
        value = getattr(reply, name)
        if value is not None:
            out[name] = round(value, 3)
    headers = kept_headers(reply.headers)
    if headers:
        out["headers"] = headers
    return out


def reply_from_json(data: Mapping[str, Any]) -> Reply:
    """The inverse of :func:`reply_to_json`, marked as replayed."""
    return Reply(
        body=data["body"],
        status=data.get("status", 200),
        usage=None if data.get("usage") is None else Usage.from_json(data["usage"]),
        cost_usd=None if data.get("cost_usd") is None else Decimal(data["cost_usd"]),
        latency_s=data.get("latency_s"),
        ttft_s=data.get("ttft_s"),
        headers=data.get("headers", {}),
        replayed=True,
    )


def _clean_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return redact_text(url.partition("?")[0])
    query = urlencode(
        [(k, "redacted" if is_secret_field(k) or k.lower() in _SECRET_PARAMETERS else redact_text(v)) for k, v in pairs]
    )
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, place, redact_text(parts.path), query, ""))


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinities; a body that has them is hashed by their names."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return value


def read_entries(path: Path) -> dict[tuple[str, int, int], Entry]:
    """The calls of a recording by (key, trial, occurrence); empty when there is no file.

    :raises FormatError: when it is damaged, or newer than this version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot read the recording {path}: {error}") from error
    try:
        data = json.loads(text)
        version = data["format"]
        if version == FORMAT:
            entries = [Entry(**call) for call in data["calls"]]
            for entry in entries:
                reply_from_json(entry.reply)
            return {(entry.key, entry.trial, entry.occurrence): entry for entry in entries}
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise FormatError(
            f"the recording {path} is damaged ({type(error).__name__}: {str(error)[:200]}). Restore it from version "
            "control, or delete it and record again: --harness-mode=record"
        ) from error
    raise FormatError(f"the recording {path} has format {version!r}; this version reads {FORMAT}. Update harness")


def write_recording(path: Path, content: Mapping[str, Any]) -> None:
    """Put a recording in its place, whole or not at all.

    :raises HarnessError: when it cannot be written.
    """
    data = {"format": FORMAT, **content}
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8; as an escape it comes back as it was.
        raw = (json.dumps(data, indent=1, sort_keys=True, default=str) + "\n").encode("ascii")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise HarnessError(f"cannot write the recording {path}: {error}") from error

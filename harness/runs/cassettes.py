"""Cassettes: model and HTTP replies kept in one file per case, recorded once and replayed for ever.

A call is found by three things: the hash of its canonical request (secrets taken out), the trial's index, and how often
the trial has made the very same request before. A replayed trial gets exactly the replies of its recording, or the
error that shows what is nearest; never a reply of another trial.

The file is pretty-printed JSON in the order of the calls, so a re-recording reads well as a difference. Formats:

- 1: first version.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from weakref import WeakValueDictionary

from harness.core.case import content_hash
from harness.core.errors import FormatError, HarnessError, RecordingMissing, UsageError
from harness.core.exchange import Exchange, Reply
from harness.core.usage import Usage
from harness.runs.nearest import missing
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


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A call's place on the tape, taken when it starts, so that calls side by side keep their order."""

    key: str
    call: int
    occurrence: int
    request: Mapping[str, Any]


class Tape:
    """The calls of one trial."""

    def __init__(self, cassette: Cassette, trial: int) -> None:
        self.trial = trial
        self._cassette = cassette
        self._seen: Counter[str] = Counter()
        self._calls = 0
        self._recorded: list[Entry] = []
        self._lock = threading.Lock()

    def ticket(self, exchange: Exchange) -> Ticket:
        """Take the place of a call that starts now."""
        request = canonical_request(exchange)
        key = content_hash(request)
        with self._lock:
            ticket = Ticket(key=key, call=self._calls, occurrence=self._seen[key], request=request)
            self._calls += 1
            self._seen[key] += 1
        return ticket

    def play(self, ticket: Ticket) -> Reply:
        """The recorded reply.

        :raises RecordingMissing: showing the nearest recording.
        :raises FormatError: when the file cannot be read.
        """
        entries = self._cassette.entries()
        entry = entries.get((ticket.key, self.trial, ticket.occurrence))
        if entry is not None:
            return reply_from_json(entry.reply)
        own_first = sorted(entries.values(), key=lambda e: (e.trial != self.trial, e.trial, e.call))
        others = sorted({e.trial for e in entries.values() if e.key == ticket.key})
        raise RecordingMissing(
            missing(
                ticket.request,
                [e.request for e in own_first],
                path=self._cassette.path,
                trial=self.trial,
                others=others,
            )
        )

    def record(self, ticket: Ticket, reply: Reply) -> None:
        """Keep a reply; it reaches the file when the trial ends."""
        entry = Entry(
            key=ticket.key,
            trial=self.trial,
            call=ticket.call,
            occurrence=ticket.occurrence,
            request=ticket.request,
            reply=reply_to_json(reply),
        )
        with self._lock:
            self._recorded.append(entry)

    def end(self, *, keep: bool = True) -> None:
        """The trial ended: its calls replace those that the file has of this trial.

        :param keep: False throws them away and leaves the file as it was: for a trial that broke off.
        :raises HarnessError: when the file cannot be written.
        """
        with self._lock:
            recorded, self._recorded = self._recorded, []
        if keep and recorded:
            self._cassette.replace_trial(self.trial, recorded)


class Cassette:
    """The file of one case. Trials of the case that run side by side share it."""

    def __init__(self, path: Path, *, case_id: str = "") -> None:
        self.path = path
        self.case_id = case_id
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, int, int], Entry] | None = None

    def tape(self, trial: int) -> Tape:
        """A new tape for one trial."""
        return Tape(self, trial)

    def entries(self) -> Mapping[tuple[str, int, int], Entry]:
        """All recorded calls by (key, trial, occurrence); read once. None when there is no file."""
        with self._lock:
            if self._entries is None:
                self._entries = _read(self.path)
            return self._entries

    def replace_trial(self, trial: int, recorded: list[Entry]) -> None:
        """Write the calls of one trial in place of what the file has of it."""
        with self._lock:
            # Read again: another run in this folder may have written other trials since.
            entries = {key: entry for key, entry in _read(self.path).items() if entry.trial != trial}
            entries.update({(entry.key, entry.trial, entry.occurrence): entry for entry in recorded})
            ordered = sorted(entries.values(), key=lambda entry: (entry.trial, entry.call))
            _write(
                self.path,
                {"format": FORMAT, "case": redact_text(self.case_id), "calls": [vars(entry) for entry in ordered]},
            )
            self._entries = entries


class Cassettes:
    """The recordings of a project.

    :param mode: ``record`` or ``replay``.
    :param root: the folder that suites' node ids are relative to.
    """

    def __init__(self, mode: Literal["record", "replay"], *, root: Path) -> None:
        if mode not in ("record", "replay"):
            raise UsageError(f"recordings are for the modes 'record' and 'replay', got {mode!r}")
        self.mode = mode
        self.root = root
        self._open: WeakValueDictionary[Path, Cassette] = WeakValueDictionary()
        self._lock = threading.Lock()

    def for_case(self, path: Path, *, case_id: str = "") -> Cassette:
        """The cassette at ``path``; the same one for all who hold it at the same time."""
        with self._lock:
            found = self._open.get(path)
            if found is None:
                found = self._open[path] = Cassette(path, case_id=case_id)
            return found

    def path_of(self, suite: str, case_id: str) -> Path:
        """Where the calls of a case are kept: ``<suite folder>/recordings/<module>/<test function>/<case>.json``.

        The module is part of it because two modules of one folder may have a test of the same name.

        :param suite: node id of the test function, ``suites/desk/test_refunds.py::test_refunds``.
        """
        file, _, function = suite.partition("::")
        module = PurePosixPath(file)
        folder = self.root / module.parent / "recordings" / slug(module.stem or "suite")
        return folder / slug(function.replace("::", ".") or "test") / f"{slug(case_id)}.json"


def slug(name: str) -> str:
    """A file name for any text: readable, short, and different for different texts on every file system."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", name.lower())[:80].strip(".-")
    return plain if plain == name else f"{plain}-{content_hash(name)[:8]}".lstrip("-")


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


def _read(path: Path) -> dict[tuple[str, int, int], Entry]:
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


def _write(path: Path, data: Mapping[str, Any]) -> None:
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

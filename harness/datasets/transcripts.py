"""Production transcripts: a log of conversations as cases with the trajectories that happened, and a sample of them.

A log is JSON lines. Each line is ``{"messages": [...], "id"?, "context"?, ...}``, a bare list of chat messages, a trial
of this package's journals, or OpenTelemetry spans (:mod:`harness.datasets.spans`). What cannot be read is counted, not
guessed; the last line of a log that is still written may be torn.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.case import Case, canonical_json
from harness.core.errors import DatasetError, UsageError
from harness.core.trajectory import Trajectory
from harness.datasets.spans import conversations, is_span, spans_of

MAX_LINE = 20_000_000


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """One conversation."""

    case: Case
    trajectory: Trajectory
    stratum: str = ""
    """The value of the field that the sample is stratified by; empty: it has none."""


@dataclass(frozen=True, kw_only=True)
class Transcripts:
    """What a log holds."""

    found: tuple[Transcript, ...]
    unread: int = 0
    """Lines that are no conversation."""
    first_problem: str = ""


def read_transcripts(path: Path, *, by: str = "model") -> Transcripts:
    """The conversations of a log.

    :param by: name of the field or span attribute that the sample is stratified by.
    :raises DatasetError: the log cannot be read, or holds no conversation at all.
    """
    entries: list[Mapping[str, Any]] = []
    spans: list[dict[str, Any]] = []
    unread, problem = 0, ""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    entry = _entry(line)
                    if entry is None:
                        continue
                    if is_span(entry):
                        spans.extend(spans_of(entry))
                    else:
                        entries.append(entry)
                except (ValueError, RecursionError, AttributeError) as error:
                    unread += 1
                    problem = problem or f"line {number}: {str(error)[:160]}"
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    found = [_transcript(entry, by, place) for place, entry in enumerate([*entries, *conversations(spans)], start=1)]
    if not found:
        raise DatasetError(
            f"{path}: no conversation in it{f' ({problem})' if problem else ''}; expected JSON lines with 'messages', "
            "journal lines, or OpenTelemetry spans with gen_ai.output.messages"
        )
    return Transcripts(found=tuple(found), unread=unread, first_problem=problem)


def sample(transcripts: Sequence[Transcript], *, rate: float, seed: int = 0) -> list[Transcript]:
    """A stratified sample in an order that is itself random: any beginning of it is a sample, too.

    From each stratum of n conversations the ``ceil(rate * n)`` with the smallest hash of seed and id, so that none is
    left out, and the same seed draws the same ones, in whatever order the log holds them.

    :param rate: share, above 0 and up to 1.
    """
    if not 0 < rate <= 1:
        raise UsageError(f"the rate of a sample must be above 0 and at most 1, got {rate!r}")
    strata: dict[str, list[tuple[bytes, int]]] = {}
    for place, one in enumerate(transcripts):
        digest = hashlib.sha256(f"{seed}\0{one.case.id}".encode("utf-8", "surrogatepass")).digest()
        strata.setdefault(one.stratum, []).append((digest, place))
    drawn: list[tuple[bytes, int]] = []
    for members in strata.values():
        # Rounded first: .1 * 30 is a little more than 3 in binary, and 4 would be one too many.
        drawn += sorted(members)[: math.ceil(round(rate * len(members), 9))]
    return [transcripts[place] for _, place in sorted(drawn)]


def _entry(line: bytes) -> Mapping[str, Any] | None:
    if len(line) > MAX_LINE:
        raise ValueError(f"longer than {MAX_LINE:,} bytes")
    given = json.loads(line)
    if isinstance(given, list):
        given = {"messages": given}
    if not isinstance(given, dict):
        raise ValueError(f"a conversation is an object, got {type(given).__name__}")
    if "trajectory" in given:
        trajectory = given["trajectory"]
        if not isinstance(trajectory, dict):
            return None
        names = [call.get("model") for call in trajectory.get("model_calls") or () if isinstance(call, dict)]
        key = given.get("case_id") or given.get("case") or ""
        about = {"id": key if isinstance(key, str) else "", "model": next(iter(names), ""), **given}
        return {**about, "messages": trajectory.get("messages")}
    if is_span(given):
        return given
    messages = given.get("messages")
    if messages is None and ({"header", "format", "kind"} & set(given)):
        return None
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages) or not messages:
        raise ValueError("no list of messages under 'messages'")
    return given


def _transcript(entry: Mapping[str, Any], by: str, place: int) -> Transcript:
    messages = tuple(entry["messages"])
    asked = next((one.get("content") for one in messages if one.get("role") == "user"), "")
    case = Case(
        id=str(entry.get("id") or f"line-{place}"),
        input=asked if isinstance(asked, str) else canonical_json(asked),
        metadata={"context": entry["context"]} if entry.get("context") else {},
    )
    stratum = entry.get(by)
    return Transcript(
        case=case,
        trajectory=Trajectory(messages=messages, metadata={"context": entry["context"]} if case.metadata else {}),
        stratum="" if stratum is None else str(stratum)[:100],
    )

"""Measured: one request with its times in seconds, from its raw bytes; and its line in ``requests.jsonl``."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from harness.runs.load.events import stamped
from harness.runs.load.framing import body_pieces
from harness.runs.load.reply import Reply, read_stream, read_whole
from harness.runs.load.spool import CLOSED, COMPLETE, HOW, STOPPED, Raw

FORMAT = 1
NO_TIMES: array[float] = array("d")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One request. Times are seconds; those without ``from`` in their meaning are from the start of the run."""

    number: int
    due_s: float
    late_s: float
    """From due to when the client took it up: the client's own error."""
    sent_s: float | None
    """None: it was never sent."""
    end_s: float
    """The last token event, the last byte, or when it was given up."""
    ok: bool
    failure: str = ""
    """Short stable word: ``connection``, ``timeout``, ``http_500``, ``cut_stream``, ``error_in_stream``, ``not_http``,
    ``empty``, ``too_large``, ``never_sent``, ``unfinished``."""
    note: str = ""
    status: int = 0
    ttft_s: float | None = None
    """From due."""
    ttfc_s: float | None = None
    """From due."""
    e2e_s: float | None = None
    """From due."""
    tokens: int | None = None
    token_source: str = ""
    """``usage``: the server's count. ``events``: estimated by the number of token events."""
    prompt_tokens: int | None = None
    tpot_s: float | None = None
    gaps: array[float] = field(default_factory=lambda: NO_TIMES)
    """Between successive token events."""
    itl: array[float] = field(default_factory=lambda: NO_TIMES)
    connect_s: float | None = None
    """From taken up to connected, where a connection had to be made."""
    retried: bool = False
    token_events: int = 0
    coalesced: int = 0
    """Token events that arrived in the same read as the one before, so that their own time is not known."""
    lag_s: float = 0.0
    """Longest time between the kernel's stamp and the loop's read."""
    unstamped: int = 0
    """Reads without a kernel stamp; their time is the loop's."""
    reads: int = 0
    streamed: bool = True
    finish_reason: str = ""

    @property
    def ttft_sent_s(self) -> float | None:
        """From sent."""
        return None if self.ttft_s is None or self.sent_s is None else self.ttft_s - (self.sent_s - self.due_s)

    @property
    def worst_gap_s(self) -> float | None:
        """The longest gap; None with fewer than two token events."""
        return max(self.gaps) if self.gaps else None

    def to_json(self) -> dict[str, Any]:
        """Plain mapping; fields at their default are left out, gaps are whole microseconds."""
        made: dict[str, Any] = {"number": self.number, "due_s": round(self.due_s, 7), "ok": self.ok}
        for name in ("late_s", "sent_s", "end_s", "ttft_s", "ttfc_s", "e2e_s", "tpot_s", "connect_s", "lag_s"):
            value = getattr(self, name)
            if value is not None:
                made[name] = round(value, 7)
        for name in (
            "failure", "note", "status", "tokens", "token_source", "prompt_tokens", "retried", "token_events",
            "coalesced", "unstamped", "reads", "finish_reason",
        ):  # fmt: skip
            if value := getattr(self, name):
                made[name] = value
        if not self.streamed:
            made["streamed"] = False
        for name in ("gaps", "itl"):
            if value := getattr(self, name):
                made[f"{name}_us"] = [round(gap * 1e6) for gap in value]
        return made

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Measured:
        """The inverse of :meth:`to_json`, to the microsecond."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        for name in ("gaps", "itl"):
            known[name] = array("d", [gap / 1e6 for gap in data.get(f"{name}_us", ())])
        known.setdefault("sent_s", None)
        return cls(**known)


def measured(raw: Raw, start: int) -> Measured:
    """The request of a frame.

    :param start: when the run began, nanoseconds of the monotonic clock.
    """
    status, fields, pieces, complete = body_pieces(raw.data)
    kind = fields.get("content-type", "").partition(";")[0].strip().lower()
    body = b""
    if status == 200 and (kind == "text/event-stream" or _looks_streamed(pieces)):
        _, events = stamped(pieces, raw.lengths)
        reply = read_stream(events)
    else:
        body = b"".join(piece for _, piece in pieces)
        reply = read_whole(body, len(raw.lengths) - 1) if status == 200 else Reply(streamed=False)
    failure, note = _failure(raw, status, complete, reply, body)
    times = [raw.stamps[place] for place in reply.tokens_at]
    # Kernel stamps are taken per packet on any processor; they never put a later event before an earlier one.
    gaps = array("d", [max(0, after - before) / 1e9 for before, after in pairwise(times)])
    last = times[-1] if times else (raw.stamps[-1] if raw.stamps and not failure else raw.ended)
    tokens, source = reply.completion_tokens, "usage"
    if tokens is None and times:
        tokens, source = (sum(reply.counts), "logprobs") if reply.counts else (len(times), "events")
    many = tokens if tokens is not None else 0
    lags = [lag for lag in raw.lags if lag >= 0]
    itl = NO_TIMES
    if reply.counts:
        itl = array("d", [gap / max(1, count) for gap, count in zip(gaps, reply.counts[1:], strict=True)])
    content = raw.stamps[reply.first_content] if reply.first_content >= 0 and reply.streamed else None
    return Measured(
        number=raw.number,
        due_s=(raw.due - start) / 1e9,
        late_s=max(0, raw.taken - raw.due) / 1e9 if raw.taken and not raw.retried else 0.0,
        sent_s=(raw.sent - start) / 1e9 if raw.sent else None,
        end_s=(last - start) / 1e9,
        ok=not failure,
        failure=failure,
        note=note,
        status=status,
        ttft_s=(times[0] - raw.due) / 1e9 if times else None,
        ttfc_s=None if content is None else (content - raw.due) / 1e9,
        e2e_s=None if failure else (last - raw.due) / 1e9,
        tokens=tokens,
        token_source=source if tokens is not None else "",
        prompt_tokens=reply.prompt_tokens,
        tpot_s=(times[-1] - times[0]) / 1e9 / (many - 1) if len(times) > 1 and many > 1 else None,
        gaps=gaps,
        itl=itl,
        connect_s=(raw.connected - raw.taken) / 1e9 if raw.connected > raw.taken > 0 else None,
        retried=bool(raw.retried),
        token_events=len(times),
        coalesced=sum(1 for before, after in pairwise(reply.tokens_at) if before == after),
        lag_s=max(lags, default=0) / 1e9,
        unstamped=len(raw.lags) - len(lags),
        reads=len(raw.lags),
        streamed=reply.streamed,
        finish_reason=reply.finish_reason,
    )


def _looks_streamed(pieces: list[tuple[int, bytes]]) -> bool:
    return bool(pieces) and pieces[0][1].lstrip().startswith((b"data:", b":", b"event:"))


def _failure(raw: Raw, status: int, complete: bool, reply: Reply, body: bytes) -> tuple[str, str]:
    """The word for what went wrong, and a sentence; both empty for a good request."""
    if raw.how == STOPPED:
        return ("unfinished" if raw.sent else "never_sent"), raw.note
    if raw.how not in (COMPLETE, CLOSED):
        word = HOW[raw.how]
        return {"unreachable": "connection"}.get(word, word), raw.note
    if not raw.data:
        return "connection", raw.note or "the server closed the connection before a reply"
    if status == 0:
        return "not_http", f"no HTTP reply: {raw.data[:60]!r}"
    if status != 200:
        return f"http_{status}", body[:200].decode("utf-8", "replace")
    if reply.error:
        return "error_in_stream", reply.error
    if raw.how == CLOSED or not complete:
        return "cut_stream", f"the connection ended after {len(reply.tokens_at)} token events"
    if not reply.ended_well:
        return "cut_stream", f"neither a finish reason nor [DONE] after {len(reply.tokens_at)} token events"
    if reply.streamed and not reply.tokens_at:
        return "empty", "the stream ended well and carried no text"
    return "", ""

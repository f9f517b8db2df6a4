"""Spans of a text: what was found where, joined where they overlap, and taken out.

The words:

- *span*: ``[start, end)`` of the **original** text, with what it is and how sure that is.
- *joined*: overlapping spans become one (touching ones stay two), named after the one that begins first, of these
  the longest, of these the surest. So what stands at a place is decided by what begins there, never by what follows
  a megabyte later; a stream needs that.
- *placeholder*: ``[redacted:email]``. It holds no digit but one at its end, so no number can hide in one; guards take
  one for a single sign that is nothing, so redacting twice is redacting once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from harness.core.decision import Finding
from harness.core.errors import UsageError

CATEGORY = re.compile(r"[a-z][a-z_]{0,30}[a-z0-9]")
PLACEHOLDER = r"\[(?:redacted:[a-z][a-z_]{0,30}[a-z0-9]|vault:[a-z][a-z_]{0,30}[a-z0-9]:[a-z]{16,64})\]"
"""What a redaction leaves behind, as a regular expression."""


class Span(NamedTuple):
    """One thing found."""

    start: int
    end: int
    category: str
    confidence: float


def checked_category(name: object) -> str:
    """``name``, when it can stand in a placeholder.

    :raises UsageError: for anything else.
    """
    if not isinstance(name, str) or not CATEGORY.fullmatch(name):
        raise UsageError(
            f"a category is 2 to 32 lower-case letters and underscores (a digit may end it), got {name!r}; "
            "write for example 'employee_id'"
        )
    return name


def placeholder(category: str) -> str:
    """What stands in the place of a value of this category."""
    return f"[redacted:{category}]"


def join(spans: Iterable[Span]) -> list[Span]:
    """Overlapping spans as one, in order. The confidence is the highest of those joined."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end, -one.confidence, one.category)):
        if out and span.start < out[-1].end:
            last = out[-1]
            if span.end > last.end or span.confidence > last.confidence:
                out[-1] = Span(
                    last.start, max(span.end, last.end), last.category, max(span.confidence, last.confidence)
                )
        elif span.end > span.start:
            out.append(span)
    return out


def without(spans: Iterable[Span], holes: Sequence[tuple[int, int]]) -> Iterator[Span]:
    """The parts of each span outside the holes; ``holes`` are in order and do not overlap."""
    if not holes:
        yield from spans
        return
    for span in spans:
        at = span.start
        for start, end in holes:
            if end <= at:
                continue
            if start >= span.end:
                break
            if start > at:
                yield span._replace(start=at, end=start)
            at = end
        if at < span.end:
            yield span._replace(start=at)


def redact(text: str, spans: Iterable[Span], replace: Callable[[Span], str]) -> str:
    """``text`` with every span replaced. The spans are joined ones, in order."""
    parts: list[str] = []
    done = 0
    for span in spans:
        parts += (text[done : span.start], replace(span))
        done = span.end
    parts.append(text[done:])
    return "".join(parts)


def as_findings(spans: Iterable[Span]) -> tuple[Finding, ...]:
    """Joined spans as the findings of a decision: places and kinds, never the values."""
    return tuple(
        Finding(category=span.category, confidence=span.confidence, start=span.start, end=span.end) for span in spans
    )


def counted(spans: Sequence[Span]) -> str:
    """``2 email, 1 iban``: for the log; holds no value."""
    names = [span.category for span in spans]
    return ", ".join(f"{names.count(name)} {name}" for name in sorted(set(names)))

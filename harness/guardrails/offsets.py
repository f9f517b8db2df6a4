"""Where in the original text a place of a redacted text was, so that a later guard's findings keep their meaning.

A guard says which spans it redacted and gives the new text, not what stands where. The text between the spans is
unchanged, so the new text is those pieces in order with something between them. Where the pieces fit in one way only,
every offset can be carried back; where they fit in several, nothing is claimed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from harness.core.decision import Finding


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How a redacted text lies on the text before: kept pieces as (start after, start before, length), in order."""

    kept: tuple[tuple[int, int, int], ...]
    length_before: int

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The span before the redaction that covers ``[start, end)`` after it; a replaced place widens to its span."""
        first, last = 0, self.length_before
        at = bisect_right(self.kept, (start, self.length_before + 1, 0)) - 1
        if at >= 0:
            after, before, length = self.kept[at]
            first = before + min(start - after, length)
        at = bisect_left(self.kept, (end, -1, 0))
        if at > 0:
            after, before, length = self.kept[at - 1]
            if end <= after + length:
                last = before + end - after
            elif at < len(self.kept):
                last = self.kept[at][1]
        elif self.kept:
            last = self.kept[0][1]
        return first, max(first, last)


def align(before: str, after: str, findings: Iterable[Finding]) -> Alignment | None:
    """The alignment of a redaction, or None when it is not certain."""
    spans = sorted((f.start, f.end) for f in findings if f.start is not None and f.end is not None)
    pieces: list[tuple[int, str]] = []
    at = 0
    for start, end in spans:
        if not 0 <= start <= end <= len(before):
            return None
        if start > at:
            pieces.append((at, before[at:start]))
        at = max(at, end)
    head_kept = not spans or spans[0][0] > 0
    tail_kept = at < len(before)
    if tail_kept:
        pieces.append((at, before[at:]))
    if not pieces:
        return Alignment(kept=(), length_before=len(before))
    left = _leftmost(after, [text for _, text in pieces], anchored=head_kept, closed=tail_kept)
    if left is None or left != _rightmost(after, [text for _, text in pieces], anchored=head_kept, closed=tail_kept):
        return None
    kept = tuple((found, start, len(text)) for found, (start, text) in zip(left, pieces, strict=True))
    return Alignment(kept=kept, length_before=len(before))


def _leftmost(text: str, pieces: list[str], *, anchored: bool, closed: bool) -> list[int] | None:
    places, at = [], 0
    for index, piece in enumerate(pieces):
        if closed and index == len(pieces) - 1:
            found = len(text) - len(piece)
            if found < at or not text.endswith(piece):
                return None
        elif anchored and index == 0:
            found = 0 if text.startswith(piece) else -1
        else:
            found = text.find(piece, at)
        if found < 0:
            return None
        places.append(found)
        at = found + len(piece)
    if anchored and places[0] != 0:
        return None
    return places


def _rightmost(text: str, pieces: list[str], *, anchored: bool, closed: bool) -> list[int] | None:
    places, end = [], len(text)
    for index in range(len(pieces) - 1, -1, -1):
        piece = pieces[index]
        if anchored and index == 0:
            found = 0 if len(piece) <= end and text.startswith(piece) else -1
        elif closed and index == len(pieces) - 1:
            found = len(text) - len(piece) if text.endswith(piece) else -1
        else:
            found = text.rfind(piece, 0, end)
        if found < 0:
            return None
        places.append(found)
        end = found
    return places[::-1]


def carried_back(findings: Iterable[Finding], done: list[Alignment | None]) -> tuple[Finding, ...]:
    """Findings in the last text as findings in the first one; without offsets where those are not certain."""
    out = []
    for finding in findings:
        start, end = finding.start, finding.end
        for alignment in reversed(done):
            if start is None or end is None:
                break
            if alignment is None:
                start = end = None
            else:
                start, end = alignment.back(start, end)
        known = start is not None and end is not None
        out.append(
            Finding(
                category=finding.category,
                confidence=finding.confidence,
                start=start if known else None,
                end=end if known else None,
            )
        )
    return tuple(out)

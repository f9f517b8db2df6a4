"""Stream: redaction of a text that arrives in pieces; what comes out is what redacting the whole would give.

It rests on one promise of the finders: whether there is something at a place depends on at most ``LEFT`` signs before
and ``reach`` signs behind it (signs of the view). Then a place is *settled* when as many signs have followed it, or
earlier, at a space in plain prose: behind a word, in front of a word, with no digit or escape for ``quiet`` signs.

Kept back until the end: what may still be JSON, or one address as a whole, because those are judged as a whole.
With patterns that are matched line by line only whole lines are released.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from harness.core.decision import Finding
from harness.core.errors import HarnessError
from harness.guardrails.spans import Span, as_findings, join
from harness.guardrails.spans.view import View

LEFT = 640
_STEP = 512
_UNDECIDED = 640
# In prose these are no part of anything that is looked for and no escape that could become one.
_NOISY = re.compile(
    r"[^A-Za-z\s,.;:!?'\"()\[\]{}<>@#*_/=$|~^`+\u00c0-\u02ff\u0370-\u1fff\u2013\u2014\u2018-\u201d\u2026-]|\d"
)
_GAP = re.compile(r"(?<=[A-Za-z,.;:!?'\"\u00c0-\u024f\u2019\u201d])[ \n](?=[A-Za-z\u00c0-\u024f])")


class StreamBroken(HarnessError):
    """A stream could not be judged any further; nothing more of it is released."""


class Finder(Protocol):
    """What a stream asks its guard."""

    @property
    def reach(self) -> int:
        """How many signs behind a place may decide what stands there."""
        ...

    @property
    def quiet(self) -> int:
        """How many signs without a digit or an escape end whatever could go on over a space; 0: no space is in it."""
        ...

    @property
    def line_by_line(self) -> bool:
        """Whether only whole lines may be released."""
        ...

    def in_view(self, view: View) -> list[Span]:
        """All that is found, in places of the view; need not be joined."""
        ...

    def judged_whole(self, start: str) -> bool:
        """Whether a text that begins like this may have to be judged as a whole."""
        ...

    def open_at(self, pending: str) -> bool:
        """Whether something may have begun in plain prose that a space does not end."""
        ...

    def plain(self, text: str, before: str) -> bool:
        """Whether it is certain, at a glance, that nothing begins in this text, after that one."""
        ...

    def redacted(self, text: str) -> tuple[str, list[Span]]:
        """A whole text redacted, and the joined spans of it."""
        ...

    def replaced(self, span: Span, value: str) -> str:
        """What stands in the place of a value in plain text."""
        ...


class RedactionStream:
    """``feed`` pieces, write what comes back; ``finish`` gives the rest. Not to be shared between threads."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._parts: list[str] = []
        self._new = 0
        self._buffer = ""
        self._done = 0
        self._base = 0
        self._wait = 0
        self._whole: bool | None = None
        self._broken = ""
        self._ended = False
        self._spans: list[Span] = []

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found so far; the places are those of the whole stream."""
        return as_findings(self._spans)

    def feed(self, chunk: str) -> str:
        """Take a piece; give back what is settled (may be empty).

        :raises StreamBroken: something could not be judged, now or earlier.
        """
        self._check_open()
        if not chunk:
            return ""
        self._parts.append(chunk)
        self._new += len(chunk)
        if self._whole:
            return ""
        if self._whole is None:
            start = self._gathered()
            if self._finder.judged_whole(start):
                # Once it is longer than any address it can only be JSON, and nothing but the end decides that.
                self._whole = True if len(start) > _UNDECIDED else None
                return ""
            self._whole = False
        elif self._new < self._wait or not (
            self._new >= max(_STEP, self._finder.reach // 4) or _has_gap(chunk, self._parts)
        ):
            return ""
        return self._guarded(self._advance, False)

    def finish(self) -> str:
        """The rest. The stream is over then.

        :raises StreamBroken: something could not be judged.
        """
        self._check_open()
        self._ended = True
        if self._whole is False:
            return self._guarded(self._advance, True)
        return self._guarded(self._judge_whole)

    def _check_open(self) -> None:
        if self._broken:
            raise StreamBroken(f"the stream was broken before ({self._broken}); start a new one with guard.stream()")
        if self._ended:
            raise StreamBroken("the stream is finished; start a new one with guard.stream()")

    def _guarded(self, work: Callable[..., str], *arguments: bool) -> str:
        try:
            return work(*arguments)
        except Exception as error:  # noqa: BLE001 - fails closed
            # Without its cause: the message of that could hold what was looked for.
            self._broken = type(error).__name__
        raise StreamBroken(f"the stream could not be judged ({self._broken}); nothing more is released")

    def _gathered(self) -> str:
        self._parts = ["".join(self._parts)]
        return self._parts[0]

    def _judge_whole(self) -> str:
        text, self._spans = self._finder.redacted(self._gathered())
        return text

    def _advance(self, last: bool) -> str:
        text = self._buffer + "".join(self._parts)
        self._parts, self._new, self._buffer = [], 0, text
        gap = len(text) if last else self._gap(text)
        if gap <= self._done and len(text) - self._done <= self._finder.reach and not last:
            self._wait = 0
            return ""
        if gap > self._done and not last and self._finder.plain(text[self._done : gap], text[: self._done]):
            # Nearly all of what models say; looking closer would cost a hundred times as much.
            out = text[self._done : gap]
            self._done = gap
            if gap > 4 * LEFT:
                self._forget(View(text), gap)
            return out
        view = View(text)
        cut = max(gap, self._far(view))
        if cut <= self._done and not last:
            self._wait = len(text)
            return ""
        found = []
        for span in self._finder.in_view(view):
            start, end = view.origin(span.start, span.end)
            if start >= self._done:
                found.append(span._replace(start=start, end=end))
        parts: list[str] = []
        at = self._done
        for span in join(found):
            if span.start >= cut:
                break
            if span.end > cut and not last:
                cut = span.start
                break
            parts += (text[at : span.start], self._finder.replaced(span, text[span.start : span.end]))
            at = span.end
            self._spans.append(span._replace(start=span.start + self._base, end=span.end + self._base))
        parts.append(text[at:cut])
        # Where nothing but the distance releases, look again when it is worth it.
        self._wait = len(text) if cut <= self._done else 0 if gap == cut else max(_STEP, self._finder.reach // 4)
        self._forget(view, cut)
        return "".join(parts)

    def _gap(self, text: str) -> int:
        """The last space in plain prose before which nothing can change any more; the last place released if none."""
        for gap in reversed(list(_GAP.finditer(text, self._done))[-8:]):
            at = gap.start()
            if self._finder.line_by_line and text[at] != "\n":
                continue
            pending = text[min(self._done, max(0, at - 400)) : at]
            if not _NOISY.search(text, max(0, at - self._finder.quiet), at) and not self._finder.open_at(pending):
                return at
        return self._done

    def _far(self, view: View) -> int:
        """The last place that enough signs have followed."""
        far = len(view.text) - self._finder.reach
        if far > 0 and self._finder.line_by_line:
            far = view.text.rfind("\n", 0, far)
        return view.origin(far - 1, far)[1] if far > 0 else 0

    def _forget(self, view: View, cut: int) -> None:
        """Keep what the next places may look back at."""
        text = self._buffer
        keep = max(0, cut - LEFT)
        if len(view.text) != len(text):
            # Count signs of the view: escapes are longer than what they mean.
            low, high = 0, len(view.text)
            while low < high:
                middle = (low + high) // 2
                if view.origin(middle, middle + 1)[0] < cut:
                    low = middle + 1
                else:
                    high = middle
            first = max(0, low - LEFT)
            keep = view.origin(first, first + 1)[0] if view.text else 0
        self._base += keep
        self._buffer = text[keep:]
        self._done = cut - keep


def _has_gap(chunk: str, parts: list[str]) -> bool:
    if " " in chunk or "\n" in chunk:
        return True
    return len(parts) > 1 and parts[-2][-1:] in " \n"

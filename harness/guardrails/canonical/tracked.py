"""Tracked: a text that knows, for every character, which characters of the original it came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Tracked:
    """A rewritten text and its way back.

    ``starts[i]`` and ``ends[i]`` bound the original characters behind character ``i``; None stands for the identity.
    """

    text: str
    starts: NDArray[Any] | None = None
    ends: NDArray[Any] | None = None

    def cover(self, start: int, end: int) -> tuple[int, int]:
        """The smallest stretch of the original that holds everything behind ``text[start:end]`` (not empty)."""
        if self.starts is None or self.ends is None:
            return start, end
        return int(self.starts[start:end].min()), int(self.ends[start:end].max())

    def renamed(self, text: str) -> Tracked:
        """The same characters written differently, one for one."""
        if len(text) != len(self.text):
            raise ValueError(f"renamed needs {len(self.text)} characters, got {len(text)}")
        return Tracked(text, self.starts, self.ends)

    def reversed(self) -> Tracked:
        """Read from the end."""
        starts, ends = self._arrays()
        return Tracked(self.text[::-1], starts[::-1], ends[::-1])

    def expanded(self, text: str, lengths: NDArray[Any]) -> Tracked:
        """``text`` made of ``self.text`` by giving each character the stated number of characters, 0 to drop it."""
        import numpy as np

        starts, ends = self._arrays()
        return Tracked(text, np.repeat(starts, lengths), np.repeat(ends, lengths))

    def replaced(self, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> Tracked:
        """Like ``pattern.sub(new, text)``; new characters come from the whole match, spread evenly over it."""
        return self.rewritten((match.start(), match.end(), new(match)) for match in pattern.finditer(self.text))

    def rewritten(self, changes: Iterable[tuple[int, int, str]]) -> Tracked:
        """Each (start, end, new text), ascending and apart, put in place; the same text back when nothing changed."""
        import numpy as np

        text = self.text
        pieces: list[str] = []
        starts_of: list[int] = []
        ends_of: list[int] = []
        lengths: list[int] = []
        at = 0
        for start, end, new in changes:
            if text[start:end] == new:
                continue
            pieces += (text[at:start], new)
            starts_of += (at, start)
            ends_of += (start, end)
            lengths += (start - at, len(new))
            at = end
        if not pieces:
            return self
        pieces.append(text[at:])
        starts_of.append(at)
        ends_of.append(len(text))
        lengths.append(len(text) - at)
        new_length = np.array(lengths, dtype=np.int64)
        old_start, old_end = np.array(starts_of, dtype=np.int64), np.array(ends_of, dtype=np.int64)
        within = np.arange(int(new_length.sum()), dtype=np.int64) - np.repeat(
            np.cumsum(new_length) - new_length, new_length
        )
        old_length, count = np.repeat(old_end - old_start, new_length), np.repeat(new_length, new_length)
        base = np.repeat(old_start, new_length)
        first = base + within * old_length // count
        last = base + -(-(within + 1) * old_length // count)
        # A replacement longer than what it replaced still stands for at least one character.
        first = np.minimum(first, last - 1)
        starts, ends = self._arrays()
        return Tracked("".join(pieces), starts[first], ends[last - 1])

    def part(self, start: int, end: int, text: str) -> Tracked:
        """Another text that was hidden in ``self.text[start:end]``: all of it comes from all of that."""
        import numpy as np

        first, last = self.cover(start, end)
        return Tracked(text, np.full(len(text), first), np.full(len(text), last))

    def _arrays(self) -> tuple[NDArray[Any], NDArray[Any]]:
        import numpy as np

        if self.starts is None or self.ends is None:
            starts = np.arange(len(self.text), dtype=np.int64)
            return starts, starts + 1
        return self.starts, self.ends

"""PiiGuard: finds personal data by its shape and takes it out; names and postal addresses need a model (Presidio).

One more pattern or category finds what fewer do, and more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.core.errors import UsageError
from harness.guardrails.pii import iban
from harness.guardrails.pii.custom import CustomPatterns
from harness.guardrails.pii.finding import CATEGORIES, find, judged_whole, whole_values
from harness.guardrails.spans import Span
from harness.guardrails.spans.redacting import RedactingGuard
from harness.guardrails.spans.view import masked

_TRIGGER = re.compile(r"[^A-Za-z\s,.;!?'\"\u2018-\u201d\u2013\u2014\u2026\u00c0-\u024f-]")

_BEGUN = re.compile(r"(?=([A-Za-z]{2})[ .-]?[0-9]|([A-Za-z])[ ][A-Za-z][ .-]?[0-9])")


@dataclass(frozen=True, kw_only=True)
class PiiGuard(RedactingGuard):
    """Redacts (or blocks) personal data. Thread-safe; fails closed.

    >>> PiiGuard().redact("Write to jane@example.com")
    'Write to [redacted:email]'
    """

    categories: tuple[str, ...] = CATEGORIES
    """What to look for, of ``ssn``, ``credit_card``, ``email``, ``ipv4``, ``ipv6``, ``iban``, ``phone``."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """More categories, each with a regular expression of its own, matched line by line with confidence 1."""
    pattern_timeout_s: float = 0.5
    """Seconds the custom patterns may take for one text; longer blocks with a fault."""
    name: str = "pii"
    version: str = "1"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises UsageError: for an unknown category or action, a threshold outside [0, 1], a pattern that is none.
        """
        super().__post_init__()
        unknown = [one for one in self.categories if one not in CATEGORIES]
        if unknown:
            raise UsageError(f"no category {unknown[0]!r}; there are {', '.join(CATEGORIES)}; your own go in patterns=")
        taken = [one for one in self.patterns if one in CATEGORIES]
        if taken:
            raise UsageError(f"{taken[0]!r} is a category of the guard's own; give your pattern another name")
        _ = self._custom

    @cached_property
    def _custom(self) -> CustomPatterns | None:
        return CustomPatterns(self.patterns, timeout_s=self.pattern_timeout_s) if self.patterns else None

    @property
    def line_by_line(self) -> bool:  # type: ignore[override]
        """Whether a stream may only be released in whole lines: with custom patterns."""
        return self._custom is not None

    def found(self, text: str) -> list[Span]:
        """All that is found in the text of a view, however unsure."""
        found = find(text, self.categories)
        own = self._custom.find(text) if self._custom is not None else []
        if not own:
            return found
        # Also as it looks once the custom values are out, so that a second redaction finds nothing new.
        return [*found, *find(masked(text, own), self.categories), *own]

    def found_whole(self, text: str, as_json: bool, found: Sequence[Span]) -> list[Span]:
        """Addresses in forms that nobody writes in a sentence."""
        if "email" not in self.categories:
            return []
        return list(whole_values(text, as_json, [one for one in found if one.category == "email"]))

    def plain(self, text: str, before: str) -> bool:
        """Every shape has a digit, a colon, an ``@`` or a bracket in it."""
        return self._custom is None and _TRIGGER.search(text) is None

    def open_at(self, pending: str) -> bool:
        """Only a bank account goes on from word to word, and only where one has begun."""
        return any((match[1] or "").upper() in iban.LENGTHS or match[2] for match in _BEGUN.finditer(pending[-90:]))

    def judged_whole(self, start: str) -> bool:
        """Whether a text that begins like this may have to be judged as a whole."""
        return judged_whole(start, self.categories)

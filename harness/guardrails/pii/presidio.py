"""PresidioGuard: Microsoft Presidio behind the same door, for names, places and whatever else needs a model.

An adapter, not the default: it needs a language model of several hundred megabytes, is far slower, and misses numbers
that :class:`harness.guardrails.pii.PiiGuard` finds. Put it behind that one. Presidio judges a text as a whole, so a
stream of it is released at its end.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Any

from harness.core.errors import MissingDependency, UsageError
from harness.guardrails.spans import CATEGORY, Span
from harness.guardrails.spans.redacting import RedactingGuard


@dataclass(frozen=True, kw_only=True)
class PresidioGuard(RedactingGuard):
    """Redacts what a Presidio analyzer finds. As thread-safe as the analyzer is; fails closed."""

    analyzer: Any = None
    """A ``presidio_analyzer.AnalyzerEngine``, or anything whose ``analyze(text=, language=, entities=)`` gives results
    with ``start``, ``end``, ``entity_type``, ``score``. None: made of Presidio's defaults when first needed."""
    entities: tuple[str, ...] = ()
    """What to look for, in Presidio's words (``PERSON``, ``LOCATION``); empty: all that the analyzer knows."""
    language: str = "en"
    name: str = "presidio"
    version: str = "1"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises UsageError: the analyzer cannot analyze.
        """
        super().__post_init__()
        if self.analyzer is not None and not callable(getattr(self.analyzer, "analyze", None)):
            raise UsageError(f"analyzer has no analyze(): {type(self.analyzer).__name__}; give an AnalyzerEngine")

    def found(self, text: str) -> list[Span]:
        """All that the analyzer finds.

        :raises MissingDependency: Presidio is not installed and no analyzer was given.
        """
        results = self._engine().analyze(text=text, language=self.language, entities=list(self.entities) or None)
        return [Span(one.start, one.end, _category(one.entity_type), float(one.score)) for one in results]

    def judged_whole(self, start: str) -> bool:
        """Always: a model may need all of it."""
        return True

    def _engine(self) -> Any:
        if self.analyzer is None:
            try:
                engine = importlib.import_module("presidio_analyzer").AnalyzerEngine
            except ImportError as error:
                raise MissingDependency("presidio_analyzer", extra="presidio", purpose="the Presidio guard") from error
            object.__setattr__(self, "analyzer", engine())
        return self.analyzer


def _category(entity: str) -> str:
    name = re.sub(r"[^a-z]+", "_", str(entity).lower()).strip("_")[:32]
    return name if CATEGORY.fullmatch(name) else "personal_data"

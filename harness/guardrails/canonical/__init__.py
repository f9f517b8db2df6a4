"""Canonical text: every reading of a text that a model, or a person, could make of it, with offsets into the original.

The words:

- *reading*: one canonical form of the text (lower case, no invisible characters, look-alikes as plain letters).
- *tracked*: a text whose every character knows which characters of the original it came from.
- *depth*: how often a text was decoded to get this reading; decoding stops at a stated depth.
"""

from __future__ import annotations

from harness.guardrails.canonical.readings import Reading, Readings, readings
from harness.guardrails.canonical.tracked import Tracked

__all__ = ["Reading", "Readings", "Tracked", "readings"]

"""PresidioGuard: another engine's findings, the same decisions, JSON and faults."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass

import pytest

from harness.core.decision import Event
from harness.core.errors import UsageError
from harness.guardrails.pii.presidio import PresidioGuard


@dataclass
class Result:
    start: int
    end: int
    entity_type: str
    score: float


class Names:
    """A small analyzer of Presidio's shape that knows two names."""

    def analyze(self, *, text: str, language: str, entities: list[str] | None) -> list[Result]:
        return [Result(m.start(), m.end(), "PERSON", 0.85) for m in re.finditer("Jane|Miller", text)]


class Broken:
    def analyze(self, **_: object) -> list[Result]:
        raise RuntimeError("about Jane")


def test_what_the_analyzer_finds_is_redacted_in_text_json_and_streams() -> None:
    guard = PresidioGuard(analyzer=Names())
    assert guard.redact("Jane \u200bMil\u200bler called") == "[redacted:person] \u200b[redacted:person] called"
    assert json.loads(guard.redact('{"Jane": ["Miller"]}')) == {"[redacted:person]": ["[redacted:person]"]}
    stream = guard.stream()
    assert stream.feed("Ja") + stream.feed("ne is here and ") + stream.finish() == "[redacted:person] is here and "


def test_a_low_score_is_let_through() -> None:
    assert PresidioGuard(analyzer=Names(), threshold=0.9).redact("Jane") == "Jane"


def test_an_analyzer_that_breaks_blocks_with_a_fault_that_does_not_say_what_it_read() -> None:
    decision = PresidioGuard(analyzer=Broken()).check(Event(kind="output", text="Jane"))
    assert (decision.action, decision.fault) == ("block", "crash: RuntimeError")


@pytest.mark.skipif(importlib.util.find_spec("presidio_analyzer") is not None, reason="Presidio is installed here")
def test_without_presidio_the_guard_blocks_with_a_fault() -> None:
    assert PresidioGuard().check(Event(kind="output", text="Jane")).fault == "crash: MissingDependency"


def test_something_that_cannot_analyze_is_refused() -> None:
    with pytest.raises(UsageError, match="AnalyzerEngine"):
        PresidioGuard(analyzer=object())

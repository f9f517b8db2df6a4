"""What authors of guards are given: a check that notices each broken promise."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from harness.core.decision import Decision, Event, Finding
from harness.testing import check_guardrail, decide


class Good:
    """Redacts the word "secret"."""

    name = "good"

    def check(self, event: Event) -> Decision:
        at = event.text.find("secret99")
        if at < 0:
            return Decision(action="allow", guard=self.name)
        found = (Finding(category="word", start=at, end=at + 8),)
        text = event.text.replace("secret99", "[gone]")
        return Decision(action="redact", guard=self.name, findings=found, text=text)


COUNT = itertools.count()


def broken(**parts: Any) -> Any:
    """A guard that answers with these parts, whatever it is asked."""

    def check(self: Any, event: Event) -> Decision:
        return Decision(**{"action": "allow", "guard": "broken", **parts})

    return type("Broken", (), {"name": "broken", "check": check})()


def doing(check: Any) -> Any:
    return type("Broken", (), {"name": "broken", "check": lambda self, event: check(event)})()


def test_a_good_guard_passes_sync_and_async() -> None:
    class Later(Good):
        async def check(self, event: Event) -> Decision:  # type: ignore[override]
            return super().check(event)

    for guard in (Good(), Later()):
        check_guardrail(guard, attacks=["my secret99"], benign=["hello"])
        assert decide(guard, Event(kind="input", text="secret99")).text == "[gone]"


def _counts(event: Event) -> Decision:
    return Decision(action="allow", guard="broken", reason=str(next(COUNT)))


def _crashes(event: Event) -> Decision:
    raise KeyError(event.text[:1])


def _changes(event: Event) -> Decision:
    event.data["seen"] = True  # type: ignore[index]
    return Decision(action="allow", guard="broken")


def _tells(event: Event) -> Decision:
    found = (Finding(category="x", start=0, end=len(event.text)),)
    return Decision(action="block", guard="broken", reason=f"found {event.text[:10_000]}", findings=found)


def _grows(event: Event) -> Decision:
    return Decision(action="redact", guard="broken", text=event.text[:50] + "!")


@pytest.mark.parametrize(
    ("guard", "says"),
    [
        (broken(guard="other"), "signed 'other'"),
        (broken(action="pass"), "unknown action"),
        (broken(fault="half"), "a guard that broke must block"),
        (broken(action="redact"), "must give the redacted text"),
        (broken(reason="x" * 30_000), "bound it"),
        (broken(findings=(Finding(category="x", confidence=1.2),)), "not in \\[0, 1\\]"),
        (broken(findings=(Finding(category="x", start=0),)), "both offsets or none"),
        (broken(findings=(Finding(category="x", start=0, end=10**9),)), "lies outside"),
        (doing(lambda event: None), "must return a Decision, got NoneType"),
        (doing(_counts), "gave two decisions"),
        (doing(_crashes), "raised KeyError"),
        (doing(_changes), "the event was changed"),
        (doing(_tells), "stands in its reason"),
        (doing(_grows), "redacting the redacted text again"),
        (type("Nameless", (), {"check": Good.check})(), "must be a text"),
    ],
)
def test_every_broken_promise_is_named(guard: Any, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_guardrail(guard, benign=["a perfectly ordinary question"])


def test_an_attack_that_passes_a_benign_event_that_does_not_and_a_broken_guard_are_told_apart() -> None:
    with pytest.raises(AssertionError, match="lets the attack 'hello' pass"):
        check_guardrail(Good(), attacks=["hello"])
    with pytest.raises(AssertionError, match="does not let 'a secret99' pass"):
        check_guardrail(Good(), benign=["a secret99"])
    with pytest.raises(AssertionError, match="that is no detection"):
        check_guardrail(broken(action="block", fault="down"), attacks=["hello"])

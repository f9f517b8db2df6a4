"""The guard: judges outputs against ``event.data["context"]``, offline by default, by a plugged-in judge on request."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.groundedness.scorer import Groundedness, groundedness

Judge: TypeAlias = Callable[[str, Sequence[str]], float | Awaitable[float | None] | None]
"""(answer, passages) to a score in [0, 1], or None where it cannot judge."""


class GroundednessGuard:
    """Flags an output whose groundedness is below ``threshold``.

    The context is a text, a list of texts, or a list of mappings with a ``text`` or ``content``. Other kinds of events
    pass. An answer without a word passes: it claims nothing.

    :param threshold: in [0, 1]; scores below it are flagged.
    :param action: ``escalate`` for a person's review; ``block``; or ``redact``, which takes out the sentences that are
        not grounded and blocks where no sentence is left.
    :param judge: asked instead of the offline scorer, sync or async; an async judge makes :meth:`check` return an
        awaitable. The offline scorer still names the sentences. A judge that cannot judge or raises is a fault.
    :param require_context: whether an output without context is a fault; otherwise it passes, unjudged.
    :param timeout_s: how long an async judge may take.
    :raises UsageError: for a value out of range.
    """

    version = "1"

    def __init__(
        self,
        *,
        threshold: float = 0.7,
        action: Literal["escalate", "block", "redact"] = "escalate",
        judge: Judge | None = None,
        require_context: bool = False,
        timeout_s: float = 30.0,
        name: str = "groundedness",
    ) -> None:
        if not 0 <= threshold <= 1:
            raise UsageError(f"threshold must lie in [0, 1], got {threshold!r}")
        if action not in ("escalate", "block", "redact"):
            raise UsageError(f"action must be escalate, block or redact, got {action!r}")
        if not timeout_s > 0:
            raise UsageError(f"timeout_s must be above 0, got {timeout_s!r}")
        self.name = name
        self.threshold = threshold
        self.action = action
        self.judge = judge
        self.require_context = require_context
        self.timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"GroundednessGuard(threshold={self.threshold}, action={self.action!r}, judge={self.judge is not None})"

    def check(self, event: Event) -> Decision | Awaitable[Decision]:
        """Judge one event. See the class for what is allowed."""
        if event.kind != "output":
            return Decision(action="allow", guard=self.name)
        passages = _passages(event.data.get("context"))
        if passages is None:
            return _broken(self.name, "the context is neither text nor a list of texts")
        if not passages:
            if self.require_context:
                return _broken(self.name, "no context to judge the answer against")
            return Decision(action="allow", guard=self.name, reason="not judged: no context")
        found = groundedness(event.text, passages)
        if not found.claims:
            if any(map(str.isalnum, event.text)):
                return _broken(self.name, "the context holds no words")
            return Decision(action="allow", guard=self.name, reason="not judged: the answer holds no words")
        if self.judge is None:
            return self._decide(event.text, passages, found, found.score)
        try:
            given = self.judge(event.text, passages)
        except Exception:  # noqa: BLE001 - a judge is the user's code; whatever it raises, the guard fails closed
            return _broken(self.name, "the judge raised")
        if inspect.isawaitable(given):
            return self._await(event.text, passages, found, given)
        return self._decide(event.text, passages, found, given)

    async def _await(
        self, text: str, passages: list[str], found: Groundedness, given: Awaitable[float | None]
    ) -> Decision:
        try:
            async with asyncio.timeout(self.timeout_s):
                score = await given
        except TimeoutError:
            return _broken(self.name, "the judge timed out")
        except Exception:  # noqa: BLE001 - as above
            return _broken(self.name, "the judge raised")
        return self._decide(text, passages, found, score)

    def _decide(self, text: str, passages: list[str], found: Groundedness, score: Any) -> Decision:
        if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
            return _broken(self.name, "the judge gave no score")
        if not 0 <= score <= 1:
            return _broken(self.name, "the judge's score lies outside [0, 1]")
        reason = f"groundedness {score:.2f}, flagged below {self.threshold:.2f}"
        if score >= self.threshold:
            return Decision(action="allow", guard=self.name, reason=reason)
        bad = [claim for claim in found.claims if claim.contradicts or claim.score < self.threshold]
        findings = tuple(
            Finding(
                category=f"contradicts_{claim.contradicts}" if claim.contradicts else "ungrounded",
                confidence=1.0 - claim.score if not claim.contradicts else max(0.7, 1.0 - claim.score),
                start=claim.start,
                end=claim.end,
            )
            for claim in bad
        ) or (Finding(category="ungrounded", confidence=1.0 - score),)
        if self.action != "redact":
            return Decision(action=self.action, guard=self.name, reason=reason, findings=findings)
        kept = _without(text, [(claim.start, claim.end) for claim in bad])
        left = groundedness(kept, passages).score
        # What is left must pass by itself, so that redacting twice is redacting once.
        if not bad or left is None or left < self.threshold:
            return Decision(action="block", guard=self.name, reason=reason, findings=findings)
        return Decision(action="redact", guard=self.name, reason=reason, findings=findings, text=kept)


def _broken(guard: str, fault: str) -> Decision:
    return Decision(action="block", guard=guard, reason="the guard could not decide", fault=fault)


def _passages(context: Any) -> list[str] | None:
    """The context as texts; [] for none, None for something that is no context."""
    if context is None or context == "" or context == ():
        return []
    if isinstance(context, str):
        return [context]
    if not isinstance(context, Sequence):
        return None
    out = []
    for item in context:
        if isinstance(item, Mapping):
            item = item.get("text") or item.get("content")
        if not isinstance(item, str):
            return None
        out.append(item)
    return out


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    kept, at = [], 0
    for start, end in spans:
        kept.append(text[at:start])
        at = end
    kept.append(text[at:])
    return "".join(kept).strip()

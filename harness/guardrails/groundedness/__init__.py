"""Groundedness: an output guard that flags answers which say more, or other, than the retrieved context says.

>>> from harness.core.decision import Event
>>> guard = GroundednessGuard()
>>> context = "Orders can be returned within 30 days. Shipping takes 3 days."
>>> guard.check(Event(kind="output", text="Orders can be returned within 30 days.", data={"context": context})).action
'allow'
>>> guard.check(Event(kind="output", text="Orders can be returned within 90 days.", data={"context": context})).action
'escalate'
"""

from __future__ import annotations

from harness.guardrails.groundedness.guard import GroundednessGuard
from harness.guardrails.groundedness.judge import ModelJudge
from harness.guardrails.groundedness.scorer import Claim, Groundedness, groundedness

__all__ = ["Claim", "Groundedness", "GroundednessGuard", "ModelJudge", "groundedness"]

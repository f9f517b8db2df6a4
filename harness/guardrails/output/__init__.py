"""Output: what an agent must not say, whether true or not: advice, competitors, topics, tone.

>>> from harness.core.decision import Event
>>> guard = OutputGuard(competitors=("Globex",))
>>> guard.check(Event(kind="output", text="A share is a part of a company.")).action
'allow'
>>> guard.check(Event(kind="output", text="You should put all your savings into Bitcoin.")).action
'escalate'
>>> guard.check(Event(kind="output", text="We ship today. Globex is cheaper, by the way.")).text
'We ship today. [removed]'
"""

from __future__ import annotations

from harness.guardrails.output.guard import OutputGuard
from harness.guardrails.output.topics import TOPICS

__all__ = ["TOPICS", "OutputGuard"]

"""How a rule says its verdict: every rule names itself, its scope and whether it only advises in the same way."""

from __future__ import annotations

from typing import Protocol

from harness.core.verdict import Answer, Verdict


class _Scoped(Protocol):
    """What every rule has."""

    @property
    def name(self) -> str: ...

    @property
    def suite(self) -> str: ...

    @property
    def area(self) -> str: ...

    @property
    def advisory(self) -> bool: ...


class Says:
    """Gives a rule its ``_say``."""

    def _say(self: _Scoped, answer: Answer, reason: str, needs: str = "", *, missing: bool = False) -> Verdict:
        """The rule's verdict.

        :param needs: what would settle an inconclusive one.
        :param missing: whether it is inconclusive for want of a baseline.
        """
        return Verdict(
            rule=self.name,
            answer=answer,
            reason=reason,
            suite=self.suite,
            area=self.area,
            needs=needs,
            advisory=self.advisory,
            baseline_missing=missing,
        )

"""Thinking budgets: consumption by class, one escalation at the first crossing, ceilings that hold."""

from __future__ import annotations

from decimal import Decimal

import pytest

from harness.core.case import Case
from harness.core.record import Trial
from harness.core.trajectory import ModelCall, Trajectory
from harness.core.usage import Usage
from harness.evaluators import ExactMatch
from harness.rewards import ThinkingBudget, ThinkingLedger


class Thinks:
    """Spends the thinking tokens that stand in the case, and answers rightly or not."""

    name = "thinks as written"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """One model call per entry."""
        calls = []
        for tokens in case.metadata["thinking"]:
            usage = Usage(input_tokens=20, output_tokens=tokens + 10, thinking_tokens=tokens)
            calls.append(ModelCall(model="written", usage=usage, cost_usd=Decimal(0)))
        answer = "right" if case.expected.custom["right"] else "wrong"
        return Trajectory.from_answer(answer, user=case.text, model_calls=tuple(calls))


@pytest.mark.golden("thinking", area="rewards", agent=Thinks(), evaluators=[], faults=["do_nothing"])
def test_thinking(case: Case, trajectory: Trajectory) -> None:
    """The evaluator and the ledger say what the label says."""
    wanted = case.expected.custom
    score = ThinkingBudget().evaluate(trajectory, case)
    assert score.passed is wanted["within"]
    assert score.evidence["thinking"]["class"] == wanted["complexity"]
    assert score.evidence["thinking"]["wasted"] == wanted["wasted"]
    with ThinkingLedger() as ledger:
        ledger.open_task(case.id, wanted["complexity"])
        debits = [ledger.debit(case.id, tokens) for tokens in case.metadata["thinking"]]
        found = ledger.consumption(case.id)
    assert (found.total, found.refused) == (wanted["booked"], wanted["refused"])
    crossed = [index for index, debit in enumerate(debits) if debit.escalated]
    assert crossed == ([] if wanted["escalates_at"] is None else [wanted["escalates_at"]])


@pytest.mark.golden(
    "thinking",
    area="rewards",
    agent=Thinks(),
    evaluators=[ExactMatch(), ThinkingBudget(limit=False)],
    observe=True,
)
def test_accuracy(case: Case, trajectory: Trajectory) -> None:
    """Accuracy against thinking spent, for the scorecard; the answers are written, so nothing gates here."""

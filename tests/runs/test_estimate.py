"""What a run will cost, told before it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.usage import Usage
from harness.runs.estimate import Assumptions, estimate_run
from harness.runs.prices import PriceTable, PriceUnknown

PRICES = PriceTable.load({"m": {"input": 1, "output": 2}})
CASES = [Case(id=f"c{number}", input="x" * 400) for number in range(10)]


def test_without_history_the_arithmetic_is_that_of_the_assumptions() -> None:
    assumed = Assumptions(calls_per_trial=(1, 2, 3), system_tokens=(0, 0, 0), output_tokens_per_call=(10, 10, 10))
    got = estimate_run(CASES, trials=3, model="m", prices=PRICES, assumptions=assumed)
    # 400 characters and 4 for the fields around them: 103 tokens; the second call sends 113, the third 123.
    call = [Decimal(tokens * 1 + 10 * 2) / 1_000_000 for tokens in (103, 113, 123)]
    assert (got.low_usd, got.likely_usd, got.high_usd) == tuple(sum(call[:n]) * 30 for n in (1, 2, 3))
    assert got.trials == 30
    assert "no history" in got.basis


def test_history_of_equal_trials_is_believed_exactly() -> None:
    history = {f"c{number}": [Usage(input_tokens=1000, output_tokens=500)] for number in range(10)}
    got = estimate_run(CASES, trials=2, model="m", prices=PRICES, history=history)
    assert got.low_usd == got.likely_usd == got.high_usd == Decimal("0.04")
    assert got.basis == "10 recorded trials; 10 of 10 cases were seen before"


def test_a_case_that_was_not_seen_costs_the_mean_of_the_others_and_spread_widens_the_range() -> None:
    history = {"c0": [Usage(input_tokens=1000)], "c1": [Usage(input_tokens=3000)]}
    got = estimate_run(CASES[:3], trials=1, model="m", prices=PRICES, history=history)
    assert got.likely_usd == Decimal("0.006")
    assert Decimal(0) <= got.low_usd < got.likely_usd < got.high_usd


def test_an_unknown_price_is_an_error_and_not_a_free_run() -> None:
    with pytest.raises(PriceUnknown):
        estimate_run(CASES, trials=1, model="nobody-knows-1", prices=PRICES)


def test_no_trials_are_refused() -> None:
    with pytest.raises(UsageError, match="got 0"):
        estimate_run(CASES, trials=0, model="m", prices=PRICES)

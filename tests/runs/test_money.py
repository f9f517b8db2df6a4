"""The money cap: exact, never passed, whatever happens in whichever worker."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from harness.core.errors import BudgetExhausted, UsageError
from harness.runs.money import UNIT, Budget, Reservation

CENTS = st.integers(0, 40).map(lambda cents: Decimal(cents) / 100)


class BudgetMachine(RuleBasedStateMachine):
    """Any order of reserving, settling and releasing, against sums kept by hand."""

    reservations = Bundle("reservations")

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(None, cap_usd=Decimal(1))
        self.spent = Decimal(0)
        self.held: dict[int, Decimal] = {}
        self.refused = False

    @rule(target=reservations, amount=CENTS)
    def reserve(self, amount: Decimal) -> Reservation | None:
        try:
            made = self.budget.try_reserve(amount)
        except BudgetExhausted:
            assert self.refused or self.spent + amount > 1
            self.refused = True
            return None
        assert not self.refused
        if made is None:
            assert self.spent + sum(self.held.values()) + amount > 1
        else:
            self.held[made.id] = amount
        return made

    @rule(reservation=consumes(reservations), share=st.sampled_from([0, 0.3, 1, None]))
    def settle(self, reservation: Reservation | None, share: float | None) -> None:
        if reservation is not None:
            held = self.held.pop(reservation.id)
            actual = None if share is None else held * Decimal(str(share))
            self.budget.settle(reservation, actual)
            self.spent += held if actual is None else actual

    @rule(reservation=consumes(reservations))
    def release(self, reservation: Reservation | None) -> None:
        if reservation is not None:
            del self.held[reservation.id]
            self.budget.release(reservation)

    @invariant()
    def sums_are_exact_and_below_the_cap(self) -> None:
        balance = self.budget.balance()
        assert balance.spent_usd == self.spent
        assert balance.reserved_usd == sum(self.held.values())
        assert balance.spent_usd + balance.reserved_usd <= 1

    def teardown(self) -> None:
        self.budget.close()


TestBudgetInAnyOrder = BudgetMachine.TestCase
TestBudgetInAnyOrder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_threads_never_pass_the_cap_and_lose_no_cent(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "money.sqlite", cap_usd=Decimal("1.00"))
    settled: list[Decimal] = []

    async def spend() -> None:
        while True:
            reservation = await budget.reserve(Decimal("0.05"))
            await asyncio.sleep(0)
            budget.settle(reservation, Decimal("0.02"))
            settled.append(Decimal("0.02"))

    def worker() -> None:
        with pytest.raises(BudgetExhausted):
            asyncio.run(spend())

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    balance = budget.balance()
    budget.close()
    assert balance.spent_usd == sum(settled)
    # 0.96 is the last sum after which 0.05 more does not fit; what waited for others was not lost on the way.
    assert balance.spent_usd == Decimal("0.96")
    assert balance.exhausted


SPENDER = """
import asyncio, sys
from decimal import Decimal
from pathlib import Path
from harness.core.errors import BudgetExhausted
from harness.runs.money import Budget
async def main():
    budget = Budget(Path(sys.argv[1]), cap_usd=Decimal("2.00"))
    made = 0
    try:
        while True:
            budget.settle(await budget.reserve(Decimal("0.05")), Decimal("0.01"))
            made += 1
    except BudgetExhausted:
        print(made)
    budget.close()
asyncio.run(main())
"""


def test_two_processes_share_one_cap(tmp_path: Path) -> None:
    path = tmp_path / "money.sqlite"
    workers = [
        subprocess.Popen([sys.executable, "-c", SPENDER, str(path)], stdout=subprocess.PIPE, text=True) for _ in "ab"
    ]
    made = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    budget = Budget(path, cap_usd=Decimal("2.00"))
    balance = budget.balance()
    budget.close()
    assert sum(made) == 196
    assert balance.spent_usd == Decimal("1.96")
    assert balance.reserved_usd == 0


HOLDER = """
import sys, time
from decimal import Decimal
from pathlib import Path
from harness.runs.money import Budget
budget = Budget(Path(sys.argv[1]), cap_usd=Decimal("1.00"))
budget.try_reserve(Decimal("0.70"))
print("held", flush=True)
time.sleep(60)
"""


def test_what_a_killed_worker_had_reserved_counts_as_spent(tmp_path: Path) -> None:
    path = tmp_path / "money.sqlite"
    worker = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "held\n"
    budget = Budget(path, cap_usd=Decimal("1.00"))
    assert budget.try_reserve(Decimal("0.50")) is None  # may fit once the other has settled
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate(timeout=10)
    with pytest.raises(BudgetExhausted):
        budget.try_reserve(Decimal("0.50"))
    assert budget.balance().spent_usd == Decimal("0.70")
    budget.close()


def test_a_caller_waits_for_calls_in_flight_instead_of_ending_the_run() -> None:
    async def main() -> bool:
        budget = Budget(None, cap_usd=Decimal(1))
        first = await budget.reserve(Decimal("0.9"))
        second = asyncio.create_task(budget.reserve(Decimal("0.9")))
        await asyncio.sleep(0.05)
        waited = not second.done()
        budget.settle(first, Decimal("0.05"))
        await asyncio.wait_for(second, 2)
        budget.close()
        return waited

    assert asyncio.run(main())


def test_once_exhausted_even_a_call_that_would_fit_is_refused(tmp_path: Path) -> None:
    one, two = (Budget(tmp_path / "m.sqlite", cap_usd=Decimal(1)) for _ in "ab")
    with pytest.raises(BudgetExhausted, match="--harness-budget-usd=2"):
        one.try_reserve(Decimal("1.01"))
    with pytest.raises(BudgetExhausted):
        two.try_reserve(Decimal("0.01"))
    one.close()
    two.close()


def test_a_higher_cap_lifts_the_exhaustion_of_a_resumed_run_and_keeps_what_was_spent(tmp_path: Path) -> None:
    with_one = Budget(tmp_path / "m.sqlite", cap_usd=Decimal(1))
    held = with_one.try_reserve(Decimal("0.6"))
    assert held is not None
    with_one.settle(held, Decimal("0.6"))
    with pytest.raises(BudgetExhausted):
        with_one.try_reserve(Decimal("0.6"))
    with_one.close()
    with_two = Budget(tmp_path / "m.sqlite", cap_usd=Decimal(2))
    assert with_two.try_reserve(Decimal("1.4")) is not None
    with_two.close()


def test_amounts_below_a_unit_are_rounded_up_so_that_free_is_only_what_is_free() -> None:
    budget = Budget(None, cap_usd=Decimal(1))
    held = budget.try_reserve(Decimal("1e-15"))
    assert held is not None
    assert held.amount_usd == UNIT
    budget.close()


def test_a_reservation_is_closed_once() -> None:
    budget = Budget(None, cap_usd=Decimal(1))
    held = budget.try_reserve(Decimal("0.1"))
    assert held is not None
    budget.settle(held, Decimal("0.1"))
    with pytest.raises(ValueError, match="before"):
        budget.release(held)
    budget.close()


@pytest.mark.parametrize("cap", ["-1", "NaN", "Infinity", "1e9"])
def test_a_cap_that_is_no_amount_is_refused(cap: str) -> None:
    with pytest.raises(UsageError, match="--harness-budget-usd"):
        Budget(None, cap_usd=Decimal(cap))

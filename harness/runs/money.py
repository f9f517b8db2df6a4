"""Budget: a money cap that holds across all workers of a run.

Before a call its highest possible cost is *reserved*; after it the true cost is *settled* and the rest is free again.
Never is spent plus reserved above the cap, so the cap can only be passed by what a provider bills beyond the
reservation of a call in flight (a prompt that has more tokens than could be expected of its length).

When a reservation does not fit only because of other calls in flight, the caller waits for them to settle; when it
would not fit even if they were free, the money is *exhausted*: for this call and every later one, in every worker.

Money is stored in whole units of 1e-12 dollars. A reservation whose process died counts as spent: nobody knows whether
the provider billed the call.
"""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import NoReturn
from weakref import WeakKeyDictionary

from harness.core.errors import BudgetExhausted, UsageError
from harness.runs.ledger import open_ledger, transaction

UNIT = Decimal("1e-12")
_HIGHEST = Decimal(1_000_000)
"""Dollars; keeps every sum far inside 64 bits."""
_POLL_S = 0.02
_SCHEMA = """
-- format 1: first version. Money in units of 1e-12 dollars.
CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY CHECK (id = 1), cap INTEGER NOT NULL, spent INTEGER NOT NULL, reserved INTEGER NOT NULL,
    exhausted INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reservations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, process INTEGER NOT NULL, amount INTEGER NOT NULL);
"""


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Money set aside for one call; to be settled or released, once."""

    id: int
    amount_usd: Decimal


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Where the money stands."""

    cap_usd: Decimal
    spent_usd: Decimal
    reserved_usd: Decimal
    exhausted: bool


class Budget:
    """The money of one run.

    :param path: an SQLite file in the run's folder that all workers open; None: in memory, for one process. What was
        spent stays in the file, so a resumed run goes on with what is left.
    :param cap_usd: the cap, at least 0. Opening the file with another cap changes it, and lifts *exhausted*.
    """

    def __init__(self, path: Path | None, *, cap_usd: Decimal) -> None:
        if not cap_usd.is_finite() or not 0 <= cap_usd <= _HIGHEST:
            raise UsageError(f"--harness-budget-usd must be a number from 0 to {_HIGHEST}, got {cap_usd!r}")
        self.path = path
        self.cap_usd = cap_usd
        self._lock = threading.Lock()
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._exhausted = False
        self._db = open_ledger(path, _SCHEMA)
        cap = int(cap_usd / UNIT)
        with self._lock, transaction(self._db, path):
            self._db.execute("INSERT OR IGNORE INTO ledger VALUES (1, ?, 0, 0, 0)", (cap,))
            self._db.execute("UPDATE ledger SET cap = ?, exhausted = 0 WHERE cap != ?", (cap, cap))

    async def reserve(self, amount_usd: Decimal) -> Reservation:
        """Set money aside, waiting for calls in flight to settle where that could help.

        :raises BudgetExhausted: when it could not.
        """
        loop = asyncio.get_running_loop()
        queue = self._queues.get(loop)
        if queue is None:
            queue = self._queues[loop] = asyncio.Lock()
        if not queue.locked():
            reservation = self.try_reserve(amount_usd)
            if reservation is not None:
                return reservation
        # Only the first in the queue asks again, so a thousand waiting callers cost as much as one.
        async with queue:
            while True:
                reservation = self.try_reserve(amount_usd)
                if reservation is not None:
                    return reservation
                await asyncio.sleep(_POLL_S)

    def try_reserve(self, amount_usd: Decimal) -> Reservation | None:
        """Set money aside; None when it may fit after calls in flight have settled.

        :raises BudgetExhausted: when it does not fit whatever they cost, or the money was exhausted before.
        """
        if self._exhausted:
            self._refuse(amount_usd)
        amount = _units(amount_usd)
        with self._lock, transaction(self._db, self.path):
            cap, spent, reserved, exhausted = self._row()
            if not exhausted and spent + reserved + amount > cap and self._bury_dead():
                cap, spent, reserved, exhausted = self._row()
            if exhausted or spent + amount > cap:
                self._db.execute("UPDATE ledger SET exhausted = 1")
                self._exhausted = True
            elif spent + reserved + amount > cap:
                return None
            else:
                self._db.execute("UPDATE ledger SET reserved = reserved + ?", (amount,))
                made = self._db.execute(
                    "INSERT INTO reservations (process, amount) VALUES (?, ?)", (os.getpid(), amount)
                )
                return Reservation(id=int(made.lastrowid or 0), amount_usd=amount * UNIT)
        self._refuse(amount_usd)

    def settle(self, reservation: Reservation, actual_usd: Decimal | None) -> None:
        """The call was made and cost this much; None: nobody knows, so all that was reserved counts as spent."""
        self._close_out(reservation, None if actual_usd is None else _units(actual_usd))

    def release(self, reservation: Reservation) -> None:
        """The call was not made, or surely not billed."""
        self._close_out(reservation, 0)

    def balance(self) -> Balance:
        """Where the money of the whole run stands, reservations of dead processes already counted as spent."""
        with self._lock, transaction(self._db, self.path):
            self._bury_dead()
            cap, spent, reserved, exhausted = self._row()
        return Balance(
            cap_usd=cap * UNIT, spent_usd=spent * UNIT, reserved_usd=reserved * UNIT, exhausted=bool(exhausted)
        )

    @property
    def exhausted(self) -> bool:
        """Whether a call of the run was refused for money, as far as this process has heard."""
        return self._exhausted

    def close(self) -> None:
        """Close the file; the account stays in it."""
        self._db.close()

    def _row(self) -> tuple[int, int, int, int]:
        row: tuple[int, int, int, int] = self._db.execute(
            "SELECT cap, spent, reserved, exhausted FROM ledger"
        ).fetchone()
        return row

    def _close_out(self, reservation: Reservation, spent: int | None) -> None:
        with self._lock, transaction(self._db, self.path):
            row = self._db.execute("SELECT amount FROM reservations WHERE id = ?", (reservation.id,)).fetchone()
            if row is None:
                raise ValueError(f"{reservation!r} was settled or released before")
            self._db.execute("DELETE FROM reservations WHERE id = ?", (reservation.id,))
            self._db.execute(
                "UPDATE ledger SET reserved = reserved - ?, spent = spent + ?",
                (row[0], row[0] if spent is None else spent),
            )

    def _bury_dead(self) -> bool:
        held = self._db.execute("SELECT process, sum(amount) FROM reservations GROUP BY process").fetchall()
        dead = [(process, amount) for process, amount in held if process != os.getpid() and not _alive(process)]
        for process, amount in dead:
            self._db.execute("UPDATE ledger SET spent = spent + ?, reserved = reserved - ?", (amount, amount))
            self._db.execute("DELETE FROM reservations WHERE process = ?", (process,))
        return bool(dead)

    def _refuse(self, amount_usd: Decimal) -> NoReturn:
        raise BudgetExhausted(
            f"the money cap of {self.cap_usd} USD is used up: the next call could cost {amount_usd.normalize():f} USD. "
            f"Raise it: --harness-budget-usd={max(1, int(self.cap_usd * 2))}, or see beforehand what a run costs: "
            "--harness-estimate"
        )


def _units(amount_usd: Decimal) -> int:
    if not amount_usd.is_finite() or amount_usd < 0 or amount_usd > _HIGHEST:
        raise ValueError(f"an amount of money must be from 0 to {_HIGHEST} USD, got {amount_usd!r}")
    return int((amount_usd / UNIT).to_integral_value(rounding=ROUND_CEILING))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

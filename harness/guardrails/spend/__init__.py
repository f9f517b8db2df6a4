"""Spend: so much money per session, and per user and day, stopped *before* the call that would pass the limit.

The words:

- *reserved*: the most that calls under way can still cost. *Spent*: what settled calls did cost. A call is refused when
  spent + reserved + its own worst case would pass a limit; a call that brings the sum to the limit exactly is made.
- *day*: the calendar day in UTC on which the call was reserved.
- *unknown price*: no worst case can be stated. Refused: what cannot be bounded cannot be kept within a limit.
- Sums are exact: decimals are added without rounding, however many.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any

from harness.core.clock import SYSTEM, Clock
from harness.core.decision import Decision, Event, Finding
from harness.core.errors import BudgetExhausted, UsageError

__all__ = ["Alert", "PriceUnknown", "Reservation", "Spend"]

_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, Overflow])
_FINEST = Decimal("1e-30")
_LARGEST = Decimal("1e12")
_DAY_S = 86_400


class PriceUnknown(BudgetExhausted):
    """Nobody can say what the call costs at most, so it was not made."""

    reason = "unknown_price"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A limit is used up to the alert share. Given once per limit: per session, and per user and day."""

    scope: str
    """``session`` or ``user``."""
    id: str
    spent_usd: Decimal
    limit_usd: Decimal


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Money set aside for one call."""

    number: int
    amount_usd: Decimal
    keys: tuple[tuple[str, str, int], ...]
    """What it counts against: (scope, id, day)."""


@dataclass(slots=True)
class _Account:
    limit: Decimal
    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    alerted: bool = False


class Spend:
    """Keeps sessions and users within their money. Thread-safe. See the words at the top of this file.

    As a guard it looks at ``event.data["cost_usd"]``, the most that the thing about to be done can cost: it books that
    amount at once, or blocks; None there means unknown and is refused. An event without the key costs nothing, and
    passes while there is money left. For calls whose true cost is known afterwards use :meth:`reserve` and
    :meth:`settle`, or :class:`harness.guardrails.MeteredModel`, which does both.

    :param session_usd: limit per session.
    :param user_day_usd: limit per user and UTC day.
    :param alert_share: share of a limit, in (0, 1], that is worth one :class:`Alert`.
    :param on_alert: called with the alert, outside any lock, in the thread that spent the money.
    """

    version = "1"

    def __init__(
        self,
        *,
        session_usd: Decimal = Decimal(2),
        user_day_usd: Decimal = Decimal(10),
        alert_share: Decimal = Decimal("0.8"),
        on_alert: Callable[[Alert], None] | None = None,
        clock: Clock = SYSTEM,
        name: str = "spend",
    ) -> None:
        self.session_usd = _amount(session_usd, "session_usd")
        self.user_day_usd = _amount(user_day_usd, "user_day_usd")
        self.alert_share = _amount(alert_share, "alert_share")
        if not 0 < self.alert_share <= 1:
            raise UsageError(f"alert_share must be above 0 and at most 1, got {alert_share!r}")
        self.name = name
        self._on_alert = on_alert
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[tuple[str, str, int], _Account] = {}
        self._open: dict[int, Reservation] = {}
        self._day = 0
        self._number = 0

    def __repr__(self) -> str:
        return f"Spend(session_usd={self.session_usd}, user_day_usd={self.user_day_usd})"

    def fresh(self) -> Spend:
        """The same limits with nothing spent, and without alerts."""
        return Spend(
            session_usd=self.session_usd,
            user_day_usd=self.user_day_usd,
            alert_share=self.alert_share,
            clock=self._clock,
            name=self.name,
        )

    def check(self, event: Event) -> Decision:
        """Book ``cost_usd`` of an input or tool call about to happen, or block it; what happened already passes."""
        happened = event.data.get("late") is True or event.data.get("history") is True
        if event.kind not in ("input", "tool_call") or happened:
            return Decision(action="allow", guard=self.name)
        session, user = _id(event, "session"), _id(event, "user")
        given: Any = event.data.get("cost_usd", Decimal(0))
        try:
            reservation = self.reserve(given, session=session, user=user)
        except PriceUnknown as error:
            return self._refused("unknown_price", str(error))
        except BudgetExhausted as error:
            return self._refused("spend", str(error))
        self.settle(reservation, reservation.amount_usd)
        return Decision(action="allow", guard=self.name)

    def reserve(self, amount_usd: Any, *, session: str = "", user: str = "") -> Reservation:
        """Set the worst case of a call aside. Settle or release it exactly once.

        :raises PriceUnknown: for None, and for anything that is no amount of money (a float, a negative, NaN).
        :raises BudgetExhausted: when the call would pass a limit, or a limit is used up already.
        """
        try:
            amount = _amount(amount_usd, "the cost")
        except UsageError as error:
            raise PriceUnknown(f"the call was not made: {error}") from error
        with self._lock:
            keys = self._keys(session, user)
            for key in keys:
                account = self._accounts[key]
                held = _EXACT.add(account.spent, account.reserved)
                wanted = _EXACT.add(held, amount)
                if wanted > account.limit or (held >= account.limit and not amount):
                    raise BudgetExhausted(
                        f"the call was not made: {account.spent} USD spent and {account.reserved} reserved of "
                        f"{account.limit} USD per {'user and day' if key[0] == 'user' else key[0]}; "
                        f"it could cost {amount}"
                    )
            for key in keys:
                account = self._accounts[key]
                account.reserved = _EXACT.add(account.reserved, amount)
            self._number += 1
            reservation = Reservation(number=self._number, amount_usd=amount, keys=keys)
            self._open[reservation.number] = reservation
            return reservation

    def settle(self, reservation: Reservation, actual_usd: Decimal) -> None:
        """Book what the call did cost. More than was reserved is booked all the same: it has been spent.

        :raises UsageError: when the reservation was settled or released before, or for something that is no amount.
        """
        actual = _amount(actual_usd, "the cost")
        alerts: list[Alert] = []
        with self._lock:
            if self._open.pop(reservation.number, None) is None:
                raise UsageError(f"reservation {reservation.number} was settled or released before")
            for key in reservation.keys:
                account = self._accounts[key]
                account.reserved = _EXACT.subtract(account.reserved, reservation.amount_usd)
                account.spent = _EXACT.add(account.spent, actual)
                if not account.alerted and actual and account.spent >= _EXACT.multiply(account.limit, self.alert_share):
                    account.alerted = True
                    spent, limit = account.spent, account.limit
                    alerts.append(Alert(scope=key[0], id=key[1], spent_usd=spent, limit_usd=limit))
        if self._on_alert is not None:
            for alert in alerts:
                self._on_alert(alert)

    def release(self, reservation: Reservation) -> None:
        """The call was not made, or cost nothing."""
        self.settle(reservation, Decimal(0))

    def spent_usd(self, *, session: str | None = None, user: str | None = None) -> Decimal:
        """What a session, or a user today, has spent. Exactly one of them must be given."""
        if (session is None) == (user is None):
            raise UsageError("spent_usd takes session= or user=, exactly one")
        with self._lock:
            key = ("session", session, 0) if session is not None else ("user", user or "", self._today())
            account = self._accounts.get(key)
            return Decimal(0) if account is None else account.spent

    def forget(self, session: str) -> None:
        """A session is over: give its account's memory back. The user's day keeps what it spent."""
        with self._lock:
            account = self._accounts.get(("session", session, 0))
            if account is not None and not account.reserved:
                del self._accounts["session", session, 0]

    def _keys(self, session: str, user: str) -> tuple[tuple[str, str, int], ...]:
        day = self._today()
        if day != self._day:
            over = [key for key, account in self._accounts.items() if key[0] == "user" and key[2] < day]
            for key in over:
                if not self._accounts[key].reserved:
                    del self._accounts[key]
            self._day = day
        keys = (("session", session, 0), ("user", user, day))
        for key, limit in zip(keys, (self.session_usd, self.user_day_usd), strict=True):
            if key not in self._accounts:
                self._accounts[key] = _Account(limit=limit)
        return keys

    def _today(self) -> int:
        return int(self._clock.wall() // _DAY_S)

    def _refused(self, category: str, reason: str) -> Decision:
        found = (Finding(category=category),)
        return Decision(action="block", guard=self.name, reason=reason, findings=found)


def _amount(given: Any, what: str) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, (int, Decimal)):
        raise UsageError(f"{what} must be a Decimal in US dollars, got {type(given).__name__}: Decimal('0.01')")
    if isinstance(given, int) and given.bit_length() > 64:
        raise UsageError(f"{what} must be at most {_LARGEST:g} US dollars")
    amount = Decimal(given)
    if not amount.is_finite() or not 0 <= amount <= _LARGEST:
        raise UsageError(f"{what} must be between 0 and {_LARGEST:g} US dollars, got {str(amount)[:40]}")
    exponent = amount.as_tuple().exponent
    if amount and isinstance(exponent, int) and exponent < _FINEST.adjusted():
        raise UsageError(f"{what} has digits finer than {_FINEST:g} US dollars; round it up")
    return amount if amount else Decimal(0)


def _id(event: Event, scope: str) -> str:
    given = event.data.get(scope)
    return given if isinstance(given, str) else "" if given is None else repr(given)[:200]

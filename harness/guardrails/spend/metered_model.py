"""A chat model that pays: the worst case of every call is reserved before it is made, the true cost settled after."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from harness.core.contracts import Model
from harness.core.errors import ProviderBroken
from harness.core.exchange import Reply
from harness.core.trajectory import Message
from harness.core.usage import Price, Usage
from harness.guardrails.session import SESSION
from harness.guardrails.spend import PriceUnknown, Spend

_PER_MESSAGE = 16
"""Tokens that chat templates put around a message, at most."""
_FINEST = Decimal("1e-15")
"""Finer digits of a stated cost are rounded up."""
_LIMITS = ("max_completion_tokens", "max_tokens")


class MeteredModel:
    """``model`` within the limits of ``spend``; itself a :class:`harness.core.contracts.Model`.

    The worst case of a call is one input token per byte of the request (no tokenizer in use makes more), and the
    output limit in full. A call that the provider refused is free; one that broke in the middle, or whose usage nobody
    reported, is booked at its worst case.

    :param price: what the model costs; None: unknown, and every call is refused.
    :param output_tokens_at_most: the model's output limit, for calls that state none; None: such calls are refused.
    :param session: whose money it is; by default that of the guarded session that runs, likewise ``user``.
    """

    def __init__(
        self,
        model: Model,
        spend: Spend,
        *,
        price: Price | None,
        output_tokens_at_most: int | None = None,
        session: str = "",
        user: str = "",
    ) -> None:
        self.name = model.name
        self._model = model
        self._spend = spend
        self._price = price
        self._output = output_tokens_at_most
        self._who = {"session": session, "user": user}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_model" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._model, name)

    async def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] = (), **options: Any
    ) -> Reply:
        """One completion. Raises BudgetExhausted or PriceUnknown instead of making a call that could cost too much."""
        if self._price is None:
            raise PriceUnknown(f"the call was not made: nobody said what {self.name} costs; give MeteredModel a Price")
        reservation = self._spend.reserve(self._worst_case(self._price, messages, tools, options), **self._payer())
        try:
            reply = await self._model.complete(messages, tools=tools, **options)
        except ProviderBroken as error:
            if error.status is not None and error.status >= 400:
                self._spend.release(reservation)
            else:
                self._spend.settle(reservation, reservation.amount_usd)
            raise
        except BaseException:
            self._spend.settle(reservation, reservation.amount_usd)
            raise
        self._spend.settle(reservation, _true_cost(reply, self._price, reservation.amount_usd))
        return reply

    def _worst_case(self, price: Price, messages: Any, tools: Any, options: Mapping[str, Any]) -> Decimal:
        output = next((options[key] for key in _LIMITS if isinstance(options.get(key), int)), self._output)
        if output is None:
            raise PriceUnknown(
                f"the call was not made: {self.name} has no output limit; pass max_tokens=, or output_tokens_at_most="
            )
        text = json.dumps([list(messages), list(tools)], ensure_ascii=False, default=str)
        count = len(text.encode("utf-8", "surrogatepass")) + _PER_MESSAGE * (len(messages) + 1)
        return price.cost_usd(Usage(input_tokens=count, output_tokens=int(output)))

    def _payer(self) -> dict[str, str]:
        running = SESSION.get()
        data = {} if running is None else running.data
        return {key: own or str(data.get(key) or "") for key, own in self._who.items()}


def _true_cost(reply: Reply, price: Price, worst: Decimal) -> Decimal:
    cost = reply.cost_usd
    if cost is None or not cost.is_finite() or cost < 0:
        cost = worst if reply.usage is None else price.cost_usd(reply.usage)
    return cost.quantize(_FINEST, rounding=ROUND_CEILING)

"""Account: what one call cost, and the money held for it while it is under way."""

from __future__ import annotations

from decimal import Decimal

from harness.core.errors import ProviderBroken
from harness.core.exchange import Exchange, Reply
from harness.runs.money import Budget, Reservation
from harness.runs.prices import ModelPrice, PriceTable
from harness.runs.tokens import OUTPUT_UNKNOWN, input_at_most

_MAYBE_BILLED = ("cut_stream", "bad_json", "empty_reply", "too_large")
_ABSURD = Decimal(100_000)
"""Dollars for one call; a statement above it is no statement."""


class Account:
    """Prices calls and, where there is a cap, holds money for them.

    A local server (``exchange.local``) is priced by the team's own table only, and without a price there its calls are
    not charged. An agent service that is no model is looked up by its provider (``"127.0.0.1:8000"``).
    """

    def __init__(self, prices: PriceTable, budget: Budget | None) -> None:
        self.prices = prices
        self.budget = budget

    def cost(self, exchange: Exchange, reply: Reply) -> Decimal | None:
        """What a reply cost: as stated with it, else by its usage and the price table; None when not known."""
        stated = reply.cost_usd
        if stated is not None:
            return stated if stated.is_finite() and 0 <= stated <= _ABSURD else None
        usage = reply.usage
        if usage is None or min(usage.input_tokens, usage.output_tokens, usage.cached_tokens) < 0:
            return None
        price = self._price(exchange)
        if price is None or usage.cached_tokens > usage.input_tokens:
            return None
        cost = price.at(usage.input_tokens).cost_usd(usage)
        return cost if cost <= _ABSURD else None

    async def hold(self, exchange: Exchange) -> Reservation | None:
        """Set aside what the call could cost at most; None when there is no cap, or nothing to charge.

        :raises PriceUnknown: when nobody knows the price.
        :raises BudgetExhausted: when it would pass the cap.
        """
        if self.budget is None:
            return None
        price = self._price(exchange)
        if price is None:
            if exchange.local:
                return None
            price = self.prices.require(exchange.model or exchange.provider)
        return await self.budget.reserve(highest_cost(exchange, price))

    def paid(self, held: Reservation | None, cost: Decimal | None) -> None:
        """The call was answered; an unknown cost counts as all that was held."""
        if held is not None and self.budget is not None:
            self.budget.settle(held, cost)

    def broke(self, held: Reservation | None, error: ProviderBroken | None) -> None:
        """The call failed. Held money counts as spent where the provider may have billed it.

        :param error: how it failed; None: cancelled or broken on our side, after it was sent.
        """
        if held is None or self.budget is None:
            return
        if error is None or error.reason in _MAYBE_BILLED:
            self.budget.settle(held, None)
        else:
            self.budget.release(held)

    def not_sent(self, held: Reservation | None) -> None:
        """The call was never made."""
        if held is not None and self.budget is not None:
            self.budget.release(held)

    def _price(self, exchange: Exchange) -> ModelPrice | None:
        return self.prices.find(exchange.model or exchange.provider, bundled=not exchange.local)


def highest_cost(exchange: Exchange, price: ModelPrice) -> Decimal:
    """What a call could cost at most, by its text and its output limit."""
    prompt = input_at_most(exchange)
    answer = exchange.output_tokens_at_most
    if answer is None:
        answer = price.max_output_tokens or OUTPUT_UNKNOWN
    rates = price.at(prompt)
    dearest_input = max(rates.input_per_million, rates.cached_per_million or Decimal(0))
    return (prompt * dearest_input + max(0, answer) * rates.output_per_million) / Decimal(1_000_000)

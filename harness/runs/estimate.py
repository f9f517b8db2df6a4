"""What a run will cost, before it is run: low, likely, high.

From *history* (what trials of the same cases took in a stored run) where there is some, else from the length of the
cases' texts and stated assumptions about how an agent works. The basis is part of the answer, for a guess must not look
like a measurement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean, variance

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.record import Record
from harness.core.usage import Usage
from harness.runs.prices import ModelPrice, PriceTable
from harness.runs.tokens import PER_IMAGE, text_bytes


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """How an agent works when nothing is known of it: (low, likely, high) each."""

    calls_per_trial: tuple[int, int, int] = (1, 3, 10)
    system_tokens: tuple[int, int, int] = (0, 500, 2000)
    """Instructions and tool schemas that the case itself does not show, sent with every call."""
    output_tokens_per_call: tuple[int, int, int] = (50, 250, 1000)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will cost, in US dollars."""

    low_usd: Decimal
    likely_usd: Decimal
    high_usd: Decimal
    trials: int
    basis: str
    """Where the numbers come from, in one sentence."""


def history_of(records: Iterable[Record]) -> dict[str, list[Usage]]:
    """Tokens per trial by case id, from a stored run; trials without model calls are left out."""
    out: dict[str, list[Usage]] = {}
    for record in records:
        if record.trajectory is not None and record.trajectory.model_calls:
            out.setdefault(record.case_id, []).append(record.trajectory.usage)
    return out


def estimate_run(
    cases: Sequence[Case],
    *,
    trials: int,
    model: str,
    prices: PriceTable,
    history: Mapping[str, Sequence[Usage]] | None = None,
    assumptions: Assumptions | None = None,
) -> Estimate:
    """Price a run without running it.

    With history of at least two trials: each case costs its own mean, a case not seen the mean of all; low and high are
    a 95 % prediction interval for the sum (normal approximation: ``1.96 sd sqrt(n + n**2 / m)`` around it, with ``m``
    trials seen and ``n`` to come), never below 0. Without: the assumptions' three values, the whole history of a trial
    sent again with every call.

    :raises PriceUnknown: when nobody knows the model's price.
    :raises UsageError: for fewer than one trial.
    """
    if trials < 1:
        raise UsageError(f"an estimate needs at least one trial per case, got {trials}")
    price = prices.require(model)
    planned = len(cases) * trials
    seen = {case: [float(_cost(usage, price)) for usage in usages] for case, usages in (history or {}).items()}
    costs = [cost for case_costs in seen.values() for cost in case_costs]
    if len(costs) >= 2:
        overall = fmean(costs)
        likely = sum(fmean(seen[case.id]) if seen.get(case.id) else overall for case in cases) * trials
        spread = 1.96 * (variance(costs) * (planned + planned**2 / len(costs))) ** 0.5
        known = sum(1 for case in cases if seen.get(case.id))
        return Estimate(
            low_usd=_usd(max(0.0, likely - spread)),
            likely_usd=_usd(likely),
            high_usd=_usd(likely + spread),
            trials=planned,
            basis=f"{len(costs)} recorded trials; {known} of {len(cases)} cases were seen before",
        )
    given = assumptions or Assumptions()
    sums = [sum((_assumed(case, price, given, index) for case in cases), Decimal(0)) * trials for index in range(3)]
    low, likely_calls, high = given.calls_per_trial
    return Estimate(
        low_usd=sums[0],
        likely_usd=sums[1],
        high_usd=sums[2],
        trials=planned,
        basis=f"no history: a quarter token per character and {low}, {likely_calls} or {high} calls per trial assumed",
    )


def _assumed(case: Case, price: ModelPrice, given: Assumptions, index: int) -> Decimal:
    size, images = text_bytes([case.input, list(case.turns), list(case.tools)])
    calls = given.calls_per_trial[index] + len(case.turns)
    answer = given.output_tokens_per_call[index]
    first = size // 4 + images * PER_IMAGE + given.system_tokens[index]
    # Call k sends the first prompt again, and the k answers before it.
    return sum(
        (_cost(Usage(input_tokens=first + k * answer, output_tokens=answer), price) for k in range(calls)), Decimal(0)
    )


def _cost(usage: Usage, price: ModelPrice) -> Decimal:
    # The tier of a long prompt belongs to a call; a trial's sum of tokens must not reach it.
    return price.base.cost_usd(usage)


def _usd(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.000001"))

"""``--harness-estimate``: what a run would cost, said before it is run: low, likely, high, and where that comes from.

Tokens come from the newest stored run of the same agent that has the suite (of another agent where there is none, and
then it says so), else from the length of the cases' texts and stated assumptions. The price is today's. A model without
a known price is named and left out of the sum, which is then "at least".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.case import Case
from harness.core.comparison import suite_key
from harness.core.errors import HarnessError
from harness.core.usage import Usage
from harness.plugin.collect import Preparation, golden_functions
from harness.plugin.items import GoldenItem

if TYPE_CHECKING:
    from harness.core.record import Record
    from harness.plugin.session import HarnessSession
    from harness.runs.prices import PriceTable

MOST_RUNS = 20
"""Stored runs looked at for tokens, newest first."""


@dataclass(kw_only=True)
class Planned:
    """One suite of the plan."""

    shared: Preparation
    cases: list[Case] = field(default_factory=list)
    trials: int = 0
    """Over all cases."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """What a stored run says about a suite: tokens per model, case and trial; and money spent on judging."""

    run_id: str
    same_agent: bool
    tokens: Mapping[str, Mapping[str, Sequence[Usage]]]
    trials: int = 0
    judge_usd: Decimal = Decimal(0)
    """Over all its trials."""
    stated_usd: Decimal | None = None
    """What the agent itself said that all its trials cost; None where it did not say so of each."""


@dataclass(frozen=True, kw_only=True)
class Priced:
    """One suite's line."""

    name: str
    trials: int
    dollars: tuple[Decimal, Decimal, Decimal] | None
    """Low, likely, high; None: unknown."""
    basis: str


def print_estimate(shared: HarnessSession) -> None:
    """Print what the collected golden cases would cost. Runs nothing, writes nothing."""
    lines = estimate_lines(shared, _items(shared.config))
    reporter: Any = shared.config.pluginmanager.getplugin("terminalreporter")
    if reporter is None:
        raise HarnessError("--harness-estimate runs nothing, so it needs no workers; leave out -n (or say -n 0)")
    reporter.ensure_newline()
    for line in lines:
        reporter.write_line(line)


def estimate_lines(shared: HarnessSession, items: Sequence[pytest.Item]) -> list[str]:
    """The estimate as text."""
    from harness.reporting import numbers
    from harness.runs.prices import PriceTable

    plan = planned(shared, items)
    past = history(shared.settings.runs, set(plan), str(shared.settings.agent or ""))
    prices = PriceTable.load(shared.settings.prices)
    priced = [price_suite(name, part, past.get(name), prices) for name, part in plan.items()]
    known = [item.dollars for item in priced if item.dollars is not None]
    unknown = len(priced) - len(known)
    trials = sum(item.trials for item in priced)
    low, likely, high = (sum((dollars[n] for dollars in known), Decimal(0)) for n in range(3))
    lines = [f"estimate: {numbers.count(trials)} trials of {len(priced)} suites; nothing was run", ""]
    names = max((len(item.name) for item in priced), default=0)
    for item in priced:
        text = "unknown" if item.dollars is None else _range(item.dollars)
        lines.append(f"  {item.name:<{names}}  {numbers.count(item.trials):>6} trials  {text}; {item.basis}")
    word = "at least, for " + f"{unknown} of {len(priced)} suites have no price: " if unknown else ""
    total = _range((low, likely, high)) if known else "unknown"
    lines += ["", f"  total: {word}{total}"]
    cap = shared.settings.budget_usd
    if cap is not None and known:
        fits = "is above the high estimate" if cap >= high else "may be reached" if cap >= likely else "will be reached"
        lines.append(f"  the money cap of {numbers.usd(cap)} {fits}")
    return lines


def planned(shared: HarnessSession, items: Iterable[pytest.Item]) -> dict[str, Planned]:
    """The collected cases by suite key."""
    from harness.plugin.function_items import arm

    plan: dict[str, Planned] = {}
    collected = list(items)
    found = [(item.shared, item.case, "") for item in collected if isinstance(item, GoldenItem)]
    found += [(part, case, arm(item)) for item, part, case in golden_functions(collected)]
    for part, case, label in found:
        entry = plan.setdefault(suite_key(part.suite, label), Planned(shared=part))
        entry.cases.append(case)
        entry.trials += len(shared.trials(part.golden, case, part.runs))
    return plan


def history(runs: Path, suites: set[str], agent: str) -> dict[str, Past]:
    """The newest stored run for each suite; one of the same agent wins over a newer one of another."""
    from harness.results.reader import open_run
    from harness.results.run_folder import list_run_folders, read_manifest

    found: dict[str, Past] = {}
    waiting = []
    for folder in reversed(list_run_folders(runs)[-MOST_RUNS:]):
        try:
            manifest = read_manifest(folder)
        except HarnessError:
            continue
        if manifest is not None:
            has = {suite_key(plan.suite, plan.arm) for plan in manifest.planned} & suites
            waiting.append((folder, has, manifest.agent == agent))
    for same in (True, False):
        for folder, has, is_same in waiting:
            wanted = has - set(found)
            if is_same is same and wanted:
                try:
                    found.update(_past(folder.name, open_run(folder, strict=False).records, wanted, same))
                except HarnessError:
                    continue
    return found


def _past(run_id: str, records: Iterable[Record], wanted: set[str], same: bool) -> dict[str, Past]:
    tokens: dict[str, dict[str, dict[str, list[Usage]]]] = {}
    counts: dict[str, int] = {}
    judging: dict[str, Decimal] = {}
    stated: dict[str, Decimal | None] = {}
    for record in records:
        name = suite_key(record.suite, record.arm)
        if name not in wanted or record.trajectory is None:
            continue
        counts[name] = counts.get(name, 0) + 1
        judging[name] = judging.get(name, Decimal(0)) + (record.judge_cost_usd or 0)
        known, cost = stated.get(name, Decimal(0)), record.trajectory.reported_cost_usd
        stated[name] = None if known is None or cost is None else known + cost
        models: dict[str, Usage] = {}
        for call in record.trajectory.model_calls:
            models[call.model] = models.get(call.model, Usage()) + call.usage
        times = _runs_of_agent(record)
        per_model = tokens.setdefault(name, {})
        for model, usage in models.items():
            per_model.setdefault(model, {}).setdefault(record.case_id, []).append(_times(usage, times))
    return {
        name: Past(
            run_id=run_id,
            same_agent=same,
            tokens=tokens.get(name, {}),
            trials=counts[name],
            judge_usd=judging[name],
            stated_usd=stated[name],
        )
        for name in counts
    }


def _runs_of_agent(record: Record) -> Decimal:
    """How often the agent ran in this trial: a body may call it several times, and only its last run is kept."""
    last = record.trajectory.cost_usd if record.trajectory is not None else None
    return record.cost_usd / last if record.cost_usd and last else Decimal(1)


def _times(usage: Usage, factor: Decimal) -> Usage:
    return Usage(**{name: round(value * factor) for name, value in vars(usage).items()})


def price_suite(name: str, part: Planned, past: Past | None, prices: PriceTable) -> Priced:
    """One suite: low, likely and high dollars with their basis; or why nobody can say."""
    from harness.runs.estimate import estimate_run

    def line(dollars: tuple[Decimal, Decimal, Decimal] | None, basis: str) -> Priced:
        return Priced(name=name, trials=part.trials, dollars=dollars, basis=basis)

    if part.shared.runs is not None:
        return line((Decimal(0),) * 3, "recorded trajectories, nothing is called")
    if past is not None and past.trials and not past.tokens and past.stated_usd is not None:
        each = (past.stated_usd + past.judge_usd) / past.trials * part.trials
        return line((each,) * 3, f"what the agent itself stated in run {past.run_id}")
    if past is not None and past.trials and not past.tokens:
        return line(None, f"no model call was seen in run {past.run_id}, so what the agent spends is its own secret")
    own = model_of(part.shared.agent, prices)
    tokens = past.tokens if past is not None else {}
    if tokens and own and past is not None and not past.same_agent:
        # Another agent's tokens are a fair guess at this one's; its prices are not.
        tokens = {own: _together(tokens)}
    models = sorted(tokens) or [own]
    if not models[0]:
        return line(None, "which model the agent calls is not known before its first run")
    missing = [model for model in models if prices.find(model) is None]
    if missing:
        return line(None, f"no price for {', '.join(map(repr, missing))}; state it in [tool.harness.prices]")
    per_case = max(1, round(part.trials / len(part.cases)))
    sums = [Decimal(0)] * 3
    basis = ""
    for model in models:
        made = estimate_run(
            part.cases,
            trials=per_case,
            model=model,
            prices=prices,
            history=tokens.get(model),
        )
        basis = made.basis
        for n, value in enumerate((made.low_usd, made.likely_usd, made.high_usd)):
            sums[n] += value
    if past is not None and past.trials:
        judging = past.judge_usd / past.trials * part.trials
        sums = [value + judging for value in sums]
        whose = "" if past.same_agent else ", of another agent"
        basis = f"{basis} (run {past.run_id}{whose})"
    return line((sums[0], sums[1], sums[2]), f"{', '.join(models)}: {basis}")


def _together(tokens: Mapping[str, Mapping[str, Sequence[Usage]]]) -> dict[str, list[Usage]]:
    """Tokens per case and trial over all models (trials in which a model was not called make the sums uneven)."""
    joined: dict[str, list[Usage]] = {}
    for per_case in tokens.values():
        for case_id, usages in per_case.items():
            known = joined.setdefault(case_id, [])
            for n, usage in enumerate(usages):
                if n < len(known):
                    known[n] = known[n] + usage
                else:
                    known.append(usage)
    return joined


def model_of(agent: Any, prices: PriceTable) -> str:
    """The model an agent calls, as far as it shows: its model's name, or its own where that has a price. Else empty."""
    inner = getattr(agent, "inner", agent)
    model = getattr(inner, "model", None)
    name = model if isinstance(model, str) else getattr(model, "model", "")
    if isinstance(name, str) and name:
        return name
    own = str(getattr(inner, "name", ""))
    return own if own and prices.find(own) is not None else ""


def _range(dollars: tuple[Decimal, Decimal, Decimal]) -> str:
    from harness.reporting import numbers

    low, likely, high = (numbers.usd(value) for value in dollars)
    return likely if low == likely == high else f"{likely} likely, {low} to {high}"


def _items(config: pytest.Config) -> Sequence[pytest.Item]:
    session: Any = config.pluginmanager.getplugin("session")
    return list(session.items)

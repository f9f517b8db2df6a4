"""A plan as data: what the suites of a stored run can see now, what a margin asks for, and what would buy it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands.plan_numbers import Goal, Noise, Size, cases_needed, mcnemar, measured_noise, size_of
from harness.core.errors import HarnessError, UsageError
from harness.stats.sequential.looks_power import LooksSize, looks_for
from harness.stats.suite_plan import Spread, spread_of_run

if TYPE_CHECKING:
    from harness.core.record import Run
    from harness.core.scorecard import CaseLine, Scorecard, SuiteLine

TRIALS = (1, 2, 3, 5, 8)
"""Trials per case that are looked at, beside the run's own."""
MOST_OLDER = 20
"""Older runs looked at for one of the same agent."""

Cases = dict[tuple[str, str, str], "CaseLine"]


@dataclass(frozen=True, kw_only=True)
class SuitePlan:
    """One suite, or all of them together."""

    name: str
    noise: Noise
    now: Size
    needed: Size | None
    """For the margin with the run's own trials per case; None: no number of cases up to 200,000 does."""
    families: int = 0
    """Groups of cases that share a cause, where that is fewer than cases; else 0."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that ``harness plan`` says."""

    goal: Goal
    whole: SuitePlan
    suites: tuple[SuitePlan, ...]
    by_trials: tuple[Size | None, ...]
    """The cases that each number of :data:`TRIALS` needs for the goal."""
    by_size: tuple[Size, ...]
    """The suite with more cases, and with more trials: twice and four times the cost in both ways."""
    mcnemar_power: float
    """Of the exact test with one trial a case, for a drop of the margin, with the cases there are."""
    mcnemar_cases: int | None
    run_id: str = ""
    agent: str = ""
    unmeasured: int = 0
    """Cases without a measured trial; they are not planned with."""
    looks: LooksSize | None = None
    """The goal with planned looks in place of one test at the end; None when not asked for, or out of reach."""


def plan_from_run(
    run: Run, goal: Goal, *, suites: Sequence[str] = (), older: Sequence[Run] = (), shared: float | None = None
) -> Plan:
    """The plan from a stored run.

    :param suites: only suites below these prefixes; default: all that gate.
    :param older: earlier runs, newest first; the first with cases in common says how much chance two runs share.
    :param shared: says it instead, in [0, 1).
    :raises UsageError: no such suite, or nothing was measured.
    """
    from harness.core.tally import tally

    card = tally(run.manifest, run.records)
    lines = _lines(card, suites)
    cases = {_key(case): case for line in lines for case in card.cases[line.start : line.stop] if case.measured}
    if not cases:
        raise UsageError(f"{card.run_id} measured no case of these suites, so it says nothing about chance; run again")
    before, against = _before(older, cases)
    trials = max(1, max(line.trials for line in lines))

    def part(name: str, mine: Cases) -> SuitePlan:
        return _part(name, mine, _noise(mine, before, against, shared), goal, trials=_usual(mine, trials))

    parts = []
    for line in lines:
        mine = {key: case for key, case in cases.items() if key[:2] == (line.suite, line.arm)}
        if mine:
            parts.append(part(f"{line.suite}[{line.arm}]" if line.arm else line.suite, mine))
    whole = part("all suites" if len(parts) > 1 else parts[0].name, cases)
    made = _plan(whole, goal, parts=parts if len(parts) > 1 else (), trial_usd=_trial_usd(cases.values()))
    planned = sum(line.stop - line.start + line.missing_cases for line in lines)
    return replace(made, run_id=card.run_id, agent=run.manifest.agent, unmeasured=planned - len(cases))


def plan_from_numbers(
    goal: Goal, *, cases: int, rate: float, trials: int = 1, shared: float = 0.0, trial_usd: Decimal | None = None
) -> Plan:
    """The plan before there is a run: every case passes with the same chance, which is the noisiest there can be."""
    # As for a stored run: where everything passes there is room for the failure that was not seen.
    unseen = 0.5 / (cases + 1)
    within = max(rate * (1 - rate), unseen * (1 - unseen))
    spread = Spread(cases=cases, rate=rate, within=within, separable=False)
    noise = Noise(spread=spread, shared=shared, basis="no run yet: every case is taken to pass with the same chance")
    now = size_of(cases, trials, noise, goal, trial_usd=trial_usd)
    whole = SuitePlan(name="a suite like this", noise=noise, now=now, needed=_needed(trials, noise, goal, trial_usd))
    return _plan(whole, goal, parts=(), trial_usd=trial_usd)


def older_runs(folder: Path, runs: Path) -> list[Run]:
    """Whole runs of the same agent and mode before this one, newest first; those that cannot be read are left out."""
    from harness.results.reader import open_run
    from harness.results.run_folder import list_run_folders, read_manifest

    own = read_manifest(folder)
    folders = list_run_folders(runs)
    places = [place.resolve() for place in folders]
    here = places.index(folder.resolve()) if folder.resolve() in places else len(folders)
    found: list[Run] = []
    for older in reversed(folders[max(0, here - MOST_OLDER) : here]):
        try:
            manifest = read_manifest(older)
            same = own is not None and manifest is not None and (manifest.agent, manifest.mode) == (own.agent, own.mode)
            if same and manifest is not None and not manifest.partial and manifest.finished_at:
                found.append(open_run(older, strict=False))
        except (HarnessError, OSError):
            continue
    return found


def with_looks(plan: Plan, count: int) -> Plan:
    """The plan with so many planned looks for its goal, with the run's own trials per case."""
    needed, goal = plan.whole.needed, plan.goal
    if needed is None:
        return plan
    return replace(plan, looks=looks_for(needed.cases, count, power=goal.power, alpha=1 - goal.confidence))


def plan_json(plan: Plan) -> dict[str, Any]:
    """All of it for machines; what does not exist is null."""

    def size(item: Size | None) -> dict[str, Any] | None:
        return None if item is None else {**vars(item), "runs_of_a_case": item.cases * item.trials}

    def part(item: SuitePlan) -> dict[str, Any]:
        spread = item.noise.spread
        return {
            "name": item.name,
            "rate": spread.rate,
            "within": spread.within,
            "separable": spread.separable,
            "shared": item.noise.shared,
            "change": item.noise.change,
            "noise_basis": item.noise.basis,
            "families": item.families or None,
            "now": size(item.now),
            "needed": size(item.needed),
        }

    return {
        "run_id": plan.run_id or None,
        "agent": plan.agent or None,
        "goal": dict(vars(plan.goal)),
        "whole": part(plan.whole),
        "suites": [part(item) for item in plan.suites],
        "by_trials": [size(item) for item in plan.by_trials],
        "by_size": [size(item) for item in plan.by_size],
        "mcnemar": {"drop": plan.goal.margin, "power_now": plan.mcnemar_power, "cases_needed": plan.mcnemar_cases},
        "unmeasured_cases": plan.unmeasured,
        "looks": None if plan.looks is None else vars(plan.looks),
    }


def _plan(whole: SuitePlan, goal: Goal, *, parts: Sequence[SuitePlan], trial_usd: Decimal | None) -> Plan:
    noise, now = whole.noise, whole.now
    bigger = [(now.cases, now.trials), (2 * now.cases, now.trials), (now.cases, 2 * now.trials)]
    bigger += [(4 * now.cases, now.trials), (now.cases, 4 * now.trials)]
    power, needed = mcnemar(now.cases, noise, goal)
    return Plan(
        goal=goal,
        whole=whole,
        suites=tuple(parts),
        by_trials=tuple(_needed(t, noise, goal, trial_usd) for t in sorted({*TRIALS, now.trials})),
        by_size=tuple(size_of(n, t, noise, goal, trial_usd=trial_usd) for n, t in bigger),
        mcnemar_power=power,
        mcnemar_cases=needed,
    )


def _part(name: str, cases: Cases, noise: Noise, goal: Goal, *, trials: int) -> SuitePlan:
    cost = _trial_usd(cases.values())
    families = len({case.cluster for case in cases.values()})
    return SuitePlan(
        name=name,
        noise=noise,
        now=size_of(len(cases), trials, noise, goal, trial_usd=cost),
        needed=_needed(trials, noise, goal, cost),
        families=families if families < len({case.case_id for case in cases.values()}) else 0,
    )


def _needed(trials: int, noise: Noise, goal: Goal, trial_usd: Decimal | None) -> Size | None:
    found = cases_needed(trials, noise, goal)
    return None if found is None else size_of(found, trials, noise, goal, trial_usd=trial_usd)


def _noise(cases: Cases, before: Cases, against: str, shared: float | None) -> Noise:
    spread = spread_of_run([case.passed for case in cases.values()], [case.measured for case in cases.values()])
    if shared is not None:
        return Noise(spread=spread, shared=shared, basis="as --shared says")
    both = [(before[key], case) for key, case in cases.items() if key in before]
    pairs = [(old.passed, old.measured, now.passed, now.measured) for old, now in both]
    return measured_noise(spread, pairs, against=against)


def _before(older: Sequence[Run], cases: Cases) -> tuple[Cases, str]:
    """The cases of the newest older run that has some of these, with the same content."""
    from harness.core.tally import tally

    for run in older:
        try:
            card = tally(run.manifest, run.records)
        except HarnessError:
            continue
        known = {_key(case): case for case in card.cases if case.measured}
        same = {key: known[key] for key, case in cases.items() if key in known and _same(known[key], case)}
        if same:
            return same, card.run_id
    return {}, ""


def _same(old: CaseLine, now: CaseLine) -> bool:
    return old.case_hash == now.case_hash


def _key(case: CaseLine) -> tuple[str, str, str]:
    return (case.suite, case.arm, case.case_id)


def _usual(cases: Cases, planned: int) -> int:
    """Trials per case as measured, rounded; a few that broke do not make it another plan."""
    return max(1, min(planned, round(sum(case.measured for case in cases.values()) / len(cases))))


def _trial_usd(cases: Iterable[CaseLine]) -> Decimal | None:
    total, ran = Decimal(0), 0
    for case in cases:
        if case.cost_usd is None:
            return None
        total += case.cost_usd
        ran += case.measured + case.errored
    return total / ran if ran else None


def _lines(card: Scorecard, prefixes: Sequence[str]) -> list[SuiteLine]:
    def below(name: str, prefix: str) -> bool:
        rest = name[len(prefix) :]
        return name.startswith(prefix) and (not rest or rest[0] in "/:[")

    def asked(test: Callable[[SuiteLine], bool]) -> list[SuiteLine]:
        return [line for line in card.suites if test(line)]

    if not prefixes:
        return asked(lambda line: not line.observe) or list(card.suites)
    wanted = [prefix.rstrip("/") for prefix in prefixes]
    for prefix in wanted:
        if not asked(lambda line, prefix=prefix: below(line.suite, prefix)):  # type: ignore[misc]
            names = ", ".join(sorted({line.suite for line in card.suites})) or "none"
            raise UsageError(f"--suite {prefix}: run {card.run_id} has no such suite; it has {names}")
    return asked(lambda line: any(below(line.suite, prefix) for prefix in wanted))

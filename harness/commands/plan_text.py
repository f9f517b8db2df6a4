"""A plan as lines for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from harness.commands.plan_numbers import Size
from harness.commands.plan_report import Plan, SuitePlan
from harness.reporting import numbers
from harness.reporting.visible_text import one_line

MOST_SUITES = 40


def plan_lines(plan: Plan) -> list[str]:
    """What it can see now, what the margin needs, trials against cases, where the chance comes from."""
    whole, goal = plan.whole, plan.goal
    now, spread = whole.now, whole.noise.spread
    margin, power = _points(goal.margin), numbers.share(goal.power, decimals=0)
    of = f"plan from run {plan.run_id} ({one_line(plan.agent, 60)})" if plan.run_id else "plan without a run"
    lines = [f"{of}: {whole.name}, {_amount(now.cases, now.trials)}, {numbers.share(spread.rate)} pass", ""]
    lines += [f"  at a margin of {margin} an equal agent passes with a chance of {_chance(now.passes)}"]
    if now.smallest_drop is None:
        lines.append(f"  no drop is shown with {power} power: the suite is too small")
    else:
        lines.append(f"  the smallest drop it shows with {power} power is {_points(now.smallest_drop)}")
    if now.cost_usd is not None:
        lines.append(f"  one run costs {numbers.usd(now.cost_usd)}")
    lines.append(_needs(whole, power))
    if plan.looks is not None:
        lines += _looks(plan, power)
    lines += ["", *_noise(whole)]
    if plan.unmeasured:
        lines.append(f"  {numbers.count(plan.unmeasured)} cases were not measured and are not planned with")
    lines += ["", f"what passes an equal agent with {power}, by trials per case", ""]
    lines += _sizes([size for size in plan.by_trials if size is not None]) or ["  no number of cases does"]
    lines += ["", "more cases against more trials, from what there is", "", *_sizes(plan.by_size)]
    lines += [*_why_trials(whole), "", *_mcnemar(plan)]
    if plan.suites:
        lines += ["", "suite by suite", "", *_suites(plan.suites[:MOST_SUITES])]
        if len(plan.suites) > MOST_SUITES:
            lines.append(f"  and {len(plan.suites) - MOST_SUITES} more: --json")
    return lines


def _needs(part: SuitePlan, power: str) -> str:
    needed, now = part.needed, part.now
    if needed is None:
        return f"  no number of cases up to 200,000 gives {power}; use a wider --margin or more trials"
    if needed.cases <= now.cases:
        return f"  {power} needs {_amount(needed.cases, needed.trials)}, which it has"
    cost = "" if needed.cost_usd is None else f", {numbers.usd(needed.cost_usd)} a run"
    more = numbers.count(needed.cases - now.cases)
    return f"  {power} needs {_amount(needed.cases, needed.trials)}{cost}: {more} more cases"


def _looks(plan: Plan, power: str) -> list[str]:
    made, needed = plan.looks, plan.whole.needed
    assert made is not None
    assert needed is not None
    each = Decimal(0) if needed.cost_usd is None else needed.cost_usd / needed.cases
    cost = "" if needed.cost_usd is None else f", {numbers.usd(each * round(made.cases))} a run"
    share = numbers.share(made.cases / needed.cases, decimals=0)
    at = ", ".join(numbers.count(n) for n in made.looks)
    return [
        f"  {power} with looks = {len(made.looks)}: at most {numbers.count(made.looks[-1])} cases, "
        f"{numbers.count(round(made.cases))} on average{cost}, {share} of the fixed number",
        f"  looks at {at} cases (O'Brien-Fleming; normal approximation)",
    ]


def _noise(part: SuitePlan) -> list[str]:
    noise, spread = part.noise, part.noise.spread
    lines = [f"  chance within a case: p(1-p) = {numbers.plain(spread.within)}"]
    if not spread.separable:
        lines[0] += ", the most it can be (too few cases have several trials to tell)"
    if noise.change:
        text = f"cases also change for real, by {_points(noise.change**0.5)} (standard deviation)"
    elif noise.shared:
        text = f"two runs share {numbers.share(noise.shared, decimals=0)} of it (same seeds, replay)"
    else:
        text = "nothing of it is taken as shared between two runs"
    lines.append(f"  {text}; {noise.basis}")
    if part.families:
        families = numbers.count(part.families)
        lines.append(f"  the cases come in {families} families; the plan takes cases as independent, so plan for more")
    return lines


def _why_trials(part: SuitePlan) -> list[str]:
    """Why trials are worth less than cases, or as much."""
    if part.noise.change:
        return ["  more trials average out chance, never the real change of a case; more cases do both"]
    if not part.noise.spread.separable:
        return ["  with one trial a case nobody knows what more trials would average out; two are enough to tell"]
    return ["  more trials average out chance; only more cases show what the ones there are do not ask"]


def _mcnemar(plan: Plan) -> list[str]:
    sees = _chance(plan.mcnemar_power)
    needed = "more than 20,000 cases" if plan.mcnemar_cases is None else f"{numbers.count(plan.mcnemar_cases)} cases"
    power = numbers.share(plan.goal.power, decimals=0)
    return [
        f"McNemar's exact test, one trial a case, sees a drop of {_points(plan.goal.margin)} with a chance of {sees}; "
        f"{power} needs {needed}"
    ]


def _sizes(sizes: Sequence[Size]) -> list[str]:
    rows = [
        (
            numbers.count(size.cases),
            str(size.trials),
            numbers.count(size.cases * size.trials),
            "unknown" if size.cost_usd is None else numbers.usd(size.cost_usd),
            _chance(size.passes),
            "none" if size.smallest_drop is None else _points(size.smallest_drop),
            "exact" if size.method == "exact" else "normal",
        )
        for size in sizes
    ]
    return _table(("cases", "trials", "in all", "cost", "equal passes", "smallest drop", "by"), rows) if rows else []


def _suites(parts: Sequence[SuitePlan]) -> list[str]:
    names = [one_line(part.name.rpartition("::")[2] or part.name, 60) for part in parts]
    rows = [
        (
            name if names.count(name) == 1 else one_line(part.name, 90),
            _amount(part.now.cases, part.now.trials, short=True),
            numbers.share(part.noise.spread.rate),
            _chance(part.now.passes),
            "none" if part.now.smallest_drop is None else _points(part.now.smallest_drop),
            "-" if part.needed is None else numbers.count(part.needed.cases),
        )
        for name, part in zip(names, parts, strict=True)
    ]
    head = ("suite", "cases", "pass", "equal passes", "smallest drop", "cases needed")
    return _table(head, rows, left=(0,))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = ()) -> list[str]:
    sizes = [max(len(line[n]) for line in (head, *rows)) for n in range(len(head))]
    return [
        "  " + "  ".join(t.ljust(sizes[n]) if n in left else t.rjust(sizes[n]) for n, t in enumerate(line)).rstrip()
        for line in (head, *rows)
    ]


def _amount(cases: int, trials: int, *, short: bool = False) -> str:
    if short:
        return f"{numbers.count(cases)} x {trials}"
    return f"{numbers.count(cases)} case{'' if cases == 1 else 's'} x {trials} trial{'' if trials == 1 else 's'}"


def _chance(value: float) -> str:
    """A chance; whether it is one in a million or in a billion says nothing about a suite."""
    if 0 < value < 0.001 or 0.999 < value < 1:
        return "<0.1%" if value < 0.5 else ">99.9%"
    return numbers.share(value)


def _points(value: float) -> str:
    """A size in percentage points, without a sign."""
    return numbers.points(value).removeprefix("+")

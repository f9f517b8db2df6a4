"""How many cases and trials a margin needs, what they cost, and the smallest regression that this suite can see.

From the chance that a stored run shows, and from what it shares with the run before it (same seeds, replayed replies).
Before there is a run, from --rate and --cases. The gate planned for is no_regression: paired by case, non-inferior by a
margin. Runs no agent.
"""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from harness.commands.project import RUN_HELP, Say, add_project_arguments, open_project
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.commands.plan_numbers import Goal
    from harness.commands.plan_report import Plan

EXAMPLES = """\
examples:
  harness plan                                   the newest run, a margin of 5 points, 80% power
  harness plan latest --margin 2 --power .9      a stricter gate
  harness plan latest --suite suites/tools       only these suites
  harness plan --rate .9 --cases 60              before there is a run
  harness plan --looks 4                         what four planned looks would save
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("RUN", nargs="?", help=f"{RUN_HELP}; default: latest")
    parser.add_argument("--margin", type=float, default=5.0, metavar="POINTS", help="acceptable drop; default: 5")
    parser.add_argument("--power", type=float, default=0.8, metavar="SHARE", help="in (0.5, 1); default: .8")
    parser.add_argument(
        "--confidence", type=float, default=0.975, metavar="SHARE", help="of the gate's bounds; default: .975"
    )
    parser.add_argument(
        "--suite", action="append", default=[], metavar="PREFIX", help="only suites below this; may be repeated"
    )
    parser.add_argument(
        "--shared",
        type=float,
        metavar="SHARE",
        help="of chance that two runs share, in [0, 1); default: as measured against the run before, else 0",
    )
    parser.add_argument(
        "--looks", type=int, metavar="N", help="also plan the goal with N looks, as looks = N of the rule"
    )
    parser.add_argument("--rate", type=float, metavar="SHARE", help="plan without a run: the pass rate to expect")
    parser.add_argument("--cases", type=int, metavar="N", help="with --rate: cases; default: 100")
    parser.add_argument("--trials", type=int, metavar="N", help="with --rate: trials per case; default: 1")
    parser.add_argument("--trial-usd", metavar="USD", help="with --rate: what one trial costs")
    parser.add_argument("--json", action="store_true", help="as JSON instead of text")
    add_project_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Plan, print."""
    from harness.commands.plan_text import plan_lines

    goal = _goal(args)
    plan = _from_numbers(args, goal) if args.rate is not None else _from_run(args, goal)
    if args.looks is not None:
        from harness.commands.plan_report import with_looks

        plan = with_looks(plan, args.looks)
    if args.json:
        import json

        from harness.commands.plan_report import plan_json

        say(json.dumps(plan_json(plan), indent=2, default=str))
        return 0
    for line in plan_lines(plan):
        say(line)
    return 0


def _goal(args: argparse.Namespace) -> Goal:
    from harness.commands.plan_numbers import Goal

    if not 0 < args.margin < 100:
        raise UsageError(f"--margin is in percentage points between 0 and 100, got {args.margin:g}")
    if not 0.5 < args.power < 1:
        raise UsageError(f"--power is a share between 0.5 and 1, such as .8, got {args.power:g}")
    if not 0.5 < args.confidence < 1:
        raise UsageError(f"--confidence is a share between 0.5 and 1, such as .975, got {args.confidence:g}")
    if args.looks is not None and not 1 <= args.looks <= 50:
        raise UsageError(f"--looks is a number of planned looks from 1 to 50, such as 4, got {args.looks}")
    if args.shared is not None and not 0 <= args.shared < 1:
        raise UsageError(f"--shared is a share from 0 to below 1, got {args.shared:g}")
    return Goal(margin=args.margin / 100, power=args.power, confidence=args.confidence)


def _from_run(args: argparse.Namespace, goal: Goal) -> Plan:
    from harness.commands.plan_report import older_runs, plan_from_run
    from harness.results.reader import open_run
    from harness.results.run_folder import list_run_folders

    for name in ("cases", "trials", "trial_usd"):
        if getattr(args, name) is not None:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} is for a plan without a run, so it needs --rate too, such as --rate .9")
    project = open_project(args)
    if args.RUN is None and not list_run_folders(project.settings.runs):
        raise UsageError(
            f"there is no run in {project.shown(project.settings.runs)} to plan from. Make one: pytest suites. Or plan "
            "from what you expect: harness plan --rate .9 --cases 60"
        )
    folder = project.run_folder(args.RUN or "latest")
    older = older_runs(folder, project.settings.runs) if args.shared is None else []
    return plan_from_run(open_run(folder, strict=False), goal, suites=args.suite, older=older, shared=args.shared)


def _from_numbers(args: argparse.Namespace, goal: Goal) -> Plan:
    from harness.commands.plan_report import plan_from_numbers

    if args.RUN is not None or args.suite:
        raise UsageError("--rate plans without a run; leave out RUN and --suite, or leave out --rate")
    if not 0 < args.rate <= 1:
        raise UsageError(f"--rate is a pass rate above 0 and at most 1, such as .9, got {args.rate:g}")
    cases, trials = (100 if args.cases is None else args.cases), (1 if args.trials is None else args.trials)
    if not 1 <= cases <= 200_000 or not 1 <= trials <= 100:
        raise UsageError(f"--cases lies in 1 to 200,000 and --trials in 1 to 100, got {cases} and {trials}")
    try:
        price = None if args.trial_usd is None else Decimal(args.trial_usd)
        if price is not None and not (price.is_finite() and price >= 0):
            raise InvalidOperation
    except InvalidOperation:
        raise UsageError(f"--trial-usd is an amount of US dollars such as 0.002, got {args.trial_usd!r}") from None
    return plan_from_numbers(
        goal, cases=cases, rate=args.rate, trials=trials, shared=args.shared or 0.0, trial_usd=price
    )

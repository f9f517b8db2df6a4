"""Accept a run as what later runs are compared with: a small, diff-stable file in reports/baselines, to be committed.

Only a whole run can be a baseline: a partial, unfinished or unmeasured one is refused, and so is one that the gate
failed, unless you say that you mean it.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.project import RUN_HELP, Project, Say, add_project_arguments, open_project
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.core.comparison import Baseline
    from harness.core.record import Run

EXAMPLES = """\
examples:
  harness baseline accept latest                                     writes reports/baselines/main.json
  harness baseline accept latest --suite suites/support_desk         only these, into support_desk.json
  git add reports/baselines && git commit -m "Accept the new prompt"
"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="accept", required=True)
    accept = verbs.add_parser(
        "accept",
        help="write a run's summary into reports/baselines",
        description=(__doc__ or "").strip(),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    accept.add_argument("RUN", help=RUN_HELP)
    accept.add_argument(
        "--suite", action="append", default=[], metavar="PREFIX", help="only suites below this; may be repeated"
    )
    accept.add_argument("--name", help="name of the file; default: the last part of --suite, else main")
    accept.add_argument("--although-failed", action="store_true", help="accept a run that the gate failed")
    add_project_arguments(accept)


def run(args: argparse.Namespace, say: Say) -> int:
    """Check, write, say what was accepted."""
    from harness.commands.baselines import FOLDER
    from harness.core.comparison import make_baseline
    from harness.results.reader import open_run
    from harness.results.run_folder import write_atomically

    project = open_project(args)
    folder = project.run_folder(args.RUN)
    stored = open_run(folder, strict=False)
    refuse_unfit(stored)
    said = _gate(project, folder, although_failed=args.although_failed)
    baseline = make_baseline(stored.manifest, stored.records)
    if args.suite:
        baseline = only_suites(baseline, args.suite, stored)
    measured = sum(len(cases) for cases in baseline.suites.values())
    if not measured:
        raise UsageError(
            f"{folder.name} measured no case, so there is nothing to compare with; run again: pytest suites"
        )
    target = project.root / FOLDER / f"{_name(args.name, args.suite)}.json"
    existed = target.exists()
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, baseline.to_text().encode())
    say(f"{'replaced' if existed else 'wrote'} {project.shown(target)}: run {folder.name}, {measured} measured cases")
    planned = sum(plan.cases for plan in stored.manifest.planned)
    if not args.suite and measured < planned:
        say(f"note: {planned - measured} of {planned} planned cases were not measured and are not in it")
    if stored.manifest.dirty:
        say("note: the run was made with changes that are not in the commit it names")
    if said != "pass":
        say(f"note: the gate's answer to this run is {said}")
    say(f"commit it: git add {project.shown(target)}")
    return 0


def refuse_unfit(stored: Run) -> None:
    """Raise UsageError for a run that nothing should be compared with, with the reason."""
    manifest = stored.manifest
    name = manifest.run_id
    if manifest.partial:
        raise UsageError(
            f"{name} is partial: a selection left cases out, and a baseline of it would hide what it lacks; "
            "run everything: pytest suites"
        )
    if manifest.exit_reason:
        raise UsageError(
            f"{name} did not finish ({manifest.exit_reason}); finish it: pytest suites --harness-resume={name}"
        )
    if not manifest.finished_at:
        raise UsageError(f"{name} was cut off, or still runs; finish it: pytest suites --harness-resume={name}")
    if stored.notices:
        raise UsageError(f"{name} was not read whole ({stored.notices[0]}); resume it or run again")


def only_suites(baseline: Baseline, prefixes: list[str], stored: Run) -> Baseline:
    """The part of a baseline below the given prefixes (a folder, a file or a test).

    :raises UsageError: a prefix fits no suite of the run.
    """
    from harness.core.comparison import suite_key

    def below(name: str, prefix: str) -> bool:
        rest = name[len(prefix) :]
        return name.startswith(prefix) and (not rest or rest[0] in "/:[")

    wanted = [prefix.rstrip("/") for prefix in prefixes]
    for prefix in wanted:
        if not any(below(name, prefix) for name in baseline.suites):
            raise UsageError(f"--suite {prefix}: the run has no such suite; it has {', '.join(baseline.suites)}")
    kept = {name for name in baseline.suites if any(below(name, prefix) for prefix in wanted)}
    datasets = {plan.dataset for plan in stored.manifest.planned if suite_key(plan.suite, plan.arm) in kept}
    return replace(
        baseline,
        suites={name: cases for name, cases in baseline.suites.items() if name in kept},
        costs_usd={name: cost for name, cost in baseline.costs_usd.items() if name in kept},
        latency_p50_s={name: value for name, value in baseline.latency_p50_s.items() if name in kept},
        datasets={name: value for name, value in baseline.datasets.items() if name in datasets},
    )


def _gate(project: Project, folder: Path, *, although_failed: bool) -> str:
    """The gate's answer, the comparison with an older baseline left aside: a first one has none to compare with."""
    from harness.core.verdict import combine
    from harness.plugin.judging import judge_run

    judged = judge_run(folder, settings=project.settings, root=project.root, write=False)
    answer = combine(verdict for verdict in judged.verdicts if not verdict.baseline_missing)
    if answer == "fail" and not although_failed:
        failed = next(v for v in judged.verdicts if v.answer == "fail" and not v.advisory)
        raise UsageError(
            f"{folder.name} failed the gate ({failed.rule}: {failed.reason}); a baseline is what later runs must not "
            "fall below. If you mean it: --although-failed"
        )
    return answer


def _name(given: str | None, suites: list[str]) -> str:
    if given is None:
        given = Path(suites[0].rstrip("/").partition("::")[0]).stem if len(suites) == 1 else "main"
    given = given.removesuffix(".json")
    if not _NAME.fullmatch(given):
        raise UsageError(f"--name {given!r} cannot be a file's name; use letters, digits, dots and dashes")
    return given

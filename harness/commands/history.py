"""The runs of this project, newest last: when, which agent, what was measured, what it cost, what the gate said.

--trend shows how the suites went over the comparable runs (same agent, same mode, whole) up to the newest whole one;
--alerts looks at that run, keeps what it finds in its alerts.jsonl, and tells a --webhook where one is named.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands.project import Project, Say, add_project_arguments, open_project, screen
from harness.core.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.results.alerts import Alert, Limits
    from harness.results.history import RunSummary
    from harness.results.suite_history import RunFigures

EXAMPLES = """\
examples:
  harness history
  harness history --limit 5
  harness history --json | jq '.[] | select(.verdict == "fail") | .run_id'
  harness history --trend                                   sparklines, alarms, shifts, drift
  harness history --alerts --cost 25                        another limit than 10 %
  harness history --webhook "$ALERTS_URL"                   after a nightly run
"""
LIMITS = (
    (
        "drop",
        "pass_rate_drop",
        "pass rate below that of the runs before, relative; default: [tool.harness.alerts], else 20",
    ),
    ("errors", "error_rate", "trials that could not be measured; default: as there, else 5"),
    ("cost", "cost_rise", "cost of a trial above that of the runs before; default: as there, else 10"),
)
"""Flag, field of the limits, help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="the newest N; 0: all; default: 20")
    parser.add_argument("--trend", action="store_true", help="pass rate, cost and latency over the comparable runs")
    parser.add_argument("--alerts", action="store_true", help="what in the newest run somebody should look at")
    parser.add_argument(
        "--webhook",
        metavar="URL",
        help="also post the alerts there as JSON, if there are any; default: webhook of [tool.harness.alerts]",
    )
    for flag, _, text in LIMITS:
        parser.add_argument(f"--{flag}", type=float, metavar="PERCENT", help=f"alert: {text}")
    parser.add_argument("--json", action="store_true", help="as JSON instead of a table")
    add_project_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """List, or look at the newest whole run."""
    if args.limit < 0:
        raise UsageError(f"--limit must be at least 0, got {args.limit}")
    _check_limits(args)
    if args.webhook:
        from harness.commands.watch_history import check_webhook

        check_webhook(args.webhook)
    project = open_project(args)
    said = project.settings.alerts
    limits = _limits(args, said)
    if args.alerts and not args.webhook:
        args.webhook = str(said.get("webhook", "")) or None
    if args.trend or args.alerts or args.webhook:
        return _look(args, project, limits, say)
    return _list(args, project, say)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """The newest whole run with its comparable ones."""

    folder: Path
    runs: list[RunFigures]
    """Oldest first, that run last."""
    passed_over: int
    """Newer runs that are partial, unfinished or stopped early."""


def look_back(project: Project, *, most: int) -> Looked:
    """The newest whole run and those it can be set beside.

    :raises HarnessError: there is none.
    """
    from harness.core.tally import tally
    from harness.results.reader import open_run
    from harness.results.run_folder import list_run_folders, read_manifest
    from harness.results.suite_history import comparable_runs, figures, is_whole_run

    runs = project.settings.runs
    for passed_over, folder in enumerate(reversed(list_run_folders(runs))):
        try:
            manifest = read_manifest(folder)
        except HarnessError:
            continue
        if manifest is not None and is_whole_run(manifest):
            run = open_run(folder, strict=False)
            newest = figures(manifest, tally(manifest, run.records))
            older = comparable_runs(runs, manifest, before=folder.name, most=most - 1)
            return Looked(folder=folder, runs=[*older, newest], passed_over=passed_over)
    raise UsageError(
        f"there is no whole run in {project.shown(runs)} yet (partial, unfinished and early-stopped ones have no "
        "trend); make one: pytest suites"
    )


def _look(args: argparse.Namespace, project: Project, limits: Limits, say: Say) -> int:
    from harness.commands.history_text import trend_text
    from harness.commands.history_trend import FEWEST, trend_lines
    from harness.commands.watch_history import alert_lines, find_alerts, post_alerts

    looked = look_back(project, most=args.limit if args.limit > 1 else 10_000)
    lines = trend_lines(looked.runs)
    moved = _drift(looked, project) if args.trend and len(looked.runs) > 1 else []
    alerts: list[Alert] | None = None
    run_id, file = looked.folder.name, looked.folder / "alerts.jsonl"
    if args.alerts or args.webhook:
        from harness.results.alerts import write_alerts

        alerts = find_alerts(looked.runs, limits, lines)
        file = write_alerts(looked.folder, run_id, alerts)
    if args.json:
        import json

        say(json.dumps(_plain(looked, lines, moved, alerts), indent=2, default=str))
    elif args.trend:
        if lines:
            text = trend_text(lines, ascii_only=screen().ascii_only)
        else:
            text = [f"{len(looked.runs)} comparable run(s) so far; a trend begins with {FEWEST}: pytest suites"]
        for line in text:
            say(line)
        if len(looked.runs) > 1:
            from harness.commands.history_drift import drift_lines

            say("")
            for line in drift_lines(moved, old=looked.runs[-2].run_id, new=run_id):
                say(line)
        if looked.passed_over:
            say(f"\n{looked.passed_over} newer runs are partial, unfinished or stopped early, and not in this trend")
    if alerts is not None and not args.json:
        for line in ["", *alert_lines(alerts, run_id)] if args.trend else alert_lines(alerts, run_id):
            say(line)
        say(f"kept in {project.shown(file)}")
    if args.webhook and alerts:
        host = post_alerts(args.webhook, alerts, run_id, file=file)
        if not args.json:
            say(f"told the webhook at {host}")
    return 0


def _check_limits(args: argparse.Namespace) -> None:
    for flag, name, _ in LIMITS:
        value = getattr(args, flag)
        if value is None:
            continue
        if not (args.alerts or args.webhook):
            raise UsageError(f"--{flag} is a limit of alerts, so it needs --alerts too")
        if not 0 <= value <= (100 if name != "cost_rise" else 1e6):
            raise UsageError(f"--{flag} is in percent, such as 10, got {value:g}")


def _limits(args: argparse.Namespace, said: Mapping[str, float | str]) -> Limits:
    """Command line over environment over ``[tool.harness.alerts]`` over the defaults, limit by limit."""
    from harness.results.alerts import Limits

    given: dict[str, float] = {}
    for flag, name, _ in LIMITS:
        value = getattr(args, flag)
        value = said.get(flag) if value is None else value
        if value is not None:
            given[name] = float(value) / 100
    return Limits(**given)


def _drift(looked: Looked, project: Project) -> list[Any]:
    from harness.commands.history_drift import behaviour, drifts
    from harness.results.reader import open_run

    folders = [project.settings.runs / looked.runs[-2].run_id, looked.folder]
    old, new = (behaviour(open_run(folder, strict=False).records) for folder in folders)
    return drifts(old, new)


def _plain(looked: Looked, lines: Any, moved: list[Any], alerts: list[Alert] | None) -> dict[str, Any]:
    from harness.commands.history_drift import drift_json

    return {
        "run_id": looked.folder.name,
        "comparable_runs": [item.run_id for item in looked.runs],
        "lines": [{**vars(line), "points": [vars(point) for point in line.points]} for line in lines],
        "drift": drift_json(moved),
        "alerts": None if alerts is None else [alert.to_json() for alert in alerts],
    }


def _list(args: argparse.Namespace, project: Project, say: Say) -> int:
    from harness.results.history import list_runs

    runs = list_runs(project.settings.runs)
    shown = runs[-args.limit :] if args.limit else runs
    if args.json:
        import json

        found = [{**vars(item), "pass_rate": item.pass_rate} for item in shown]
        say(json.dumps(found, indent=2, default=str))
        return 0
    if not shown:
        say(f"no runs in {project.shown(project.settings.runs)} yet; make one: pytest suites")
        return 0
    for line in _table(shown):
        say(line)
    if len(runs) > len(shown):
        say(f"and {len(runs) - len(shown):,} older; all of them: harness history --limit 0")
    return 0


def _table(runs: list[RunSummary]) -> list[str]:
    from harness.reporting import numbers
    from harness.reporting.visible_text import one_line

    head = ("run", "verdict", "passed", "measured", "cost", "agent", "commit", "notes")
    rows = [
        (
            one_line(item.path, 60),
            item.verdict or "-",
            numbers.share(item.pass_rate) if item.measured else "-",
            numbers.n_of(item.measured, item.planned),
            numbers.usd(item.cost_usd) if item.cost_usd is not None else "unknown",
            one_line(item.agent, 40) or "-",
            (item.commit[:10] + ("+" if item.dirty else "")) or "-",
            one_line(_notes(item), 80),
        )
        for item in runs
    ]
    sizes = [max(len(line[n]) for line in (head, *rows)) for n in range(len(head))]
    right = (2, 3, 4)
    return [
        "  ".join(text.rjust(sizes[n]) if n in right else text.ljust(sizes[n]) for n, text in enumerate(line)).rstrip()
        for line in (head, *rows)
    ]


def _notes(item: RunSummary) -> str:
    notes = []
    if item.mode not in ("", "replay"):
        notes.append(item.mode)
    if item.partial:
        notes.append("partial")
    if item.exit_reason:
        notes.append(item.exit_reason)
    elif not item.finished_at:
        notes.append("cut off, or still running")
    if item.problem:
        notes.append(item.problem)
    return "; ".join(notes)

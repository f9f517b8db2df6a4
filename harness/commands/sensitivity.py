"""Does the suite notice anything? Puts faults into the trajectories of a stored run and has its suites judge them.

No agent is run: every trial that passed is played to its suite again with a call left out, a number invented, an
instruction obeyed ..., by the evaluators and bodies as they are now. Written into the run's folder, so that
'harness report' shows it and rules of kind "kill_rate" decide on it.

exit codes: 0, or what the rules of kind "kill_rate" say: 10 fail, 11 inconclusive
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness.commands.project import (
    RUN_HELP,
    Project,
    Say,
    add_judging_arguments,
    add_project_arguments,
    open_project,
    screen,
)
from harness.core.errors import HarnessError, UsageError

EXAMPLES = """\
examples:
  harness sensitivity                        the newest run
  harness sensitivity latest --seed 7        with other faults
  harness sensitivity latest --json | jq .kill_rate
  pytest suites --harness-sensitivity        live: also with the agent's prompt, tools and model made worse
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("RUN", nargs="?", default="latest", help=f"{RUN_HELP}; default: latest")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="of the faults; default: as in a session")
    parser.add_argument("--json", action="store_true", help="every line as JSON instead of text")
    add_judging_arguments(parser)
    add_project_arguments(parser)


def run(args: argparse.Namespace, say: Say) -> int:
    """Attack, write, print, answer with the exit code."""
    from harness.plugin.judging import exit_status, judge_run
    from harness.plugin.noticed import noticed_lines

    if args.seed is not None and args.seed < 0:
        raise UsageError(f"--seed must be a whole number of at least 0, got {args.seed}")
    project = open_project(args)
    folder = project.run_folder(args.RUN)
    attack(project, folder, seed=args.seed)
    judged = judge_run(folder, settings=project.settings, root=project.root, write=False)
    told = judged.scorecard.sensitivity
    if told is None:
        raise HarnessError(f"{folder}: no trial of the run could be attacked; see: harness report {folder.name}")
    kills = tuple(verdict for verdict in judged.verdicts if verdict.rule in _rules(project))
    code = exit_status(0, _only(judged, kills)) if kills else 0
    if args.json:
        import json

        say(json.dumps(plain(told, kills, code), indent=2))
        return code
    say(f"run {folder.name}")
    for line in noticed_lines(told, ascii_only=screen().ascii_only):
        say(line)
    for verdict in kills:
        say(f"{verdict.answer} {verdict.rule}: {verdict.reason}")
    return code


def attack(project: Project, folder: Path, *, seed: int | None = None) -> None:
    """Have the suites of a stored run judge its trajectories with faults in them; the lines go into its folder.

    :raises HarnessError: the run holds nothing that could be attacked, or the suites cannot be collected any more.
    """
    from harness.results.run_folder import read_manifest
    from harness.sensitivity.store import PATTERN, forget

    manifest = read_manifest(folder)
    files = list(dict.fromkeys(plan.suite.partition("::")[0] for plan in manifest.planned)) if manifest else []
    if not files:
        raise HarnessError(f"{folder}: its manifest plans no suite, so there is nothing to judge faults by")
    if gone := [name for name in files if not (project.root / name).exists()]:
        raise HarnessError(f"{folder.name} ran {gone[0]}, which is not in {project.root} any more; run the suites anew")
    with tempfile.TemporaryDirectory(prefix="harness-sensitivity-") as place:
        seed = project.settings.seed if seed is None else seed
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=short",
            f"--rootdir={project.root}", f"--harness-sensitivity-of={folder.absolute()}", f"--harness-runs={place}",
            f"--harness-seed={seed}", *files,
        ]  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HARNESS_", "PYTEST_"))}
        done = subprocess.run(
            [*command, *_loaded()], cwd=project.root, env=kept, capture_output=True, text=True, check=False
        )
        made = sorted(Path(place).glob(f"*/{PATTERN}"))
        if not made:
            said = (done.stdout + done.stderr).strip().splitlines()[-12:]
            raise HarnessError(f"{folder.name}: its suites judged no fault (pytest said {done.returncode}):\n" +
                               "\n".join(said))  # fmt: skip
        forget(folder)
        for path in made:
            shutil.copy(path, folder / path.name)


def _loaded() -> list[str]:
    """Names the plugin where pytest's entry point would load none, or another one's."""
    from importlib.metadata import entry_points

    there = any(point.value.startswith("harness.plugin.entry") for point in entry_points(group="pytest11"))
    return [] if there else ["-p", "harness.plugin.entry"]


def _rules(project: Project) -> set[str]:
    from harness.gates.kill_rate import KillRate
    from harness.plugin.judging import rules_of

    return {rule.name for rule in rules_of(project.settings) if isinstance(rule, KillRate)}


def _only(judged: Any, verdicts: Any) -> Any:
    from dataclasses import replace

    from harness.core.verdict import combine

    return replace(judged, verdicts=verdicts, answer=combine(verdicts))


def plain(told: Any, verdicts: Any, code: int) -> dict[str, Any]:
    """Everything, as JSON."""
    return {
        "exit_code": code,
        "kill_rate": told.killed / told.judged if told.judged else None,
        "killed": told.killed,
        "judged": told.judged,
        "attacked": told.attacked,
        "left_out": told.left_out,
        "seed": told.seed,
        "faults": [{**vars(line), "rate": line.rate} for line in told.faults],
        "judges": [vars(line) for line in told.judges],
        "bounds": [{**vars(line), "refused": line.refused} for line in told.bounds],
        "survivors": [vars(line) for line in told.survivors],
        "toothless": [vars(line) for line in told.toothless],
        "verdicts": [verdict.to_json() for verdict in verdicts],
        "notices": list(told.notices),
    }

"""The end of a session: close the run, judge it, write the reports, set the exit status, print the verdict."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.clock import iso_utc
from harness.core.errors import HarnessError
from harness.core.record import Manifest
from harness.plugin.ends import forget_ends
from harness.plugin.judging import (
    BUDGET,
    GATE_FAILED,
    INCONCLUSIVE,
    NO_BASELINE,
    Judged,
    exit_status,
    judge_run,
)
from harness.plugin.options import load_settings
from harness.plugin.serial import ORDER
from harness.plugin.session import KEY, HarnessSession
from harness.plugin.workers import CRASHES, REASONS, forget_claim, run_of, serial_folder

__all__ = ["BUDGET", "GATE_FAILED", "INCONCLUSIVE", "NO_BASELINE", "Judged", "exit_status", "finish", "print_summary"]

RESULT: pytest.StashKey[Judged] = pytest.StashKey()
TROUBLE: pytest.StashKey[list[str]] = pytest.StashKey()


def finish(session: pytest.Session, exitstatus: int) -> None:
    """Called at the end of every session that collected golden items; workers only close their journals."""
    config = session.config
    shared = config.stash.get(KEY, None)
    if shared is not None:
        shared.close()
    if hasattr(config, "workerinput"):
        if shared is not None and shared.exit_reason:
            config.workeroutput["harness_exit_reason"] = shared.exit_reason  # type: ignore[attr-defined]
        return
    if (order := config.stash.get(ORDER, None)) is not None:
        if shared is not None and shared.folder is not None:
            order.tell({"folder": str(shared.folder)})
        return  # the controller judges
    folder = (
        shared.folder if shared is not None and shared.folder is not None else run_of(config) or serial_folder(config)
    )
    if folder is None:
        return
    trouble = config.stash.setdefault(TROUBLE, [])
    try:
        manifest = _final_manifest(config, folder, exitstatus, shared)
        judged = config.stash[RESULT] = judge(folder, manifest, config)
        session.exitstatus = exit_status(int(session.exitstatus), judged)
    except HarnessError as error:
        trouble.append(str(error))
        if int(session.exitstatus) == 0:
            session.exitstatus = INCONCLUSIVE
    finally:
        uid = _session_uid(config)
        if uid:
            forget_claim(config, uid)
            forget_ends(folder)


def _session_uid(config: pytest.Config) -> str:
    for plugin in config.pluginmanager.get_plugins():
        uid = getattr(getattr(plugin, "nodemanager", None), "testrunuid", None)
        if uid is not None:
            return str(uid)
    return ""


def _final_manifest(config: pytest.Config, folder: Path, exitstatus: int, shared: HarnessSession | None) -> Manifest:
    from harness.results.run_folder import read_manifest, write_manifest

    manifest = read_manifest(folder)
    if manifest is None:
        raise HarnessError(f"{folder}: the manifest is gone, so the run cannot be judged")
    reasons = [shared.exit_reason] if shared is not None else config.stash.get(REASONS, [])
    reason = "budget" if "budget" in reasons else next(iter(reasons), "")
    crashes = config.stash.get(CRASHES, [])
    if crashes:
        reason = reason or "worker crashed: " + "; ".join(crashes)
    if int(exitstatus) == int(pytest.ExitCode.INTERRUPTED):
        reason = reason or "interrupted"
    elif int(exitstatus) == int(pytest.ExitCode.INTERNAL_ERROR):
        reason = reason or "internal error"
    models = set(shared.models) if shared is not None else set()
    manifest = replace(
        manifest,
        finished_at=iso_utc(time.time()),
        exit_reason=reason,
        models=tuple(sorted(models | set(manifest.models))),
        command=tuple(str(arg) for arg in config.invocation_params.args),
    )
    write_manifest(folder, manifest)
    return manifest


def judge(folder: Path, manifest: Manifest, config: pytest.Config) -> Judged:
    """Scorecard, verdicts and reports of a stored run, by the rules of this project."""
    return judge_run(folder, manifest=manifest, settings=load_settings(config), root=config.rootpath)


def print_summary(reporter: Any, config: pytest.Config) -> None:
    """The verdict and where the reports are, last on the screen."""
    for text in config.stash.get(TROUBLE, []):
        reporter.write_line(f"harness: {text}", red=True)
    judged = config.stash.get(RESULT, None)
    if judged is None:
        return
    from harness.commands.verdict_lines import verdict_lines

    reporter.write_sep("=", "scorecard")
    for text in verdict_lines(judged, width=reporter._tw.fullwidth, colour=bool(reporter._tw.hasmarkup)):
        reporter.write_line(text)
    if (told := judged.scorecard.sensitivity) is not None:
        from harness.plugin.noticed import noticed_lines

        for text in noticed_lines(told):
            reporter.write_line(text)
    shared = config.stash.get(KEY, None)
    for notice in shared.notices if shared is not None else ():
        reporter.write_line(f"note: {notice}")
    reporter.write_line(f"scorecard: {_shown(judged.folder / 'scorecard.html', config)}")


def _shown(path: Path, config: pytest.Config) -> str:
    try:
        return os.path.relpath(path, config.invocation_params.dir)
    except ValueError:
        return str(path)

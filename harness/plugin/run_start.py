"""The run folder of a session: made once, shared by its workers, locked against a second session."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.clock import iso_utc
from harness.core.errors import HarnessError

if TYPE_CHECKING:
    from harness.plugin.session import HarnessSession

WAIT_S = 30.0
"""How long a worker waits for its sister to make the folder."""


def claim_path(runs: Path, session_uid: str) -> Path:
    """The file by which the workers of one pytest-xdist session agree on a run."""
    return runs / f".session-{session_uid}"


def claim_folder(shared: HarnessSession) -> tuple[Path, str, str]:
    """``(folder, run_id, created_at)`` of this session's run.

    With pytest-xdist the first worker that collected golden items makes the folder and writes its name into a claim
    file; the others read it. The controller reads it too, and removes it at the end.

    :raises HarnessError: the folder cannot be made, or the run to resume does not exist.
    """
    from harness.results.run_folder import find_run, new_run_folder

    runs = shared.settings.runs
    created = iso_utc(time.time())
    if shared.settings.resume:
        folder = find_run(runs, shared.settings.resume)
        if shared.worker != "main":
            _publish(runs, session_uid(shared), str(folder))
        return folder, folder.name, created
    if shared.worker == "main":
        run_id, folder = new_run_folder(runs)
        return folder, run_id, created
    claim = claim_path(runs, session_uid(shared))
    runs.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return _await_claim(claim, created)
    run_id, folder = new_run_folder(runs)
    _publish(runs, session_uid(shared), str(folder))
    return folder, run_id, created


def session_uid(shared: HarnessSession) -> str:
    """What the workers of one pytest-xdist session have in common."""
    return str(shared.config.workerinput["testrunuid"])  # type: ignore[attr-defined]


def _publish(runs: Path, uid: str, folder: str) -> None:
    claim = claim_path(runs, uid)
    partial = claim.with_name(f"{claim.name}.{os.getpid()}")
    partial.write_text(folder, encoding="utf-8")
    os.replace(partial, claim)


def _await_claim(claim: Path, created: str) -> tuple[Path, str, str]:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        text = claim.read_text(encoding="utf-8")
        if text:
            return Path(text), Path(text).name, created
        time.sleep(0.01)
    raise HarnessError(f"{claim}: another worker claimed the run and never made its folder; start the run again")

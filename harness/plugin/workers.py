"""Working under pytest-xdist: golden items dealt in one go, and a crash that is not forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.plugin.run_start import claim_path

CRASHES: pytest.StashKey[list[str]] = pytest.StashKey()
REASONS: pytest.StashKey[list[str]] = pytest.StashKey()
"""Why workers stopped of their own accord (``budget``)."""


def run_of(config: pytest.Config) -> Path | None:
    """On the controller: the run folder that the workers agreed on, or None when there is no golden item."""
    manager = getattr(config, "_harness_uid", None)
    if manager is None:
        for plugin in config.pluginmanager.get_plugins():
            nodes = getattr(plugin, "nodemanager", None)
            manager = getattr(nodes, "testrunuid", None)
            if manager is not None:
                break
    if manager is None:
        return None
    from harness.plugin.options import load_settings

    claim = claim_path(load_settings(config).runs, str(manager))
    try:
        text = claim.read_text(encoding="utf-8")
    except OSError:
        return None
    return Path(text) if text else None


def has_run(config: pytest.Config) -> bool:
    """Whether this is a controller whose workers, or whose serial phase, kept a run."""
    return _is_controller(config) and (run_of(config) is not None or serial_folder(config) is not None)


def serial_folder(config: pytest.Config) -> Path | None:
    """On the controller: the run that the serial phase made, or None."""
    from harness.plugin.serial import FOLDER

    return config.stash.get(FOLDER, None)


def run_serial_phase(session: pytest.Session) -> None:
    """On the controller, when all workers have ended: what they left out, see :mod:`harness.plugin.serial`."""
    from harness.plugin.serial import IDS, run_apart

    ids = session.config.stash.get(IDS, [])
    if ids and _is_controller(session.config) and not (session.shouldstop or session.shouldfail):
        run_apart(session, ids, run_of(session.config))


def forget_claim(config: pytest.Config, uid: str) -> None:
    """Remove the claim file of a finished session."""
    from harness.plugin.options import load_settings

    claim_path(load_settings(config).runs, uid).unlink(missing_ok=True)


def _is_controller(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput") and bool(getattr(config.option, "tx", None))


def note_end(node: Any, error: Any) -> None:
    """Remember why a worker ended early: what it said itself, or that it crashed."""
    output = getattr(node, "workeroutput", {})
    if output.get("harness_serial"):
        from harness.plugin.serial import IDS

        node.config.stash[IDS] = list(output["harness_serial"])
    said = output.get("harness_exit_reason")
    if said:
        node.config.stash.setdefault(REASONS, []).append(str(said))
    elif error is not None:
        node.config.stash.setdefault(CRASHES, []).append(f"{node.gateway.id}: {str(error)[:200]}")


def _may_stop_early(config: pytest.Config) -> bool:
    from harness.plugin.options import load_settings

    return bool(load_settings(config).until_decided)


def make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A scheduler that deals all items at once where they are golden, or None to leave pytest-xdist's choice."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler.load import LoadScheduling

    class RunAheadScheduling(LoadScheduling):  # type: ignore[misc]
        """pytest-xdist's load scheduling, but each worker gets its whole share of a golden run at the start.

        A worker that is fed two items at a time cannot run ahead. A share is a contiguous part, so that module
        fixtures are set up once; what a crashed worker leaves is dealt again by the parent class. A run that may stop
        early is dealt like cards instead: evidence counts along one order, and all workers work at its front.
        """

        def _send_tests(self, node: Any, num: int) -> None:
            if run_of(self.config) is not None and self.pending:
                fresh = [other for other in self.nodes if not self.node2pending[other]]
                share = -(-len(self.pending) // max(1, len(fresh)))
                num = max(num, share)
                if len(fresh) > 1 and not self.node2pending[node] and _may_stop_early(self.config):
                    mine = self.pending[:: len(fresh)]
                    self.pending[:] = mine + [item for at, item in enumerate(self.pending) if at % len(fresh)]
                    num = len(mine)
            super()._send_tests(node, num)

    return RunAheadScheduling(config, log)

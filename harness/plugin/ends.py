"""Ends: which trials have ended in which worker, told to the sister workers of a run that may stop early.

Every worker of pytest-xdist has the whole plan (all collect the same items) and decides for itself, by the same rules
and from the same records along the same seeded order: its own trials, and those its sisters told it. So no worker waits
for another, and each leaves out what is needless as soon as it knows. What one hears late costs a few trials more and
changes no answer: evidence that may be looked at any time may be looked at later, and the verdict itself is the gate's,
from the journals of all workers. One line a trial, in a file a worker that lives as long as the session.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from harness.core.record import Record

BETWEEN_S = 0.02
"""Sisters are asked no more often than that."""


class Ends:
    """One worker's file, and what has been read of the others'.

    :param folder: of the run.
    :param session: names the session, so that an earlier one of the same run is not heard.
    """

    def __init__(self, folder: Path, session: str, worker: str) -> None:
        self._folder = folder
        self._session = session
        self._own = folder / f"{_prefix(session)}{worker}"
        self._read: dict[str, int] = {}
        self._asked = 0.0

    def tell(self, record: Record) -> None:
        """Append a trial that ended here, in one write, so that nobody reads half a line of two."""
        fields = (record.suite, record.arm, record.case_id, record.dataset, record.cluster, record.outcome)
        line = json.dumps(fields) + "\n"
        descriptor = os.open(self._own, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
        try:
            os.write(descriptor, line.encode("utf-8", "surrogatepass"))
        finally:
            os.close(descriptor)

    def hear(self) -> Iterator[Record]:
        """The trials that ended in sister workers since the last time, as far as a decision needs them."""
        now = time.monotonic()
        if now - self._asked < BETWEEN_S:
            return
        self._asked = now
        prefix = _prefix(self._session)
        for name in sorted(os.listdir(self._folder)):
            if not name.startswith(prefix) or name == self._own.name:
                continue
            with open(self._folder / name, "rb") as file:
                file.seek(self._read.get(name, 0))
                text = file.read()
            whole = text.rfind(b"\n") + 1
            self._read[name] = self._read.get(name, 0) + whole
            for line in text[:whole].splitlines():
                suite, arm, case_id, dataset, cluster, outcome = json.loads(line)
                yield Record(
                    suite=suite,
                    arm=arm,
                    case_id=case_id,
                    case_hash="",
                    trial=0,
                    dataset=dataset,
                    cluster=cluster,
                    outcome=outcome,
                )


def forget_ends(folder: Path) -> None:
    """Remove the files of a session that has ended."""
    for path in folder.glob(f"{_prefix('')}*"):
        path.unlink(missing_ok=True)


def _prefix(session: str) -> str:
    return f".ends-{session}-" if session else ".ends-"

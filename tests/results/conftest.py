from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.trajectory import Trajectory
from harness.results.journal import JournalWriter
from harness.results.run_folder import write_manifest

SUITE = "suites/desk/test_refunds.py::test_refunds"


class Maker:
    """Makes small runs, the way the plugin does."""

    suite = SUITE

    def record(self, case: str, outcome: Any = "passed", *, trial: int = 0, **more: Any) -> Record:
        more = {
            "case_hash": f"hash-{case}",
            "config_hash": "config",
            "trajectory": Trajectory.from_answer("ok"),
            **more,
        }
        return Record(**{"suite": SUITE, "case_id": case, "trial": trial, "outcome": outcome, **more})

    def manifest(self, run_id: str, *, cases: int = 2, **more: Any) -> Manifest:
        planned = (PlannedSuite(suite=SUITE, dataset="desk", dataset_hash="d1", cases=cases),)
        values = {"created_at": "2026-01-31T23:59:59Z", "agent": "a:b", "planned": planned, "finished_at": "later"}
        return Manifest(**{"run_id": run_id, **values, **more})

    def run(self, folder: Path, records: list[Record], *, worker: str = "main", **manifest: Any) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(folder, self.manifest(folder.name, **manifest))
        with JournalWriter(folder, worker) as journal:
            for record in records:
                journal.append(record.to_json())
        return folder


@pytest.fixture
def make() -> Maker:
    return Maker()

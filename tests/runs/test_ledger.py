"""The file that processes share: opened by all at once, and clear about what is wrong with it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.runs.ledger import open_ledger, transaction

SCHEMA = "CREATE TABLE IF NOT EXISTS t (n INTEGER);"
OPENER = f"""
import sys
from pathlib import Path
from harness.runs.ledger import open_ledger, transaction
sys.stdin.readline()
path = Path(sys.argv[1])
db = open_ledger(path, {SCHEMA!r})
for _ in range(50):
    with transaction(db, path):
        db.execute("INSERT INTO t VALUES (1)")
db.close()
"""


def test_four_workers_that_open_a_new_file_in_the_same_moment_all_get_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "l.sqlite"
    workers = [
        subprocess.Popen([sys.executable, "-c", OPENER, str(path)], stdin=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=60)
    assert [worker.returncode for worker in workers] == [0, 0, 0, 0]
    db = open_ledger(path, SCHEMA)
    assert db.execute("SELECT count(*) FROM t").fetchone() == (200,)
    db.close()


def test_a_transaction_that_raises_leaves_nothing_behind() -> None:
    db = open_ledger(None, SCHEMA)
    with pytest.raises(KeyError), transaction(db, None):
        db.execute("INSERT INTO t VALUES (1)")
        raise KeyError
    assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)
    db.close()


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "l.sqlite").write_text("hello" * 1000)
    with pytest.raises(HarnessError, match=r"l\.sqlite"):
        open_ledger(tmp_path / "l.sqlite", SCHEMA)


def test_a_write_that_fails_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    db = open_ledger(path, SCHEMA)
    with pytest.raises(HarnessError, match=r"cannot write .*l\.sqlite"), transaction(db, path):
        raise sqlite3.OperationalError("database or disk is full")
    db.close()


def test_a_disk_that_fills_up_says_so_and_the_ledger_goes_on_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    db = open_ledger(path, SCHEMA)
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(HarnessError, match="full"), transaction(db, path):
        db.execute("INSERT INTO t SELECT value FROM json_each(?)", (str(list(range(20_000))),))
    db.execute("PRAGMA max_page_count = 100000")
    with transaction(db, path):
        db.execute("INSERT INTO t VALUES (1)")
    assert db.execute("SELECT count(*) FROM t").fetchone() == (1,)
    db.close()

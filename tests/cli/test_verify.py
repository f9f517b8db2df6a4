"""`harness verify` through the real command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.core.decision import Decision, Event
from harness.guardrails import AuditLog

KEY = bytes(range(32))


def written(path: Path, *, key: bytes | None = None) -> Path:
    with AuditLog(path, key=key) as log:
        for action in ("allow", "block", "allow"):
            log.keep(Event(kind="input", text="hi"), Decision(action=action, guard="pii"))
    return path


def test_a_log_as_it_was_written_exits_0_and_prints_its_head(process: Any, tmp_path: Path) -> None:
    done = process("harness.cli", "verify", str(written(tmp_path / "audit.jsonl")), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "as it was written, 4 entries" in done.stdout
    assert "head 4:" in done.stdout


@pytest.mark.parametrize("how", ["changed", "removed", "moved", "cut", "added"])
def test_any_tampering_exits_10_and_names_the_line(how: str, process: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "audit.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    changed = {
        "changed": [*lines[:2], lines[2].replace(b"block", b"allow"), lines[3]],
        "removed": [lines[0], *lines[2:]],
        "moved": [lines[0], lines[2], lines[1], lines[3]],
        "cut": lines[:-2],
        "added": [*lines, lines[-1]],
    }[how]
    path.write_bytes(b"".join(changed))
    done = process("harness.cli", "verify", str(path), cwd=tmp_path)
    assert done.returncode == 10
    assert "TAMPERED WITH" in done.stdout
    assert "line" in done.stdout or "head" in done.stdout


def test_a_keyed_log_needs_its_key_from_a_file_or_the_environment(
    process: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "audit.jsonl", key=KEY)
    (tmp_path / "key").write_bytes(KEY)
    assert process("harness.cli", "verify", str(path), cwd=tmp_path).returncode == 10
    assert process("harness.cli", "verify", str(path), "--key-file", "key", cwd=tmp_path).returncode == 0
    monkeypatch.setenv("HARNESS_AUDIT_KEY", KEY.hex())
    assert main(["verify", str(path)]) == 0
    monkeypatch.setenv("HARNESS_AUDIT_KEY", "no key")
    assert main(["verify", str(path)]) == 4


def test_old_copies_of_both_files_are_found_by_a_head_kept_elsewhere(process: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "audit.jsonl")
    old = {file: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    with AuditLog(path) as log:
        log.keep(Event(kind="input"), Decision(action="block", guard="pii"))
        number, last = log.head
    for file, content in old.items():
        file.write_bytes(content)
    assert process("harness.cli", "verify", str(path), cwd=tmp_path).returncode == 0
    done = process("harness.cli", "verify", str(path), "--expect", f"{number}:{last}", cwd=tmp_path)
    assert done.returncode == 10
    assert f"entry {number}, which was expected" in done.stdout


def test_json_holds_the_problems_and_what_cannot_be_meant_is_said(process: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "audit.jsonl")
    done = process("harness.cli", "verify", str(path), "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["problems"] == []
    for wrong, said in (
        (["nowhere.jsonl"], "there is no audit log 'nowhere.jsonl'"),
        ([str(path), "--expect", "last"], "--expect must be N:HASH"),
        ([str(path), "--key-file", "nowhere"], "cannot be read"),
    ):
        done = process("harness.cli", "verify", *wrong, cwd=tmp_path)
        assert (done.returncode, said in done.stderr) == (4, True)

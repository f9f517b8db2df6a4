"""The audit log: what is in it, what never is, tampering, kills, full disks, several writers."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.audit_log import AuditLog, verify
from harness.guardrails.pipeline import Pipeline
from harness.testing import FakeClock

ROOT = Path(__file__).resolve().parents[2]
KEY = b"0123456789abcdef"
SSN = "078-05-1120"


class Blocks:
    name, version = "blocks", "3"

    def check(self, event: Event) -> Decision:
        if event.text == "crash":
            raise ValueError(SSN)
        found = (Finding(category="ssn", start=0, end=len(event.text)),)
        return Decision(action="block", guard=self.name, reason=f"found {event.text}", findings=found)


def written(path: Path, count: int = 5, **options: Any) -> AuditLog:
    with AuditLog(path, **options) as log:
        for number in range(count):
            log.keep(Event(kind="input", data={"user": f"u{number}"}), Decision(action="allow", guard="g"))
    return log


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_decision_is_kept_also_when_a_guard_raises(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with AuditLog(path, clock=FakeClock()) as log:
        pipeline = Pipeline([Blocks()], audit=log)
        for text in (SSN, "crash"):
            asyncio.run(pipeline.check(Event(kind="tool_call", text=text, data={"tool": "send_mail", "user": "u"})))
        Pipeline([None], audit=log).check_sync(Event(kind="output"))
    opening, block, crash, missing = entries(path)
    assert opening["format"] == "harness-audit-1"
    shown = {key: block[key] for key in ("n", "at", "kind", "action", "guard", "version", "tool", "categories")}
    assert shown == {
        "n": 2, "at": "2026-01-01T00:00:00.000Z", "kind": "tool_call", "action": "block", "guard": "blocks",
        "version": "3", "tool": "send_mail", "categories": ["ssn"],
    }  # fmt: skip
    assert (crash["action"], crash["fault"], crash["guard"]) == ("block", "crash: ValueError", "blocks")
    assert missing["fault"] == "missing: a guard"
    assert verify(path).ok


def test_nothing_personal_gets_into_it_from_any_side(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    secret = f"maya@example.com {SSN}"
    with AuditLog(path) as log:
        names = ("user", "tenant", "session", "tool", "request")
        found = (Finding(category=secret),)
        log.keep(
            Event(kind="tool_call", text=secret, data=dict.fromkeys(names, secret)),
            Decision(action="block", guard=secret, reason=secret, text=secret, fault=secret, findings=found),
            version=secret,
        )
        log.keep(Event(kind="input", data={"tool": "call_0176_5551234"}), Decision(action="allow"))
    text = path.read_text()
    for part in ("maya", "example.com", "078", "1120", "5551234"):
        assert part not in text
    assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_the_same_user_has_one_pseudonym_in_a_keyed_log_and_others_elsewhere(tmp_path: Path) -> None:
    def pseudonym(name: str, **options: Any) -> str:
        written(tmp_path / name, 1, **options)
        return str(entries(tmp_path / name)[-1]["user"])

    assert pseudonym("a", key=KEY) == pseudonym("b", key=KEY)
    assert len({pseudonym("a", key=KEY), pseudonym("c"), pseudonym("d")}) == 3


@pytest.mark.parametrize("key", [None, KEY])
def test_an_untouched_log_verifies_over_several_openings(tmp_path: Path, key: bytes | None) -> None:
    path = tmp_path / "audit.jsonl"
    for _ in range(3):
        log = written(path, key=key)
    got = verify(path, key=key, expect=log.head)
    assert (got.ok, got.entries, got.notices, got.head) == (True, 18, (), log.head)
    assert verify(path, key=key, expect=(1, entries(path)[0]["hash"])).ok


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_any_byte_is_found(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "audit.jsonl"
    if not path.exists():
        written(path)
        (tmp_path / "original").write_bytes(path.read_bytes())
    original = (tmp_path / "original").read_bytes()
    at = data.draw(st.integers(0, len(original) - 1))
    how = data.draw(st.sampled_from(["change", "remove", "insert", "cut", "double"]))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    changed = {
        "change": original[:at] + byte + original[at + 1 :],
        "remove": original[:at] + original[at + 1 :],
        "insert": original[:at] + byte + original[at:],
        "cut": original[:at],
        "double": original[:at] + original[at:] + original[at:],
    }[how]
    path.write_bytes(changed)
    assert verify(path).ok == (changed == original)
    path.write_bytes(original)


def test_removed_reordered_and_forged_lines_are_found_and_named(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = written(path, key=KEY)
    lines = path.read_bytes().splitlines(keepends=True)
    for changed in ([*lines[:2], *lines[3:]], [*lines[:2], lines[3], lines[2], *lines[4:]], lines[1:], lines[:-1]):
        path.write_bytes(b"".join(changed))
        assert not verify(path, key=KEY).ok
    path.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    assert "line 3: entry 4 follows entry 2" in verify(path, key=KEY).problems
    # Somebody who rebuilds the whole chain without the key.
    other = tmp_path / "forged.jsonl"
    written(other, 3)
    path.write_bytes(other.read_bytes())
    (tmp_path / "audit.jsonl.head").write_bytes((tmp_path / "forged.jsonl.head").read_bytes())
    got = verify(path, key=KEY, expect=log.head)
    assert any("was changed (or the key is another)" in problem for problem in got.problems)
    assert any("which was expected" in problem for problem in got.problems)


def test_a_missing_head_another_key_and_an_old_copy_of_both_files_are_found(tmp_path: Path) -> None:
    path, head = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.head"
    written(path, key=KEY)
    old = path.read_bytes(), head.read_bytes()
    log = written(path, key=KEY)
    assert not verify(path).ok
    assert "written with a key" in verify(path).problems[0]
    assert not verify(path, key=b"another key of 24 bytes!").ok
    path.write_bytes(old[0])
    head.write_bytes(old[1])
    assert verify(path, key=KEY).ok  # as the words at the top of the module say
    assert not verify(path, key=KEY, expect=log.head).ok
    head.unlink()
    assert "missing" in verify(path, key=KEY).problems[0]


def test_lines_cut_off_while_nobody_looked_stay_found_after_the_log_went_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    written(path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
    written(path)
    assert "its end was not the one its head named" in verify(path).problems[0]
    path.unlink()
    written(path)
    assert not verify(path).ok


_WRITER = """
import sys
from harness.core.decision import Decision, Event
from harness.guardrails.audit_log import AuditLog
log = AuditLog(sys.argv[1])
while True:
    log.keep(Event(kind="input"), Decision(action="allow", guard="g"))
    print(log.head[0], flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_had_kept(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        said = [int(line) for line in process.stdout.read().split()]
        process.wait()
        process.stdout.close()
        got = verify(path)
        assert got.problems == ()
        assert got.head[0] >= max(said, default=200)


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_line_cut_short_by_a_crash_is_acknowledged_by_the_next_and_not_tampering(tmp_path: Path, cut: int) -> None:
    path, head = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.head"
    written(path, 3)
    before = head.read_bytes()
    written(path, 0)  # one more entry: the opening; the crash comes in the middle of writing it
    path.write_bytes(path.read_bytes()[:-cut])
    head.write_bytes(before)
    assert verify(path).ok
    assert "cut short" in verify(path).notices[0]
    written(path, 2)
    got = verify(path)
    assert got.problems == ()
    lines = path.read_bytes().splitlines(keepends=True)
    torn = next((n for n, line in enumerate(lines) if b'"torn"' in line), None)
    assert (torn is None) == (cut == 1)
    if torn is not None:  # and nobody can change the piece afterwards
        path.write_bytes(b"".join([*lines[: torn - 1], b"x" + lines[torn - 1], *lines[torn:]]))
        assert not verify(path).ok


def test_a_full_disk_raises_blocks_and_leaves_a_log_that_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    script = """
import resource, signal, sys
from harness.core.decision import Decision, Event
from harness.guardrails.audit_log import AuditLog
from harness.guardrails.pipeline import Pipeline
class Allows:
    name = "allows"
    def check(self, event):
        return Decision(action="allow", guard=self.name)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = AuditLog(sys.argv[1])
pipeline = Pipeline([Allows()], audit=log, timeout_s=None)
limit = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
got = [pipeline.check_sync(Event(kind="input")) for _ in range(8)]
assert [one.action for one in got][:2] == ["allow", "allow"], got
assert got[-1].action == "block" and "audit log failed: OSError" in got[-1].fault, got
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
assert pipeline.check_sync(Event(kind="input")).action == "allow"
"""
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, cwd=ROOT)
    assert verify(path).problems == ()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)


def test_several_writers_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    logs = [AuditLog(path, key=KEY) for _ in range(4)]

    def write(log: AuditLog) -> None:
        for _ in range(50):
            log.keep(Event(kind="input"), Decision(action="allow", guard="g"))

    threads = [threading.Thread(target=write, args=(log,)) for log in logs for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for log in logs:
        log.close()
    got = verify(path, key=KEY)
    assert (got.problems, got.entries) == ((), 4 + 8 * 50)


def test_what_cannot_be_verified_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no audit log"):
        verify(tmp_path / "none")
    with pytest.raises(UsageError, match="at least 16 bytes, got 5"):
        AuditLog(tmp_path / "a", key=b"short")
    log = written(tmp_path / "a")
    with pytest.raises(ValueError, match="is closed"):
        log.keep(Event(kind="input"), Decision(action="allow"))
    (tmp_path / "garbage").write_bytes(os.urandom(300_000))
    assert not verify(tmp_path / "garbage").ok

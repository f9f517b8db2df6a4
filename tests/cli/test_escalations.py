"""`harness escalations` through the real command line, with a real breaker on the other side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.guardrails import EscalationFolder
from harness.guardrails.circuit_breaker.escalations import Escalation


def kept(folder: Path, session: str = "s-17", **more: Any) -> EscalationFolder:
    store = EscalationFolder(folder)
    values = {"cause": "failures", "failures": 3, "opened_at": "2026-01-31T10:00:00Z", "request": ("my secret wish",)}
    store.save(Escalation(session=session, **{**values, **more}))
    return store


def test_the_list_says_who_waits_and_nothing_of_what_they_wrote(process: Any, tmp_path: Path) -> None:
    kept(tmp_path / "e")
    kept(tmp_path / "e", "s-18\nFORGED", cause="spend")
    done = process("harness.cli", "escalations", "list", "e", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "s-17  since 2026-01-31T10:00:00Z, 3 failures" in done.stdout
    assert len(done.stdout.splitlines()) == 2
    assert "secret" not in done.stdout
    shown = process("harness.cli", "escalations", "list", "e", "--show", "s-17", cwd=tmp_path)
    assert json.loads(shown.stdout)["request"] == ["my secret wish"]
    plain = process("harness.cli", "escalations", "list", "e", "--json", cwd=tmp_path)
    assert {one["session"] for one in json.loads(plain.stdout)} == {"s-17", "s-18\nFORGED"}
    assert "secret" not in plain.stdout


def test_a_decision_reaches_the_store_of_another_process_and_leaves_the_list(process: Any, tmp_path: Path) -> None:
    store = kept(tmp_path / "e")
    assert store.decision("s-17") == ""
    done = process("harness.cli", "escalations", "resume", "e", "s-17", "--by", "maria", "--note", "ok", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "goes on with its next event" in done.stdout
    assert store.decision("s-17") == "resume"
    assert "nobody waits" in process("harness.cli", "escalations", "list", "e", cwd=tmp_path).stdout
    assert "resume by maria" in process("harness.cli", "escalations", "list", "e", "--all", cwd=tmp_path).stdout


def test_an_ended_session_stays_ended(process: Any, tmp_path: Path) -> None:
    store = kept(tmp_path / "e")
    assert process("harness.cli", "escalations", "end", "e", "s-17", cwd=tmp_path).returncode == 0
    assert store.decision("s-17") == "end"
    again = process("harness.cli", "escalations", "resume", "e", "s-17", cwd=tmp_path)
    assert again.returncode == 4
    assert "that is final" in again.stderr


def test_what_is_not_there_is_said_with_what_is(process: Any, tmp_path: Path) -> None:
    kept(tmp_path / "e")
    for wrong, said in (
        (["list", "nowhere"], "there is no folder 'nowhere'"),
        (["resume", "e", "s-99"], "sessions that do: 's-17'"),
        (["list", "e", "--show", "s-99"], "there are: s-17"),
        (["explain", "e"], "invalid choice"),
    ):
        done = process("harness.cli", "escalations", *wrong, cwd=tmp_path)
        assert (done.returncode, said in done.stderr) == (4, True), done.stderr

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import FormatError, HarnessError
from harness.results.journal import SYNC_EVERY_S, JournalWriter
from harness.results.lock import RunLock
from harness.results.reader import open_run


def lines(path: Path) -> list[Any]:
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def test_one_header_then_one_line_per_record(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, "gw0") as journal:
        journal.append({"a": "line\nbreak \u2028 \r ü"})
        journal.append({"b": 1})
    header, first, second = lines(tmp_path / "trials-gw0.jsonl")
    assert (header["format"], header["version"], header["worker"]) == ("harness.journal", 1, "gw0")
    assert first == {"a": "line\nbreak \u2028 \r ü"}
    assert second == {"b": 1}


def test_a_record_is_on_the_file_before_append_returns(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path)
    journal.append({"n": 1})
    assert lines(journal.path)[-1] == {"n": 1}
    journal.close()


def test_opening_again_goes_on_and_counts_the_opening(tmp_path: Path) -> None:
    for worker, expected in (("main", 1), ("gw0", 2), ("main", 3)):
        with JournalWriter(tmp_path, worker) as journal:
            journal.append({"n": expected})
        headers = [line for line in lines(journal.path) if "format" in line]
        assert headers[-1]["opening"] == expected
    assert [line.get("n") for line in lines(tmp_path / "trials-main.jsonl")] == [None, 1, None, 3]


@pytest.mark.parametrize("tail", [b'{"a":1', b'{"a":1}}', b"\0" * 4096, b'{"format":"harness.jou', b"[1]"])
def test_a_torn_last_line_is_cut_off_with_a_notice(tmp_path: Path, tail: bytes) -> None:
    with JournalWriter(tmp_path) as journal:
        journal.append({"n": 1})
    with journal.path.open("ab") as file:
        file.write(tail)
    with JournalWriter(tmp_path) as again:
        assert again.notices == [
            f"trials-main.jsonl: dropped a torn last line ({len(tail):,} bytes); its trial is run again"
        ]
        again.append({"n": 2})
    assert [line["n"] for line in lines(again.path) if "n" in line] == [1, 2]


def test_a_last_line_that_only_lacks_its_newline_is_kept(tmp_path: Path) -> None:
    with JournalWriter(tmp_path) as journal:
        journal.append({"n": 1})
    journal.path.write_bytes(journal.path.read_bytes()[:-1])
    with JournalWriter(tmp_path) as again:
        assert again.notices == []
    assert [line["n"] for line in lines(again.path) if "n" in line] == [1]


def test_a_file_that_is_no_journal_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "trials-main.jsonl"
    path.write_text('{"somebody": "else"}\ntorn')
    with pytest.raises(FormatError, match="not the header of a journal"):
        JournalWriter(tmp_path)
    assert path.read_text() == '{"somebody": "else"}\ntorn'


def test_a_journal_of_a_newer_harness_is_not_continued(tmp_path: Path) -> None:
    (tmp_path / "trials-main.jsonl").write_text('{"format":"harness.journal","version":99}\n')
    with pytest.raises(FormatError, match=r"version 99 was written by a newer harness.*pip install --upgrade"):
        JournalWriter(tmp_path)


def test_two_writers_of_one_journal_are_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    first = JournalWriter(tmp_path)
    with pytest.raises(HarnessError, match="another process is writing this journal"):
        JournalWriter(tmp_path)
    JournalWriter(tmp_path, "gw1").close()
    first.close()
    JournalWriter(tmp_path).close()


def test_a_run_is_held_by_one_session_and_freed_by_its_death(tmp_path: Path) -> None:
    code = f"from harness.results.lock import RunLock; from pathlib import Path; RunLock(Path({str(tmp_path)!r}))"
    code += "; print('held', flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(HarnessError, match=rf"another session \(process {holder.pid}\) is writing"):
        RunLock(tmp_path)
    holder.kill()
    holder.communicate()
    with RunLock(tmp_path):
        pass


def test_closing_twice_is_harmless_and_appending_after_it_is_an_error(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path)
    journal.close()
    journal.close()
    with pytest.raises(HarnessError, match="trial 3 of case 'c' was not kept"):
        journal.append({"case_id": "c", "trial": 3})


def test_a_missing_folder_is_said_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot open the journal"):
        JournalWriter(tmp_path / "gone")


def test_secrets_are_kept_out_unless_asked_otherwise(tmp_path: Path) -> None:
    record = {"message": "Authorization: Bearer hunter2hunter2hunter2", "mail": "a@b.example"}
    for redact, secret, mail in (("secrets", False, True), ("personal", False, False), ("off", True, True)):
        with JournalWriter(tmp_path, redact, redact=redact) as journal:
            journal.append(record)
        text = journal.path.read_text()
        assert ("hunter2" in text, "a@b.example" in text) == (secret, mail)


def test_threads_write_whole_lines(tmp_path: Path) -> None:
    with JournalWriter(tmp_path) as journal:

        def work(thread: int) -> None:
            for number in range(100):
                journal.append({"thread": thread, "number": number, "fill": "x" * 5000})

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = [(line["thread"], line["number"]) for line in lines(journal.path)[1:]]
    assert sorted(found) == [(thread, number) for thread in range(4) for number in range(100)]


class JumpingClock:
    """Wall time that jumps back a year at each look; monotonic time that the test moves."""

    now = 0.0
    wall_s = 1.8e9

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        self.wall_s -= 3.2e7
        return self.wall_s


def test_the_file_is_synced_every_few_seconds_off_the_calling_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (synced.append(threading.current_thread().name), real(fd))[0])
    clock = JumpingClock()
    journal = JournalWriter(tmp_path, clock=clock)
    journal.append({})
    clock.now += SYNC_EVERY_S
    journal.append({})
    journal.append({})
    journal.close()
    assert synced == ["harness-journal-sync"]


def test_a_disk_that_does_not_take_the_data_is_told_at_the_next_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", broken)
    clock = JumpingClock()
    journal = JournalWriter(tmp_path, clock=clock)
    clock.now += SYNC_EVERY_S
    journal.append({})
    assert journal._syncing is not None
    journal._syncing.join()
    with pytest.raises(HarnessError, match="did not take what was written"):
        journal.append({})
    journal.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip("mounting a file system needs root; RLIMIT_FSIZE stands in below")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_loses_one_record_loudly_and_nothing_else(tiny_disk: Path) -> None:
    run = tiny_disk / "20260131-235959-0001"
    run.mkdir()
    filler = tiny_disk / "filler"
    filler.write_bytes(b"x" * 40_000)
    journal = JournalWriter(run)
    kept = 0
    with pytest.raises(HarnessError) as caught:
        for _ in range(100):
            journal.append({"case_id": "refund", "trial": kept, "fill": "x" * 3000})
            kept += 1
    message = str(caught.value)
    assert f"no room for trial {kept} of case 'refund'" in message
    assert "every earlier trial is kept" in message
    assert message.endswith("--harness-resume=20260131-235959-0001")
    assert [line["trial"] for line in lines(journal.path)[1:]] == list(range(kept))
    filler.unlink()
    journal.append({"case_id": "refund", "trial": kept, "fill": "x" * 3000})
    journal.close()
    assert [line["trial"] for line in lines(journal.path)[1:]] == list(range(kept + 1))


def test_a_line_cut_short_by_a_size_limit_is_taken_back(tmp_path: Path) -> None:
    # The limit lets the first part of the line through, as a disk does that fills up in the middle of a write.
    journal = JournalWriter(tmp_path)
    journal.append({"n": 1})
    before = journal.path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(HarnessError, match="no room for trial"):
            journal.append({"n": 2, "fill": "x" * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal.path.read_bytes() == before
    journal.append({"n": 3})
    journal.close()
    assert [line.get("n") for line in lines(journal.path)] == [None, 1, 3]


def test_a_process_killed_while_writing_loses_nothing_it_had_finished(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from harness.results.journal import JournalWriter
journal = JournalWriter(Path(sys.argv[1]))
for number in range(10**9):
    journal.append({"suite": "s", "case_id": f"c{number}-{sys.argv[2]}", "case_hash": "h", "trial": 0,
                    "outcome": "passed", "failure": "x" * 20000})
    print(number, flush=True)
"""
    chance = random.Random(7)
    finished = 0
    for attempt in range(4):
        args = [sys.executable, "-c", code, str(tmp_path), str(attempt)]
        writer = subprocess.Popen(args, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        last = int(writer.stdout.readline())
        time.sleep(chance.random() / 5)
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].split(b"\n")[:-1]
        last = int(rest[-1]) if rest else last
        finished += last + 1
        run = open_run(tmp_path)
        cases = [record.case_id for record in run.records]
        mine = [case for case in cases if case.endswith(f"-{attempt}")]
        assert mine[: last + 1] == [f"c{number}-{attempt}" for number in range(last + 1)]
        assert len(mine) <= last + 2  # the one in flight may have made it
    assert len(open_run(tmp_path).records) >= finished

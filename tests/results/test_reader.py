from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import Failure, FormatError
from harness.core.record import Record
from harness.core.score import Score
from harness.results.journal import JournalWriter
from harness.results.lines import encode
from harness.results.reader import finished_keys, open_run
from harness.results.run_folder import find_run

HEADER = '{"format":"harness.journal","version":1,"opening":%d}'


def outcomes(run: Path, **options: Any) -> list[tuple[str, str]]:
    return [(record.case_id, record.outcome) for record in open_run(run, **options).records]


def test_records_come_back_whole_and_may_be_walked_many_times(tmp_path: Path, make: Any) -> None:
    record = make.record("a", scores=(Score.passed_if("exact", True, "same"),), cost_usd=None, tags=("x",))
    run = open_run(make.run(tmp_path / "r", [record, make.record("b", "failed")]))
    assert list(run.records) == list(run.records) == [record, make.record("b", "failed")]
    assert len(run.records) == 2
    assert record in run.records
    assert make.record("a") not in run.records
    assert run.manifest.run_id == "r"
    assert run.notices == ()


def test_of_two_lines_for_one_trial_the_later_one_of_the_later_opening_counts(tmp_path: Path, make: Any) -> None:
    folder = tmp_path / "r"
    # The clock jumps back between the two sessions, and the resumed trial lands in a file that sorts first.
    make.run(folder, [make.record("a", "errored", started_at=2e9), make.record("b", started_at=2e9)], worker="gw1")
    make.run(folder, [make.record("a", "passed", started_at=1e9)], worker="gw0")
    assert outcomes(folder) == [("a", "passed"), ("b", "passed")]
    make.run(folder, [make.record("a", "failed", started_at=1.0)], worker="gw1")
    assert outcomes(folder) == [("b", "passed"), ("a", "failed")]


def test_the_same_case_in_another_suite_arm_or_trial_is_another_record(tmp_path: Path, make: Any) -> None:
    records = [make.record("a"), make.record("a", trial=1), make.record("a", arm="x"), make.record("a", suite="s")]
    assert len(open_run(make.run(tmp_path / "r", records)).records) == 4


def test_a_torn_last_line_is_dropped_with_a_notice_also_in_strict_reading(tmp_path: Path, make: Any) -> None:
    folder = make.run(tmp_path / "r", [make.record("a")])
    with (folder / "trials-main.jsonl").open("a") as file:
        file.write('{"suite":"s","case_')
    assert outcomes(folder) == [("a", "passed")]
    assert open_run(folder).notices == ("trials-main.jsonl: dropped a torn last line (19 bytes)",)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"suite": "s", ', "Expecting"),
        ("[]", "not an object"),
        ('{"suite":"s","case_id":"c","trial":0,"outcome":"passed"}', "no field 'case_hash'"),
        ('{"suite":"s","case_id":"c","case_hash":"h","trial":0,"outcome":"great"}', "unknown outcome 'great'"),
        ('{"suite":"s","case_id":["c"],"case_hash":"h","trial":0,"outcome":"passed"}', "must be texts"),
        ("\x00\x00", "Expecting"),
        ('{"format":"harness.journal"}', "version None"),
        ("", "Expecting"),
    ],
)
def test_a_damaged_line_is_named_or_counted(tmp_path: Path, make: Any, line: str, why: str) -> None:
    folder = make.run(tmp_path / "r", [make.record("a")])
    path = folder / "trials-main.jsonl"
    with path.open("a") as file:
        file.write(f"{line}\n{encode(make.record('b').to_json())}\n")
    with pytest.raises(FormatError, match=why) as caught:
        open_run(folder)
    assert str(caught.value).startswith(f"{path}:3: ")
    if "format" not in line:
        assert outcomes(folder, strict=False) == [("a", "passed"), ("b", "passed")]
        assert open_run(folder, strict=False).notices == ("1 damaged line(s) left out; their trials count as missing",)


def test_a_record_that_only_breaks_when_it_is_built_is_counted_too(tmp_path: Path, make: Any) -> None:
    broken = make.record("b").to_json() | {"scores": [{"no": "name"}]}
    folder = make.run(tmp_path / "r", [make.record("a")])
    with JournalWriter(folder) as journal:
        journal.append(broken)
    with pytest.raises(FormatError, match="damaged record at byte"):
        list(open_run(folder).records)
    assert outcomes(folder, strict=False) == [("a", "passed")]


def test_records_without_a_header_are_no_journal(tmp_path: Path, make: Any) -> None:
    folder = make.run(tmp_path / "r", [])
    (folder / "trials-x.jsonl").write_text(encode(make.record("a").to_json()) + "\n")
    with pytest.raises(FormatError, match=r"trials-x.jsonl:1: no header"):
        open_run(folder)


def test_journals_joined_by_concatenation_are_a_journal(tmp_path: Path, make: Any) -> None:
    one = make.run(tmp_path / "one", [make.record("a"), make.record("b")])
    two = make.run(tmp_path / "two", [make.record("c")])
    joined = make.run(tmp_path / "joined", [])
    parts = [(folder / "trials-main.jsonl").read_bytes() for folder in (one, two)]
    (joined / "trials-main.jsonl").write_bytes(b"".join(parts))
    assert [case for case, _ in outcomes(joined)] == ["a", "b", "c"]


def test_a_run_killed_before_its_manifest_is_read_with_a_notice(tmp_path: Path, make: Any) -> None:
    folder = make.run(tmp_path / "r", [make.record("a")])
    (folder / "manifest.json").unlink()
    run = open_run(folder)
    assert len(run.records) == 1
    assert run.manifest.run_id == "r"
    assert "manifest.json is missing" in run.notices[0]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no run here.*harness history"):
        open_run(tmp_path)


def test_an_empty_journal_is_a_run_without_records(tmp_path: Path, make: Any) -> None:
    folder = make.run(tmp_path / "r", [])
    (folder / "trials-gw0.jsonl").touch()
    assert list(open_run(folder).records) == []


def test_only_measured_trials_are_finished(tmp_path: Path, make: Any) -> None:
    broken = Failure(kind="provider", message="down")
    records = [
        make.record("a"),
        make.record("b", "failed", config_hash="other"),
        make.record("c", "errored", error=broken),
        make.record("d", "not_run"),
        make.record("e"),
        make.record("e", "errored", error=broken),
    ]
    found = finished_keys(make.run(tmp_path / "r", records))
    assert found == {
        (make.suite, "", "a", 0): ("config", "hash-a", "passed"),
        (make.suite, "", "b", 0): ("other", "hash-b", "failed"),
    }
    assert found[make.suite, "", "b", 0].config_hash == "other"
    assert finished_keys(tmp_path / "none") == {}


def test_a_line_of_ten_megabytes_is_one_record(tmp_path: Path, make: Any) -> None:
    folder = make.run(tmp_path / "r", [make.record("a", failure="\x00<script>" * 600_000), make.record("b")])
    first, second = open_run(folder).records
    assert len(first.failure) == 9 * 600_000
    assert second.case_id == "b"


def test_memory_does_not_grow_with_what_is_on_disk(tmp_path: Path, make: Any) -> None:
    folder = make.run(tmp_path / "r", [make.record(f"c{n}", failure="x" * 20_000) for n in range(1000)])
    tracemalloc.start()
    run = open_run(folder)
    assert sum(len(record.failure) for record in run.records) == 20_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_an_old_version_is_migrated_and_a_newer_one_refused(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 0 of the museum called the case 'example' and the manifest's agent 'system'."""
    from harness.results.migrations import STEPS

    monkeypatch.setitem(STEPS, ("harness.journal", 0), lambda old: {"case_id": old.pop("example"), **old})
    monkeypatch.setitem(STEPS, ("harness.manifest", 0), lambda old: {"agent": old.pop("system"), **old})
    old = make.record("a").to_json()
    old["example"] = old.pop("case_id")
    manifest = {"format": "harness.manifest", "version": 0, "run_id": "r", "created_at": "", "system": "a:b"}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    header = '{"format":"harness.journal","version":0}'
    (tmp_path / "trials-main.jsonl").write_text(f"{header}\n{json.dumps(old)}\n")
    run = open_run(tmp_path)
    assert [record.case_id for record in run.records] == ["a"]
    assert run.manifest.agent == "a:b"
    with pytest.raises(FormatError, match="can be read but not continued; start a new run"):
        JournalWriter(tmp_path)
    (tmp_path / "trials-new.jsonl").write_text('{"format":"harness.journal","version":2}\n')
    with pytest.raises(FormatError, match=r"trials-new.jsonl:1: harness.journal version 2 .* newer harness"):
        open_run(tmp_path, strict=False)


def test_a_version_without_a_step_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trials-main.jsonl").write_text('{"format":"harness.journal","version":0}\n')
    with pytest.raises(FormatError, match="can no longer be read"):
        open_run(tmp_path)


def test_every_released_format_still_opens() -> None:
    museum = Path(__file__).parent / "old"
    for version in ("1",):
        run = open_run(find_run(museum, f"version-{version}"))
        assert [record.outcome for record in run.records] == ["passed", "failed", "errored", "not_run"]
        assert all(isinstance(record, Record) for record in run.records)
        assert run.manifest.planned_trials == 4

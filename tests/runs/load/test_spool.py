"""The spool: whole frames, whatever happened to the writer."""

from __future__ import annotations

from array import array
from pathlib import Path

from harness.runs.load import spool
from harness.runs.load.spool import SpoolReader, SpoolWriter, pack


def frame(number: int, size: int = 100) -> bytes:
    stamps = array("q", [5, 6])
    return pack(number, 1, 2, 3, 0, 9, 0, 0, "note ü", stamps, array("q", [-1, 4]), [b"a" * size, b"bc"])


def test_frames_come_back_whole_and_in_order(tmp_path: Path) -> None:
    writer = SpoolWriter(str(tmp_path / "s"))
    for number in range(3):
        writer.append(frame(number))
    found = list(SpoolReader(str(tmp_path / "s")).read())
    assert [one.number for one in found] == [0, 1, 2]
    assert (found[0].due, found[0].taken, found[0].sent, found[0].ended, found[0].note) == (1, 2, 3, 9, "note ü")
    assert (list(found[0].stamps), list(found[0].lags), list(found[0].lengths)) == ([5, 6], [-1, 4], [100, 2])
    assert found[0].data == b"a" * 100 + b"bc"
    writer.close()


def test_a_frame_that_is_cut_is_left_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "s.0"
    whole = frame(1)
    path.write_bytes(frame(0) + whole[:-5])
    reader = SpoolReader(str(tmp_path / "s"))
    assert [one.number for one in reader.read()] == [0]
    path.write_bytes(frame(0) + whole)
    assert [one.number for one in reader.read()] == [1]


def test_a_frame_longer_than_a_gulp_is_read(tmp_path: Path) -> None:
    (tmp_path / "s.0").write_bytes(frame(0, 5000) + frame(1, 5000))
    reader = SpoolReader(str(tmp_path / "s"))
    assert [one.number for one in (*reader.read(most=50), *reader.read(most=50))] == [0, 1]


def test_segments_that_were_read_are_deleted_and_none_is_skipped(tmp_path: Path, monkeypatch: object) -> None:
    size, spool.SEGMENT = spool.SEGMENT, 300
    try:
        writer = SpoolWriter(str(tmp_path / "s"))
        for number in range(7):
            writer.append(frame(number))
        writer.close()
    finally:
        spool.SEGMENT = size
    reader, found = SpoolReader(str(tmp_path / "s")), []
    while part := list(reader.read()):
        found += [one.number for one in part]
    assert found == list(range(7))
    assert len(list(tmp_path.iterdir())) <= 2

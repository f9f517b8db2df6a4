"""Files written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.reporting.write_file import write_whole


def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_text("old", "utf-8")

    def parts() -> Iterator[str]:
        yield "new"
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        write_whole(file, parts())
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert file.read_text("utf-8") == "old"


def test_the_new_file_replaces_the_old_one_and_others_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_text("old", "utf-8")
    assert write_whole(file, ["new ", "\ud800"]) == file
    assert file.read_bytes() == b"new ?"
    assert file.stat().st_mode & 0o444 == 0o444

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import FormatError
from harness.runs.bench.machine import differences, fingerprint
from harness.runs.bench.stored_times import StoredTimes, Timed, read_times, write_times

TIMES = (0.010, 0.011, 0.012, 0.013)


def stored(machine: dict[str, str] | None = None) -> StoredTimes:
    timed = Timed(name="tests/test_a.py::test_a", times=TIMES, iterations=3)
    return StoredTimes(timed=(timed,), machine=machine or fingerprint(), at="2026-11-20T00:00:00Z", commit="abc")


def test_what_is_written_is_read_again_with_its_machine(tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    write_times(path, stored())
    back = read_times(path)
    assert back == stored()
    assert differences(back.machine, fingerprint()) == []


def test_pytest_benchmark_compares_what_we_write(tmp_path: Path) -> None:
    pytest.importorskip("pytest_benchmark")
    path = tmp_path / "0001_times.json"
    write_times(path, stored())
    command = [sys.executable, "-m", "pytest_benchmark", "compare", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "test_a" in done.stdout


def test_a_real_file_of_pytest_benchmark_is_read(tmp_path: Path) -> None:
    pytest.importorskip("pytest_benchmark")
    (tmp_path / "test_b.py").write_text("def test_b(benchmark):\n    benchmark(sum, range(1000))\n")
    command = [
        sys.executable, "-m", "pytest", "-p", "no:harness.plugin.entry", "-p", "no:deepeval", "-p", "no:cacheprovider",
        "--benchmark-max-time=0.01", "--benchmark-json=out.json",
    ]  # fmt: skip
    # In a worker of pytest-xdist the inner pytest-benchmark would switch itself off.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST_")}
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=environ)
    found = read_times(tmp_path / "out.json")
    assert [item.name for item in found.timed] == ["test_b.py::test_b"]
    assert len(found.timed[0].times) >= 5
    assert found.machine["python"] == fingerprint()["python"]


def test_another_machine_is_told_by_what_differs() -> None:
    other = {**fingerprint(), "processor": "Another 9000"}
    assert len(differences(fingerprint(), other)) == 1
    assert "Another 9000" in differences(fingerprint(), other)[0]
    # What a file does not tell cannot be the same.
    assert differences({**other, "cpus": ""}, {**other, "cpus": ""}) == ["cpus unknown against unknown"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "no pytest-benchmark JSON"),
        ("{", "no pytest-benchmark JSON"),
        (json.dumps({"benchmarks": [{"name": "a", "stats": {"mean": 1}}]}), "has no single rounds"),
        (json.dumps({"benchmarks": [{"name": "a", "stats": {"data": [-1]}}]}), "no time"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_way_out(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=says):
        read_times(path)

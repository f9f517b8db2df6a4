"""Times kept in a file: pytest-benchmark's JSON, read and written, so that both tools know each other's files."""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import FormatError
from harness.runs.bench.machine import from_machine_info, to_machine_info

VERSION = "5.1.0"
"""The version of pytest-benchmark whose shape is written."""


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One function's times in a stored file."""

    name: str
    times: tuple[float, ...]
    """Seconds per call: one per round."""
    iterations: int = 1
    """Calls that each time is the mean of."""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StoredTimes:
    """A file of times, and the machine they were measured on."""

    timed: tuple[Timed, ...]
    machine: Mapping[str, str]
    at: str = ""
    """ISO 8601."""
    commit: str = ""


def read_times(path: Path) -> StoredTimes:
    """Read a file of pytest-benchmark (``--benchmark-json``, ``--benchmark-save-data``) or of ``harness bench --save``.

    :raises FormatError: it is no such file, or was saved without the single rounds.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found = []
        for item in data["benchmarks"]:
            stats = item["stats"]
            times = tuple(float(value) for value in stats.get("data", ()))
            if not times:
                raise FormatError(
                    f"{path}: {item['name']!r} has no single rounds; save it with --benchmark-json=FILE, or add "
                    "--benchmark-save-data to --benchmark-save"
                )
            if not all(math.isfinite(value) and value >= 0 for value in times):
                raise FormatError(f"{path}: {item['name']!r} holds a time that is no time")
            name = str(item.get("fullname") or item["name"])
            found.append(
                Timed(
                    name=name,
                    times=times,
                    iterations=int(stats.get("iterations", 1)),
                    extra=item.get("extra_info") or {},
                )
            )
        machine = from_machine_info(data.get("machine_info") or {})
        commit = str((data.get("commit_info") or {}).get("id") or "")
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: no pytest-benchmark JSON ({type(error).__name__}: {error})") from None
    return StoredTimes(timed=tuple(found), machine=machine, at=str(data.get("datetime", "")), commit=commit)


def write_times(path: Path, stored: StoredTimes) -> None:
    """Write what :func:`read_times` and ``pytest-benchmark compare`` read; atomically."""
    data = {
        "machine_info": to_machine_info(stored.machine),
        "commit_info": {"id": stored.commit, "dirty": False, "project": "", "branch": ""},
        "benchmarks": [_benchmark(item) for item in stored.timed],
        "datetime": stored.at,
        "version": VERSION,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _benchmark(item: Timed) -> dict[str, Any]:
    return {
        "group": None, "name": item.name.rpartition("::")[2], "fullname": item.name, "params": None, "param": None,
        "extra_info": dict(item.extra), "options": {}, "stats": _stats(item.times, item.iterations),
    }  # fmt: skip


def _stats(times: Sequence[float], iterations: int) -> dict[str, Any]:
    ordered = sorted(times)
    mean = statistics.fmean(ordered)
    spread = statistics.stdev(ordered) if len(ordered) > 1 else 0.0
    q1, middle, q3 = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else [ordered[0]] * 3
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    inside = [value for value in ordered if low <= value <= high]
    far = sum(1 for value in ordered if abs(value - mean) > spread)
    return {
        "min": ordered[0], "max": ordered[-1], "mean": mean, "stddev": spread, "rounds": len(ordered),
        "median": middle, "iqr": q3 - q1, "q1": q1, "q3": q3, "iqr_outliers": len(ordered) - len(inside),
        "stddev_outliers": far, "outliers": f"{far};{len(ordered) - len(inside)}", "ld15iqr": inside[0],
        "hd15iqr": inside[-1], "ops": 1 / mean if mean else 0.0, "total": math.fsum(times), "data": list(times),
        "iterations": iterations,
    }  # fmt: skip

"""What the tools measured, per component: branches, mutants, types, lint, tests and figures, read from their files.

A file that is missing, unreadable, or older than the code it is about yields *not measured* and why, never a number.

==============================  ==============================================================================
file in the folder              written by
==============================  ==============================================================================
``coverage.json``               ``coverage run --branch -m pytest ...`` then ``coverage json``
``mutmut-cicd-stats.json``      ``mutmut export-cicd-stats``; as ``<id>/mutmut-cicd-stats.json`` for one component
``mypy.xml``                    ``mypy --junit-xml FILE --junit-format per_file``
``ruff.json``                   ``ruff check --output-format json --output-file FILE``
``tests.xml``                   ``pytest --junitxml FILE``; every ``tests*.xml`` is read
``figures.json``                ``{"benchmark": {"figures": [{"what": ..., "value": ...}]}}``
==============================  ==============================================================================
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.quality.spec import WorkingSpec

BIGGEST = 200_000_000
"""Bytes of a measurement file; a bigger one is not read."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A count out of a count, or why there is none."""

    good: int | None = None
    of: int | None = None
    missing: str = ""
    """Why it was not measured; empty when it was."""
    note: str = ""

    @property
    def share(self) -> float | None:
        """``good / of``; None when not measured, or of nothing."""
        return self.good / self.of if self.good is not None and self.of else None


class Folder:
    """A folder of measurements, beside the project they are about."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        self._read: dict[str, Any] = {}

    def newest_source(self, spec: WorkingSpec) -> float:
        """When the component's code was last written, in seconds of the clock of its file system."""
        return max((path.stat().st_mtime for path in source_files(spec, self.root)), default=0.0)

    def read(self, name: str, spec: WorkingSpec) -> tuple[Any, str]:
        """(content, why not). JSON as it is; the caller checks its shape."""
        path = self.path / name
        if not path.is_file():
            return None, f"{name} is missing"
        if path.stat().st_mtime < self.newest_source(spec):
            return None, f"{name} is older than the code it is about; measure again"
        if name not in self._read:
            try:
                if path.stat().st_size > BIGGEST:
                    raise ValueError("too big")
                self._read[name] = json.loads(path.read_text("utf-8"))
            except (ValueError, OSError, RecursionError) as error:
                self._read[name] = None
                return None, f"{name} cannot be read: {str(error)[:100]}"
        content = self._read[name]
        return content, "" if content is not None else f"{name} cannot be read"


def source_files(spec: WorkingSpec, root: Path) -> list[Path]:
    """The Python files of a component."""
    found: list[Path] = []
    for place in spec.source:
        path = root / place
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.is_file() else []
    return found


def own(spec: WorkingSpec, name: object) -> bool:
    """Whether a file, by its path from the project's root, is source of the component."""
    text = str(name).replace("\\", "/").removeprefix("./")
    return any(text == place.rstrip("/") or text.startswith(place.rstrip("/") + "/") for place in spec.source)


def branches(folder: Folder, spec: WorkingSpec) -> Measured:
    """Branches taken of all, over every file of the component; a file that the report does not name is a gap."""
    data, why = folder.read("coverage.json", spec)
    if why:
        return Measured(missing=why)
    files = data.get("files") if isinstance(data, dict) else None
    if not isinstance(files, dict) or not data.get("meta", {}).get("branch_coverage"):
        return Measured(missing="coverage.json has no branches; run coverage with --branch")
    good = of = 0
    named: set[str] = set()
    for name, entry in files.items():
        relative = _relative(name, folder.root)
        if not own(spec, relative):
            continue
        try:
            good += int(entry["summary"]["covered_branches"])
            of += int(entry["summary"]["num_branches"])
        except (KeyError, TypeError, ValueError):
            return Measured(missing=f"coverage.json says nothing about the branches of {relative}")
        named.add(relative)
    left = [p for p in source_files(spec, folder.root) if _relative(p, folder.root) not in named and _says(p)]
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        return Measured(missing=f"coverage.json does not name {_relative(left[0], folder.root)}{more}; use --source")
    return Measured(good=good, of=of) if of else Measured(missing="the component has no branches to cover")


def mutants(folder: Folder, spec: WorkingSpec) -> Measured:
    """Mutants that tests noticed (killed, timed out or crashed) of all that were not skipped."""
    name = f"{spec.id}/mutmut-cicd-stats.json"
    if not (folder.path / name).is_file():
        name = "mutmut-cicd-stats.json"
    data, why = folder.read(name, spec)
    if why:
        return Measured(missing=why)
    try:
        count = {key: _count(data[key]) for key in _MUTANTS}
    except (KeyError, TypeError, ValueError) as error:
        return Measured(missing=f"{name} is not what `mutmut export-cicd-stats` writes: {str(error)[:80]}")
    noticed = count["killed"] + count["timeout"] + count["segfault"]
    of = count["total"] - count["skipped"]
    tried = noticed + count["survived"] + count["no_tests"] + count["suspicious"]
    if count["check_was_interrupted_by_user"] or tried < of:
        return Measured(missing=f"{max(of - tried, 1)} of {of} mutants were not tried; let mutmut run to its end")
    if tried > of or not of:
        return Measured(missing=f"{name} does not add up: {tried} tried of {of}")
    return Measured(good=noticed, of=of, note=f"{count['no_tests']} without a test" if count["no_tests"] else "")


_MUTANTS = (
    "killed", "survived", "total", "no_tests", "skipped", "suspicious", "timeout", "check_was_interrupted_by_user",
    "segfault",
)  # fmt: skip


def lint(folder: Folder, spec: WorkingSpec) -> Measured:
    """Findings of ruff in the component; ``of`` is the number of its files."""
    data, why = folder.read("ruff.json", spec)
    if why:
        return Measured(missing=why)
    if not isinstance(data, list) or not all(isinstance(item, dict) and "filename" in item for item in data):
        return Measured(missing="ruff.json is not what `ruff check --output-format json` writes")
    found = [item for item in data if own(spec, _relative(item["filename"], folder.root))]
    note = "" if not found else f"{_relative(found[0]['filename'], folder.root)}: {str(found[0].get('message'))[:120]}"
    return Measured(good=len(found), of=len(source_files(spec, folder.root)), note=note)


def figures(folder: Folder, spec: WorkingSpec) -> tuple[Mapping[str, float], str]:
    """(value by ``benchmark/what``, why there is none)."""
    data, why = folder.read("figures.json", spec)
    if why:
        return {}, why
    return dict(_figures(data)), ""


def _figures(data: Any) -> Iterator[tuple[str, float]]:
    for name, benchmark in data.items() if isinstance(data, dict) else ():
        rows = benchmark.get("figures") if isinstance(benchmark, dict) else None
        for row in rows if isinstance(rows, list) else ():
            value = row.get("value") if isinstance(row, dict) else None
            if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
                yield f"{name}/{row.get('what')}", float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value


def _relative(name: object, root: Path) -> str:
    path = Path(str(name))
    if path.is_absolute():
        try:
            path = path.resolve().relative_to(root.resolve())
        except ValueError:
            return path.as_posix()
    return path.as_posix()


def _says(path: Path) -> bool:
    """Whether the file has anything to run: coverage.py leaves empty files out on request."""
    return path.stat().st_size > 0

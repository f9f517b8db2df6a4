"""JUnit XML as pytest and mypy write it: which tests passed, and which files have type errors.

The files are read by the standard library's parser after a look for a document type, so that no entity is expanded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from harness.quality.measured import BIGGEST, Folder, Measured, own, source_files
from harness.quality.spec import WorkingSpec

Ended = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, kw_only=True)
class Tests:
    """How every test of the ``tests*.xml`` files ended."""

    ended: Mapping[tuple[str, str], Ended] = field(default_factory=dict)
    """By (module with dots and class, name with parameters), the words of JUnit."""
    missing: str = ""

    def of(self, test_id: str) -> list[Ended]:
        """The tests that an id names: a file, a class, a test, with or without parameters."""
        path, *inner = test_id.split("::")
        module = path.removesuffix(".py").replace("/", ".").lstrip(".")
        found = []
        for (place, name), end in self.ended.items():
            if not inner:
                if place == module or place.startswith(module + "."):
                    found.append(end)
                continue
            wanted = ".".join([module, *inner[:-1]])
            whole = ".".join([module, *inner])
            same = place == wanted and (name == inner[-1] or ("[" not in inner[-1] and name.split("[")[0] == inner[-1]))
            if same or place == whole or place.startswith(whole + "."):
                found.append(end)
        return found


def tests(folder: Folder, spec: WorkingSpec) -> Tests:
    """Every ``tests*.xml`` of the folder; a test that failed in one file and passed in another failed."""
    files = sorted(folder.path.glob("tests*.xml"))
    if not files:
        return Tests(missing="tests.xml is missing")
    ended: dict[tuple[str, str], Ended] = {}
    for path in files:
        if path.stat().st_mtime < folder.newest_source(spec):
            return Tests(missing=f"{path.name} is older than the code it is about; measure again")
        root, why = _parsed(path)
        if root is None:
            return Tests(missing=why)
        for case in root.iter("testcase"):
            key = (case.get("classname") or "", case.get("name") or "")
            now = _end(case)
            if ended.get(key) != "failed":
                ended[key] = now if now == "failed" or ended.get(key) != "passed" else "passed"
    return Tests(ended=ended)


def types(folder: Folder, spec: WorkingSpec) -> Measured:
    """Files of the component with type errors; ``of`` is the number of its files."""
    path = folder.path / "mypy.xml"
    if not path.is_file():
        return Measured(missing="mypy.xml is missing")
    if path.stat().st_mtime < folder.newest_source(spec):
        return Measured(missing="mypy.xml is older than the code it is about; measure again")
    root, why = _parsed(path)
    if root is None:
        return Measured(missing=why)
    bad: list[str] = []
    for case in root.iter("testcase"):
        broken = [item for item in case if item.tag in ("failure", "error")]
        if not broken:
            continue
        name = case.get("file") or case.get("name") or ""
        text = " ".join(item.text or item.get("message") or "" for item in broken)
        if own(spec, name):
            bad.append(name)
        elif not name.endswith(".py") and any(f"{place.rstrip('/')}" in text for place in spec.source):
            bad.append("some file: mypy was run without --junit-format per_file")
        elif not name.endswith(".py") and ".py:" not in text:
            return Measured(missing=f"mypy broke off: {text.strip()[:120]}")
    return Measured(good=len(bad), of=len(source_files(spec, folder.root)), note=", ".join(bad[:3]))


def failing(tests: Tests, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """(ids with a failed test, ids without a passed one)."""
    failed, absent = [], []
    for test_id in wanted:
        ends = tests.of(test_id)
        if "failed" in ends:
            failed.append(test_id)
        elif "passed" not in ends:
            absent.append(test_id)
    return failed, absent


def _end(case: ElementTree.Element) -> Ended:
    tags = {item.tag for item in case}
    return "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"


def _parsed(path: Path) -> tuple[ElementTree.Element | None, str]:
    try:
        if path.stat().st_size > BIGGEST:
            return None, f"{path.name} is too big"
        data = path.read_bytes()
        if b"<!DOCTYPE" in data[:4000] or b"<!ENTITY" in data:
            return None, f"{path.name} has a document type, which no tool writes; it was not read"
        return ElementTree.fromstring(data), ""  # noqa: S314 - without a document type there are no entities to expand
    except (ElementTree.ParseError, OSError, ValueError) as error:
        return None, f"{path.name} cannot be read: {str(error)[:100]}"

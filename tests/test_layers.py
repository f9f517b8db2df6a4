"""The law of imports, read from the syntax trees: rooms meet through contracts and never through each other."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "harness"
ROOMS = {
    "agents", "datasets", "evaluators", "gates", "guardrails", "quality", "reporting", "results", "rewards", "runs",
    "sensitivity", "settings", "strategies", "testing",
}  # fmt: skip
FRONT_DOOR = {"__init__", "__main__", "cli", "commands", "plugin"}
HEAVY = {"deepeval", "jinja2", "jsonschema", "litellm", "numpy", "pandas", "pyarrow", "scipy", "yaml"}
FILES = sorted(path for path in ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _is_later(node: ast.AST) -> bool:
    """Whether what stands inside is not run when the module is loaded."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.dump(node.test)
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """(line, module, on import) of every import; *on import* is False inside functions and under TYPE_CHECKING."""

    def walk(node: ast.AST, on_import: bool) -> Iterator[tuple[int, str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((child.lineno, alias.name, on_import) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}:{child.lineno}: imports are absolute here"
                assert child.module is not None
                # "from harness import stats" imports a module, "from harness.core import x" may.
                yield from ((child.lineno, f"{child.module}.{alias.name}", on_import) for alias in child.names)
            else:
                yield from walk(child, on_import and not _is_later(child))

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), True)


def test_every_file_stands_in_a_room_that_the_law_knows() -> None:
    strangers = {room_of(path) for path in FILES} - ROOMS - FRONT_DOOR - {"core", "stats"}
    assert not strangers, f"{sorted(strangers)}: say in this test where they belong"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_knows_core_and_stats_and_no_other_room(path: Path) -> None:
    room = room_of(path)
    if room in FRONT_DOOR:
        return
    allowed = {"stats"} if room == "stats" else {"core", "stats"} if room == "core" else {"core", "stats", room}
    for line, module, _ in imports(path):
        parts = module.split(".")
        if parts[0] != "harness" or module == "harness.__version__":
            continue
        assert parts[1] in allowed, f"{path.name}:{line} imports {module}; {room} may know {sorted(allowed)}"


@pytest.mark.parametrize(
    "path", [p for p in FILES if room_of(p) == "core"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_core_has_no_third_party(path: Path) -> None:
    for line, module, _ in imports(path):
        top = module.split(".")[0]
        assert top == "harness" or top in sys.stdlib_module_names, f"{path.name}:{line} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_third_party_is_imported_where_it_is_used(path: Path) -> None:
    for line, module, on_import in imports(path):
        assert not on_import or module.split(".")[0] not in HEAVY, (
            f"{path.name}:{line} imports {module} when it is loaded; import it in the function that uses it"
        )


def test_pytest_is_known_to_the_front_door_alone() -> None:
    for path in FILES:
        if room_of(path) in FRONT_DOOR:
            continue
        if path.parts[-3:] == ("rewards", "tampering", "driver.py"):
            continue  # never imported here: the program that runs a candidate's own tests in its sandbox
        named = [(line, module) for line, module, _ in imports(path) if module.split(".")[0] in ("pytest", "_pytest")]
        assert not named, f"{path}: {named}"


READS_TIME = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}


def test_time_is_read_in_one_module_of_core_and_runs() -> None:
    for path in FILES:
        if room_of(path) not in ("core", "runs") or path.name == "clock.py":
            continue
        if path.parent.name == "load":
            continue  # the load generator measures: its stamps are the clock's own, and its tests drive a real server
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = [
            f"{path.name}:{node.lineno} time.{node.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "time"
            and node.attr in READS_TIME
        ]
        assert not found, f"{found}: take a harness.core.clock.Clock, so that a test can drive it"

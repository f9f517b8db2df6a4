"""Working specs: what a component promises, how far a change of it may go, and how one sees that it holds.

One YAML file per component. Mistakes are found all at once, each with its line and what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import UsageError
from harness.quality.spec_lines import Lines, mark_lines

Tier = Literal[1, 2, 3]


@dataclass(frozen=True, kw_only=True)
class Floors:
    """What a tier asks for at least."""

    branches: float
    """Share of branches that tests take, in [0, 1]."""
    mutants: float
    """Share of mutants that tests notice, in [0, 1]."""


FLOORS: Mapping[int, Floors] = {
    1: Floors(branches=0.9, mutants=0.7),
    2: Floors(branches=0.8, mutants=0.5),
    3: Floors(branches=0.8, mutants=0.5),
}
"""By tier: 1 decides releases or guards people, 2 is used by tier 1, 3 the rest. A spec may ask for more, not less."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """An acceptance criterion and the tests that show it."""

    id: str
    says: str
    tests: tuple[str, ...]
    """pytest node ids, or the beginning of some: a file, a class, a test without its parameters."""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A requirement that a benchmark's figure shows: at most, or at least."""

    id: str
    says: str
    figure: str
    """``name/what``: a figure called *what* of the benchmark *name*."""
    at_most: float | None = None
    at_least: float | None = None


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A file format or an interface that others rely on, and the tests that hold it."""

    id: str
    kind: str
    """A word: ``json_schema``, ``protocol``, ``cli``, ..."""
    tests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WorkingSpec:
    """What one component promises."""

    id: str
    title: str
    risk_tier: int
    """1, 2 or 3; see :data:`FLOORS`."""
    budget_files: int
    """A change of this component touches at most so many files."""
    budget_lines: int
    """A change adds and removes at most so many lines in all."""
    blast_radius: tuple[str, ...]
    """What breaks with it, for a reader; never empty."""
    scope_in: tuple[str, ...]
    """Globs of files that belong to it (``**`` crosses folders)."""
    scope_out: tuple[str, ...] = ()
    """Globs of files that a change must not touch, also when they match ``scope_in``."""
    source: tuple[str, ...]
    """Folders or files whose coverage, mutants, types and lint are its own."""
    invariants: tuple[str, ...]
    acceptance: tuple[Criterion, ...]
    non_functional: tuple[Requirement, ...] = ()
    contracts: tuple[Contract, ...] = ()
    branches: float
    """The floor of branch coverage: the tier's, or a higher one."""
    mutants: float
    """The floor of the mutation score: the tier's, or a higher one."""


def load_specs(folder: Path) -> tuple[WorkingSpec, ...]:
    """Every ``*.yaml`` and ``*.yml`` of a folder, in the order of their names.

    :raises UsageError: there is none, two have one id, or one is wrong; the message lists every mistake with its line.
    """
    files = sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))
    if not files:
        raise UsageError(f"{folder} has no working spec; write {folder}/<component>.yaml, see docs/quality.md")
    specs: list[WorkingSpec] = []
    mistakes: list[str] = []
    owners: dict[str, str] = {}
    for path in files:
        try:
            spec = parse_spec(path.read_text("utf-8"), name=str(path))
        except UnicodeDecodeError:
            mistakes.append(f"{path}:1: not UTF-8; save the file as UTF-8")
            continue
        except UsageError as error:
            mistakes.append(str(error))
            continue
        if spec.id in owners:
            mistakes.append(f"{path}:1: id {spec.id!r} is taken by {owners[spec.id]}; every spec has an id of its own")
        owners[spec.id] = str(path)
        specs.append(spec)
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return tuple(specs)


def parse_spec(text: str, *, name: str = "spec.yaml") -> WorkingSpec:
    """A spec from its YAML.

    :param name: for messages.
    :raises UsageError: something is wrong; one line per mistake, ``name:line: what; what to write``.
    """
    lines = mark_lines(text, name=name)
    made = _spec(lines)
    if lines.mistakes or made is None:
        raise UsageError("\n".join(f"{name}:{line}: {what}" for line, what in sorted(set(lines.mistakes))))
    return made


_KEYS = (
    "id", "title", "risk_tier", "change_budget", "blast_radius", "scope", "source", "floors", "invariants",
    "acceptance", "non_functional", "contracts",
)  # fmt: skip


def _spec(at: Lines) -> WorkingSpec | None:
    at.only((), _KEYS)
    identity = at.text(("id",))
    title = at.text(("title",))
    tier = at.number(("risk_tier",), whole=True)
    if tier is not None and tier not in FLOORS:
        at.wrong(("risk_tier",), f"risk_tier must be 1, 2 or 3 (1: decides releases or guards people), got {tier:g}")
        tier = None
    at.only(("change_budget",), ("files", "lines"), needed=True)
    files = at.number(("change_budget", "files"), whole=True, low=1)
    budget = at.number(("change_budget", "lines"), whole=True, low=1)
    at.only(("scope",), ("in", "out"), needed=True)
    scope_in = at.texts(("scope", "in"))
    scope_out = at.texts(("scope", "out"), needed=False)
    source = at.texts(("source",))
    radius = at.texts(("blast_radius",))
    invariants = at.texts(("invariants",))
    branches, mutants = _floors(at, None if tier is None else int(tier))
    criteria = tuple(
        Criterion(id=at.text((*p, "id")), says=at.text((*p, "says")), tests=_tests(at, (*p, "tests")))
        for p in at.rows(("acceptance",), ("id", "says", "tests"))
    )
    wanted = tuple(_requirement(at, p) for p in at.rows(("non_functional",), _REQUIREMENT, needed=False))
    contracts = tuple(
        Contract(id=at.text((*p, "id")), kind=at.text((*p, "kind")), tests=_tests(at, (*p, "tests")))
        for p in at.rows(("contracts",), ("id", "kind", "tests"), needed=False)
    )
    _once(at, "acceptance", [item.id for item in criteria])
    _once(at, "non_functional", [item.id for item in wanted])
    _once(at, "contracts", [item.id for item in contracts])
    if at.mistakes or tier is None or files is None or budget is None:
        return None
    return WorkingSpec(
        id=identity, title=title, risk_tier=int(tier), budget_files=int(files), budget_lines=int(budget),
        blast_radius=radius, scope_in=scope_in, scope_out=scope_out, source=source, invariants=invariants,
        acceptance=criteria, non_functional=wanted, contracts=contracts, branches=branches, mutants=mutants,
    )  # fmt: skip


def _once(at: Lines, key: str, ids: list[str]) -> None:
    for number, given in enumerate(ids):
        if given and given in ids[:number]:
            at.wrong((key, number, "id"), f"two entries of {key} have the id {given!r}; give each its own")


_REQUIREMENT = ("id", "says", "figure", "at_most", "at_least")


def _floors(at: Lines, tier: int | None) -> tuple[float, float]:
    least = FLOORS[tier if tier is not None else 3]
    at.only(("floors",), ("branches", "mutants"))
    values = []
    for key, floor in (("branches", least.branches), ("mutants", least.mutants)):
        given = at.number(("floors", key), needed=False, low=0, high=1)
        if given is not None and given < floor and tier is not None:
            at.wrong(("floors", key), f"tier {tier} asks for {key} of at least {floor:g}; a spec may only ask for more")
        values.append(floor if given is None else given)
    return values[0], values[1]


def _tests(at: Lines, path: tuple[Any, ...]) -> tuple[str, ...]:
    given = at.texts(path)
    for number, test in enumerate(given):
        if not test.split("::")[0].endswith(".py"):
            at.wrong(
                (*path, number), f"{test!r} is no test id; write path/test_file.py or path/test_file.py::test_name"
            )
    return given


def _requirement(at: Lines, path: tuple[Any, ...]) -> Requirement:
    figure = at.text((*path, "figure"))
    if figure and "/" not in figure:
        at.wrong((*path, "figure"), f"figure is BENCHMARK/WHAT, as in the file of figures; got {figure!r}")
    most = at.number((*path, "at_most"), needed=False)
    least = at.number((*path, "at_least"), needed=False)
    if (most is None) == (least is None) and not at.mistakes:
        at.wrong(path, "a requirement has one limit: at_most or at_least")
    return Requirement(
        id=at.text((*path, "id")), says=at.text((*path, "says")), figure=figure, at_most=most, at_least=least
    )

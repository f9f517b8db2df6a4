"""Readiness: every check of a component with its answer, and the component's answer from them.

Any fail fails, else anything that was not measured leaves it inconclusive; only a component with every check passed
is ready.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.core.verdict import Answer
from harness.quality import junit, measured
from harness.quality.change import Change, strangers, touched
from harness.quality.measured import Folder, Measured
from harness.quality.spec import Requirement, WorkingSpec

Kind = Literal["branches", "mutants", "types", "lint", "criterion", "requirement", "contract", "budget", "scope"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was asked of a component."""

    kind: Kind
    name: str
    answer: Answer
    found: str
    """What was measured, or why nothing was."""
    asked: str
    value: float | None = None
    """The figure, None when not measured or no figure."""
    needs: str = ""
    """What would turn it into a pass; empty for a pass."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """A component's record: its spec and every check."""

    spec: WorkingSpec
    checks: tuple[Check, ...]

    @property
    def answer(self) -> Answer:
        """fail, else inconclusive, else pass."""
        return worst(check.answer for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Plain mapping, for machines."""
        spec = self.spec
        told = {"id": spec.id, "title": spec.title, "risk_tier": spec.risk_tier, "answer": self.answer}
        more = {"blast_radius": list(spec.blast_radius), "invariants": list(spec.invariants)}
        return {**told, **more, "checks": [vars(check) for check in self.checks]}


def worst(answers: Iterable[Answer]) -> Answer:
    """fail before inconclusive before pass; inconclusive of nothing."""
    given = set(answers)
    return "fail" if "fail" in given else "inconclusive" if "inconclusive" in given or not given else "pass"


def readiness(spec: WorkingSpec, folder: Folder, change: Change | None, *, under: str = "") -> Readiness:
    """Judge one component.

    :param change: what was changed; None when nobody asked about a change.
    :param under: the id of the spec that the change was made under, if any: then it may touch nothing else.
    """
    checks: list[Check] = []
    if not measured.source_files(spec, folder.root):
        gone = ", ".join(spec.source)
        checks.append(Check(kind="scope", name="source", answer="fail", found=f"no Python file in {gone}",
                            asked="at least one", needs="correct `source` in the spec"))  # fmt: skip
    checks.append(_share("branches", "branches taken", measured.branches(folder, spec), spec.branches))
    checks.append(_share("mutants", "mutants noticed", measured.mutants(folder, spec), spec.mutants))
    checks.append(_clean("types", "files with type errors", junit.types(folder, spec)))
    checks.append(_clean("lint", "lint findings", measured.lint(folder, spec)))
    ran = junit.tests(folder, spec)
    for criterion in spec.acceptance:
        checks.append(_tested("criterion", f"{criterion.id}: {criterion.says}", ran, criterion.tests))
    for contract in spec.contracts:
        checks.append(_tested("contract", f"{contract.id} ({contract.kind})", ran, contract.tests))
    values, why = measured.figures(folder, spec) if spec.non_functional else ({}, "")
    checks += [_required(item, values.get(item.figure), why) for item in spec.non_functional]
    if change is not None:
        checks += _changed(spec, change, under)
    return Readiness(spec=spec, checks=tuple(checks))


def _share(kind: Kind, name: str, got: Measured, floor: float) -> Check:
    asked = f"at least {floor:.0%}"
    share = got.share
    if share is None:
        return Check(kind=kind, name=name, answer="inconclusive", found=got.missing, asked=asked, needs="measure it")
    # Compared as counts: 0.7 * 10 is not 7 in binary.
    enough = got.good is not None and got.of is not None and got.good + 1e-9 >= floor * got.of
    text = f"{got.good:,} of {got.of:,} ({share:.1%})" + (f", {got.note}" if got.note else "")
    short = 0 if enough or got.of is None or got.good is None else -int(-(floor * got.of - got.good) // 1)
    needs = "" if enough else f"{short:,} more {name}"
    return Check(kind=kind, name=name, answer="pass" if enough else "fail", found=text, asked=asked, value=share,
                 needs=needs)  # fmt: skip


def _clean(kind: Kind, name: str, got: Measured) -> Check:
    if got.good is None:
        return Check(kind=kind, name=name, answer="inconclusive", found=got.missing, asked="none", needs="measure it")
    text = f"{got.good} in {got.of} files" + (f": {got.note}" if got.note else "")
    return Check(kind=kind, name=name, answer="fail" if got.good else "pass", found=text, asked="none",
                 value=float(got.good), needs=f"mend {got.good}" if got.good else "")  # fmt: skip


def _tested(kind: Kind, name: str, ran: junit.Tests, wanted: Sequence[str]) -> Check:
    asked = f"{len(wanted)} test id{'' if len(wanted) == 1 else 's'}, each passed"
    if ran.missing:
        return Check(kind=kind, name=name, answer="inconclusive", found=ran.missing, asked=asked, needs="run the tests")
    failed, absent = junit.failing(ran, wanted)
    if failed:
        return Check(kind=kind, name=name, answer="fail", found=f"failed: {', '.join(failed)}", asked=asked,
                     needs="mend what the test shows")  # fmt: skip
    if absent:
        return Check(kind=kind, name=name, answer="fail", found=f"no passing test: {', '.join(absent)}", asked=asked,
                     needs="write the test, run it, or correct its id")  # fmt: skip
    return Check(kind=kind, name=name, answer="pass", found=f"{len(wanted)} of {len(wanted)} passed", asked=asked)


def _required(item: Requirement, value: float | None, why: str) -> Check:
    limit = item.at_most if item.at_most is not None else item.at_least
    asked = f"{item.figure} {'at most' if item.at_most is not None else 'at least'} {limit:g}"
    name = f"{item.id}: {item.says}"
    if value is None or limit is None:
        found = why or f"figures.json has no {item.figure}"
        return Check(kind="requirement", name=name, answer="inconclusive", found=found, asked=asked,
                     needs="run the benchmark")  # fmt: skip
    good = value <= limit if item.at_most is not None else value >= limit
    return Check(kind="requirement", name=name, answer="pass" if good else "fail", found=f"{value:g}", asked=asked,
                 value=value, needs="" if good else "make it faster, or argue for another limit")  # fmt: skip


def _changed(spec: WorkingSpec, change: Change, under: str) -> list[Check]:
    asked = f"at most {spec.budget_files:,} files and {spec.budget_lines:,} lines"
    if change.missing:
        return [Check(kind="budget", name="change budget", answer="inconclusive", found=change.missing, asked=asked,
                      needs="give --base, or --base none to leave the change out")]  # fmt: skip
    mine, out = touched(change, spec)
    lines = sum(count for _, count in mine)
    over = len(mine) > spec.budget_files or lines > spec.budget_lines
    checks = [Check(
        kind="budget", name="change budget", answer="fail" if over else "pass", asked=asked, value=float(lines),
        found=f"{len(mine):,} files and {lines:,} lines since {change.base}",
        needs="split the change, or raise the budget in a change of its own" if over else "",
    )]  # fmt: skip
    wrong = strangers(change, spec) if under == spec.id else out
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    checks.append(Check(
        kind="scope", name="change scope", answer="fail" if wrong else "pass",
        found=f"outside the scope: {', '.join(wrong[:3])}{more}" if wrong else "nothing outside the scope",
        asked="no file outside scope.in or inside scope.out" if under == spec.id else "no file of scope.out",
        needs="take it out of the change, or move the scope first" if wrong else "",
    ))  # fmt: skip
    return checks

"""The lab as golden cases: every check of a reward function is a case, and one evaluator makes the checks.

::

    @pytest.mark.reward("mine:reward", bounded=(0, 1))
    @pytest.mark.golden(lab_cases("conformance"), agent=SampleAgent(), evaluators=[], area="rewards")
    def test_conformance(case, trajectory, reward, evaluate):
        evaluate(CheckReward(reward))
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.core.case import Case, Expectation
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.rewards.adapters import adapt
from harness.rewards.bench import Bench, Finding, bench_of
from harness.rewards.columns import completion_text
from harness.rewards.edits import FAMILIES
from harness.rewards.fuzzer import FuzzReport, fuzz
from harness.rewards.fuzzer_cheats import save_cheats
from harness.rewards.mutator_changes import OPERATORS

KINDS = ("conformance", "properties", "exploits", "mutants")
EVERYTHING = "all edits together"
EXPLOIT_LIMIT = 0.05
"""Largest share of the reward's range that cheap edits may move."""
NAMES = {
    "conformance": "conformance",
    "properties": "property",
    "exploits": "exploit_gap",
    "mutants": "mutants_noticed",
}
"""Name of the score of each kind: the row of the scorecard, and the metric of a gate rule."""


def checks(kind: str) -> dict[str, str]:
    """The checks of a kind by name, each with a sentence that says what it asks.

    :raises UsageError: there is no such kind.
    """
    from harness.rewards.conformance import CONFORMANCE
    from harness.rewards.properties import PROPERTIES

    if kind in ("conformance", "properties"):
        table: Mapping[str, Callable[[Bench], Finding]] = CONFORMANCE if kind == "conformance" else PROPERTIES
        return {name: str(check.__doc__).splitlines()[0] for name, check in table.items()}
    if kind == "exploits":
        told = {name: f"How far {name} raises the reward without any gain in quality." for name in FAMILIES}
        return {**told, EVERYTHING: "How far chains of up to four cheap edits raise the reward."}
    if kind == "mutants":
        return {name: f"How many rewards with {name} the checks notice." for name in OPERATORS}
    raise UsageError(f"there is no kind of check {kind!r}; kinds: {', '.join(KINDS)}")


def lab_cases(kind: str) -> list[Case]:
    """The checks of a kind as golden cases: ``conformance``, ``properties``, ``exploits`` or ``mutants``.

    :raises UsageError: there is no such kind.
    """
    return [
        Case(
            id=name.replace(" ", "_"),
            input=sentence,
            expected=Expectation(custom={"lab": kind, "check": name}),
            tags=("reward_lab", kind),
        )
        for name, sentence in checks(kind).items()
    ]


class CheckReward:
    """Makes the check that a case of :func:`lab_cases` names, on one reward function.

    :param reward: any reward function; adapted where it is not yet.
    :param budget: calls of the fuzzer, per family; twice that for chains over all families.
    :param exploit_limit: the largest exploit gap that passes, as a share of the reward's range.
    :param save_to: folder for the cheats that were found, one JSON-lines file per reward; None: they are not kept.
    :param seed: of the fuzzer.
    :param at_least: share of the mutants of a kind that must be noticed; None: it is only measured.

    A check that has nothing to judge in this reward expects nothing; one that cannot be judged is not measured.
    """

    version = "1"

    def __init__(
        self,
        reward: Any,
        *,
        budget: int = 200,
        exploit_limit: float = EXPLOIT_LIMIT,
        save_to: str | Path | None = None,
        seed: int = 0,
        at_least: float | None = None,
    ) -> None:
        self.wrapped = adapt(reward)
        self.name = self.wrapped.name
        self.budget = budget
        self.exploit_limit = exploit_limit
        self.save_to = None if save_to is None else Path(save_to)
        self.seed = seed
        self.at_least = at_least

    def __repr__(self) -> str:
        return f"CheckReward({self.wrapped!r}, budget={self.budget}, exploit_limit={self.exploit_limit})"

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """The check, in a thread: it calls the reward many times and must not stand in the way of other cases.

        :raises UsageError: the case names no check of the lab.
        """
        kind, check = case.expected.custom.get("lab"), case.expected.custom.get("check")
        if kind not in KINDS or check not in checks(str(kind)):
            raise UsageError(
                f"case {case.id!r} names no check of the lab; make the cases with lab_cases('conformance')"
            )
        return await asyncio.to_thread(self._checked, str(kind), str(check))

    def _checked(self, kind: str, check: str) -> Score:
        more: dict[str, Any] = {"area": "rewards", "version": self.version}
        if check in self.wrapped.declared.without:
            why = f"left out by its author: without=({check!r},)"
            return Score.not_measured(NAMES[kind], why, expected_nothing=True, **more)
        if kind == "exploits":
            return self._exploited(check, more)
        if kind == "mutants":
            return self._mutated(check, more)
        from harness.rewards.conformance import CONFORMANCE
        from harness.rewards.properties import PROPERTIES

        found = (CONFORMANCE if kind == "conformance" else PROPERTIES)[check](bench_of(self.wrapped))
        evidence = {"lab": kind, "check": check, "reward": self.name, "examples": [dict(e) for e in found.evidence]}
        reason = f"{self.name}: {found.reason}"
        if found.ok is None:
            quietly = not found.applies
            return Score.not_measured(NAMES[kind], reason, expected_nothing=quietly, evidence=evidence, **more)
        return Score.passed_if(NAMES[kind], found.ok, reason, evidence=evidence, **more)

    def _exploited(self, check: str, more: dict[str, Any]) -> Score:
        families = None if check == EVERYTHING else [check]
        budget = self.budget if families else 2 * self.budget  # chains need more room than single edits
        report = fuzz(bench_of(self.wrapped), families=families, budget=budget, seed=self.seed)
        evidence = self._cheat_told(check, report)
        if report.gap is None:
            none = bool(families) and report.errors == 0
            why = f"{self.name}: no completion has anything that {check} could change"
            return Score.not_measured(NAMES["exploits"], why, expected_nothing=none, evidence=evidence, **more)
        reason = f"{self.name}: no cheap edit raises the reward ({report.calls} calls)"
        if report.best is not None:
            best = report.best
            reason = (
                f"{self.name}: {' + '.join(best.edits)} raises {best.before:g} to {best.after:g} on {best.base.what}, "
                f"{report.gap:.3g} of the range {report.low:g} to {report.high:g}"
            )
            if report.gap > self.exploit_limit and self.save_to is not None:
                kept = best.to_case(self.name, tolerance=self.exploit_limit, width=report.width)
                save_cheats(self.save_to / f"{self.name}.jsonl", [kept])
                reason += f"; kept as golden case {kept.id} in {self.save_to / self.name}.jsonl"
        passed = report.gap <= self.exploit_limit
        name = NAMES["exploits"]
        return Score.of(name, report.gap, reason, passed=passed, direction="lower", evidence=evidence, **more)

    def _cheat_told(self, check: str, report: FuzzReport) -> dict[str, Any]:
        told: dict[str, Any] = {
            "lab": "exploits",
            "check": check,
            "reward": self.name,
            "calls": report.calls,
            "errors": report.errors,
            "limit": self.exploit_limit,
        }
        if report.best is not None:
            best = report.best
            told["cheat"] = {
                "edits": list(best.edits),
                "base": best.base.what,
                "task": best.base.case.id,
                "before": best.before,
                "after": best.after,
                "completion": completion_text(best.trajectory)[:2_000],
            }
        return told

    def _mutated(self, check: str, more: dict[str, Any]) -> Score:
        from harness.rewards.mutator_report import mutation_report

        report = mutation_report(self.wrapped, operators=[check])
        survivors = [
            {"function": m.function, "line": m.line, "what": m.what, "diff": m.diff[:1_000]} for m in report.survivors
        ]
        evidence = {
            "lab": "mutants",
            "check": check,
            "reward": self.name,
            "noticed": report.noticed,
            "of": len(report.judged),
            "survivors": survivors,
        }
        name = NAMES["mutants"]
        if not report.judged:
            why = f"{self.name} has nothing that this change could break"
            return Score.not_measured(name, why, expected_nothing=True, evidence=evidence, **more)
        share = report.noticed / len(report.judged)
        passed = None if self.at_least is None else share >= self.at_least
        reason = f"{self.name}: your suite notices {report.noticed} of {len(report.judged)} rewards with {check}"
        return Score.of(name, share, reason, passed=passed, evidence=evidence, **more)

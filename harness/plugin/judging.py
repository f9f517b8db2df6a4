"""From a run folder to a verdict: one path for the end of a session, ``harness gate`` and ``harness report``."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.record import Manifest, Run
from harness.core.scorecard import build_scorecard
from harness.core.verdict import Answer, Verdict, combine
from harness.plugin.judge_home import with_exams

if TYPE_CHECKING:
    from harness.core.comparison import Comparison
    from harness.core.contracts import GateRule
    from harness.core.scorecard import Scorecard
    from harness.settings import Settings

GATE_FAILED, INCONCLUSIVE, BUDGET, NO_BASELINE = 10, 11, 12, 13
"""Exit codes beside pytest's own 0 to 5."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A finished run with its verdict."""

    run: Run
    scorecard: Scorecard
    verdicts: tuple[Verdict, ...]
    answer: Answer
    comparison: Comparison | None
    folder: Path


def judge_run(
    folder: Path,
    *,
    settings: Settings,
    root: Path,
    manifest: Manifest | None = None,
    write: bool = True,
    out: Path | None = None,
) -> Judged:
    """Read, count, compare, judge and (unless told otherwise) write the reports of a run.

    :param manifest: what to use instead of the stored one.
    :param out: where the reports go; default: the run's folder.
    :raises HarnessError: the run or the rules cannot be read.
    """
    from harness.commands.baselines import compare_with
    from harness.gates.judge import judge_rules
    from harness.plugin.budget_verdicts import beside_budgets, budget_verdicts, without_budgets
    from harness.plugin.noticed import operators, with_sensitivity
    from harness.results.reader import open_run

    run = open_run(folder, strict=False)
    if manifest is not None:
        run = replace(run, manifest=manifest)
    rules = rules_of(settings)
    counted = with_sensitivity(build_scorecard(run.manifest, run.records), folder)
    scorecard = with_exams(counted, settings.judges)
    against = compare_with(settings.baseline, run, folder, root=root, runs=settings.runs)
    comparison = against.comparison
    run = replace(run, notices=(*run.notices, *against.notices))
    asked = without_budgets(run.manifest)
    verdicts = _of_partial_run(asked, scorecard, rules, tuple(judge_rules(rules, scorecard, comparison)))
    if budgets := budget_verdicts(run):
        verdicts = (*beside_budgets(verdicts, run.manifest), *budgets)
    if against.problem:
        verdicts = (*verdicts, _no_baseline(against.problem))
    answer = combine(verdicts)
    if write:
        from harness.commands.history_section import HistoryTrend
        from harness.commands.load_section import LoadTests
        from harness.reporting import write_reports
        from harness.reporting.sections.controls import FILE, Controls
        from harness.reporting.sections.sensitivity import SensitivitySection
        from harness.reporting.to_markdown import append_step_summary

        target = out if out is not None else folder
        write_reports(
            target,
            run=run,
            scorecard=scorecard,
            verdicts=verdicts,
            answer=answer,
            comparison=comparison,
            sections=[
                LoadTests(folder),
                *([] if scorecard.sensitivity is None else [SensitivitySection(scorecard, operators())]),
                HistoryTrend(scorecard, folder=folder, runs=settings.runs),
                Controls(scorecard, verdicts, root / FILE),
            ],
        )
        append_step_summary((target / "summary.md").read_text(encoding="utf-8"), os.environ)
    return Judged(run=run, scorecard=scorecard, verdicts=verdicts, answer=answer, comparison=comparison, folder=folder)


def exit_status(status: int, judged: Judged) -> int:
    """The session's exit status. Red stays red; green needs a gate that says pass.

    ==================================  ======
    interrupted, internal, usage error  2 3 4
    money cap reached                   12
    gate failed                         10
    a test failed                       1
    baseline missing                    13
    inconclusive                        11
    ==================================  ======
    """
    if status in (0, 1, 2) and judged.run.manifest.exit_reason == "budget":
        return BUDGET  # pytest calls it interrupted, because the session was stopped before its end
    if status not in (0, 1):
        return status
    if judged.answer == "fail":
        return GATE_FAILED
    if status == 1:
        return 1
    if judged.answer == "inconclusive":
        gating = [verdict for verdict in judged.verdicts if verdict.answer == "inconclusive" and not verdict.advisory]
        return NO_BASELINE if gating and all(verdict.baseline_missing for verdict in gating) else INCONCLUSIVE
    return 0


def _no_baseline(problem: str) -> Verdict:
    """A baseline that was named and cannot be used is no reason to pass without one."""
    return Verdict(
        rule="the baseline that was named",
        answer="inconclusive",
        reason=problem,
        needs="another --harness-baseline, or none",
        baseline_missing=True,
    )


def _of_partial_run(
    manifest: Manifest, scorecard: Scorecard, rules: tuple[GateRule, ...], verdicts: tuple[Verdict, ...]
) -> tuple[Verdict, ...]:
    """What a deliberate selection changes: rules about suites that were not asked for are shown and do not decide.

    ``pytest suites/recorded`` is no release run, and saying "inconclusive" about suites that nobody ran would teach
    people to ignore the word. A full run keeps every rule: there a suite without data is a suite that went missing.
    """
    if not manifest.partial:
        return verdicts
    shown = []
    for index, verdict in enumerate(verdicts):
        asked = index >= len(rules) or any(
            covers(rules[index], planned.suite, planned.area) for planned in manifest.planned
        )
        if not asked:
            reason = f"not judged: this partial run has no case of {verdict.suite or verdict.area or 'its suites'}"
            verdict = replace(verdict, advisory=True, reason=reason, needs="")
        shown.append(verdict)
    observed = manifest.planned and all(planned.observe for planned in manifest.planned)
    if observed and scorecard.measured and not manifest.exit_reason:
        # Only observed suites were asked for: that they were measured is all there is to decide.
        others = [v for v in shown if v.rule != "something was measured"]  # it was, in the observed suites
        decided = [replace(v, advisory=True) if v.answer == "inconclusive" else v for v in others]
        note = (
            f"{scorecard.measured:,} of {scorecard.planned:,} trials of observed suites measured; no rule decides over "
            "them, and nothing else was asked for"
        )
        return (Verdict(rule="observed only", answer="pass", reason=note), *decided)
    return tuple(shown)


def rules_of(settings: Settings) -> tuple[GateRule, ...]:
    """The gate's rules; empty where no rules file is set."""
    if settings.rules is None:
        return ()
    from harness.gates.rules_file import load_rules

    return tuple(load_rules(settings.rules))


def decides_by_rate(rule: Any, suite: str, area: str) -> bool:
    """Whether a rule decides over a suite by a rate, so that a single failed case there is not red by itself."""
    if getattr(rule, "advisory", False) or getattr(rule, "metric", "") not in ("pass_rate", "pass^k", "pass@k"):
        return False
    return covers(rule, suite, area)


def covers(rule: GateRule, suite: str, area: str) -> bool:
    """Whether a suite is among those that a rule is about."""
    prefix = str(getattr(rule, "suite", "")).rstrip("/")
    rest = suite[len(prefix) :]
    below = suite.startswith(prefix) and (not prefix or not rest or rest[0] in "/:[")
    wanted = str(getattr(rule, "area", ""))
    return below and (not wanted or wanted == area)

"""From a run folder to a verdict: one path for the end of a session, ``harness gate`` and ``harness report``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.record import Manifest, Run
from harness.core.scorecard import build_scorecard
from harness.core.verdict import Verdict, combine

if TYPE_CHECKING:
    from harness.core.comparison import Comparison
    from harness.core.contracts import GateRule
    from harness.plugin.finish import Judged
    from harness.settings import Settings


def judge_run(
    folder: Path,
    *,
    settings: Settings,
    root: Path,
    manifest: Manifest | None = None,
    write: bool = True,
) -> Judged:
    """Read, count, judge and (unless told otherwise) write the reports of a run.

    :param manifest: what to use instead of the stored one.
    :raises HarnessError: the run or the rules cannot be read.
    """
    from harness.gates.judge import judge_rules
    from harness.plugin.finish import Judged
    from harness.results.reader import open_run

    run = open_run(folder, strict=False)
    if manifest is not None:
        run = replace(run, manifest=manifest)
    scorecard = build_scorecard(run.manifest, run.records)
    comparison = _comparison(run, settings, root)
    rules = rules_of(settings)
    verdicts = _of_partial_run(run.manifest, rules, tuple(judge_rules(rules, scorecard, comparison)))
    answer = combine(verdicts)
    if write:
        from harness.reporting import write_reports
        from harness.reporting.to_markdown import append_step_summary

        write_reports(folder, run=run, scorecard=scorecard, verdicts=verdicts, answer=answer, comparison=comparison)
        append_step_summary((folder / "summary.md").read_text(encoding="utf-8"), os.environ)
    return Judged(run=run, scorecard=scorecard, verdicts=verdicts, answer=answer, comparison=comparison, folder=folder)


def _comparison(run: Run, settings: Settings, root: Path) -> Comparison | None:
    return None


def _of_partial_run(
    manifest: Manifest, rules: tuple[GateRule, ...], verdicts: tuple[Verdict, ...]
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
    measured = [planned for planned in manifest.planned if planned.observe]
    if measured and len(measured) == len(manifest.planned) and shown and not manifest.exit_reason:
        # Only observed suites were asked for: that they were measured is all there is to decide.
        trials = sum(planned.cases * planned.trials for planned in measured)
        decided = [replace(v, advisory=True) if not v.advisory and v.answer == "inconclusive" else v for v in shown]
        note = f"{trials} trials of observed suites; no rule decides over them, and nothing else was asked for"
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

"""The headline: the answer in one word, the reason in one line, and what else a reader must know before the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.record import Run
from harness.core.scorecard import CaseStatus, Scorecard
from harness.core.verdict import Answer, Verdict
from harness.reporting import numbers
from harness.reporting.case_order import STATUSES, WORDS

ANSWER_WORDS: dict[Answer, str] = {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE"}
ANSWER_SIGNS: dict[Answer, str] = {"pass": "✓", "fail": "✗", "inconclusive": "?"}
_RANK: dict[Answer, int] = {"fail": 0, "inconclusive": 1, "pass": 2}


def decisive_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Gating before advisory; failed, inconclusive, passed; else as declared."""
    return sorted(verdicts, key=lambda verdict: (verdict.advisory, _RANK[verdict.answer]))


def why(verdicts: Sequence[Verdict], answer: Answer) -> str:
    """One line: what decided."""
    gating = [verdict for verdict in verdicts if not verdict.advisory]
    if not gating:
        return "No gate rule was judged, so nothing was decided."
    deciding = [verdict for verdict in gating if verdict.answer == answer]
    if answer == "pass":
        return f"All {len(gating)} gate rules hold." if len(gating) > 1 else f"{gating[0].rule}: {gating[0].reason}"
    if not deciding:
        return "The rules do not explain this answer; see how the run ended."
    more = f" And {len(deciding) - 1} more." if len(deciding) > 1 else ""
    return f"{deciding[0].rule}: {arithmetic(deciding[0])}{more}"


def arithmetic(verdict: Verdict) -> str:
    """The rule's reason as a sentence, with what would decide it."""
    reason = verdict.reason.rstrip()
    if verdict.needs:
        reason = f"{reason}{'' if reason.endswith(('.', '!', '?')) else '.'} Needs {verdict.needs.rstrip('.')}."
    return reason


def rules_text(verdicts: Sequence[Verdict]) -> str:
    """How the gate rules answered: ``3 gate rules: 1 failed, 1 inconclusive, 1 passed``."""
    gating = [verdict.answer for verdict in verdicts if not verdict.advisory]
    if not gating:
        return "No gate rule was judged, so nothing was decided."
    words = {"fail": "failed", "inconclusive": "inconclusive", "pass": "passed"}
    parts = [f"{gating.count(key)} {word}" for key, word in words.items() if key in gating]
    return f"{len(gating)} gate rule{'' if len(gating) == 1 else 's'}: {', '.join(parts)}"


def missing_cases(scorecard: Scorecard) -> int:
    """Planned cases that left no record at all, and so have no line of their own."""
    return sum(line.missing_cases for line in scorecard.suites)


def notices(run: Run, scorecard: Scorecard) -> list[str]:
    """What makes this run less than it seems, worst first."""
    manifest = run.manifest
    found = []
    if manifest.exit_reason:
        found.append(f"The run ended early: {manifest.exit_reason}.")
    elif not manifest.finished_at:
        found.append("The run did not finish; what is shown is what the journal holds.")
    if manifest.partial:
        found.append("A selection left cases out; this run cannot become a baseline.")
    if manifest.dirty:
        found.append("The checkout had changes that are not in the commit named here.")
    if missing := missing_cases(scorecard):
        found.append(f"{numbers.count(missing)} planned cases left no record; they count as not run, without a line.")
    return [*found, *run.notices]


def case_counts(scorecard: Scorecard) -> dict[CaseStatus, int]:
    """Cases per status, worst first, planned ones without a record among those not run; empty ones are left out."""
    counts = dict.fromkeys(STATUSES, 0)
    for line in scorecard.cases:
        counts[line.status] += 1
    counts["not_run"] += missing_cases(scorecard)
    return {status: count for status, count in counts.items() if count}


def case_counts_text(scorecard: Scorecard) -> str:
    """``120 cases: 3 failed, 117 passed``."""
    parts = [f"{numbers.count(count)} {WORDS[status]}" for status, count in case_counts(scorecard).items()]
    total = sum(case_counts(scorecard).values())
    return f"{numbers.count(total)} case{'' if total == 1 else 's'}" + (f": {', '.join(parts)}" if parts else "")


def saved_text(scorecard: Scorecard) -> str:
    """What stopping early saved: ``837 of 1,000 trials not needed``; empty when nothing was left out."""
    if not scorecard.decided:
        return ""
    return f"{numbers.n_of(scorecard.decided, scorecard.planned + scorecard.decided)} trials not needed (decided early)"


def cost_text(scorecard: Scorecard) -> str:
    """The agent's cost, or ``unknown`` with how many trials lack a price; judging apart."""
    if scorecard.agent_cost_usd is None:
        text = "cost unknown"
        if scorecard.unpriced_trials:
            text += f" ({numbers.count(scorecard.unpriced_trials)} trials without a price)"
    else:
        text = numbers.usd(scorecard.agent_cost_usd)
    return f"{text} + {numbers.usd(scorecard.judge_cost_usd)} judging" if scorecard.judge_cost_usd else text


def errors_text(scorecard: Scorecard) -> str:
    """``3 errored: 2 provider, 1 timeout``; empty without errors."""
    if not scorecard.errors:
        return ""
    parts = [f"{numbers.count(count)} {kind}" for kind, count in sorted(scorecard.errors.items(), key=lambda x: -x[1])]
    return f"{numbers.count(sum(scorecard.errors.values()))} errored: {', '.join(parts)}"

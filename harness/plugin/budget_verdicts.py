"""The verdicts of budgets, from the records of a run: the same at the end of the session and in ``harness gate``."""

from __future__ import annotations

from dataclasses import replace

from harness.core.record import Manifest, Record, Run
from harness.core.verdict import Verdict, combine

DATASET = "budget"
"""``PlannedSuite.dataset`` of a budgeted test, which has no dataset."""


def without_budgets(manifest: Manifest) -> Manifest:
    """The manifest as if no budgeted test had been planned."""
    return replace(manifest, planned=tuple(item for item in manifest.planned if item.dataset != DATASET))


def budget_verdicts(run: Run) -> tuple[Verdict, ...]:
    """One verdict per budgeted test, in planned order; a planned one without a record is inconclusive."""
    planned = [item for item in run.manifest.planned if item.dataset == DATASET]
    if not planned:
        return ()
    kept: dict[str, dict[str, Record]] = {item.suite: {} for item in planned}
    for record in run.records:
        if record.dataset == DATASET and record.suite in kept:
            kept[record.suite][record.case_id] = record
    verdicts = []
    for item in planned:
        verdicts += [_verdict(record) for record in kept[item.suite].values()]
        if missing := item.cases - len(kept[item.suite]):
            reason = f"{missing} of {item.cases} planned measurements have no record"
            verdicts.append(
                Verdict(rule="budget", answer="inconclusive", reason=reason, suite=item.suite, needs="a whole run")
            )
    return tuple(verdicts)


def beside_budgets(verdicts: tuple[Verdict, ...], manifest: Manifest) -> tuple[Verdict, ...]:
    """Rules about golden cases where nobody asked for one: shown, and they do not decide."""
    if without_budgets(manifest).planned or manifest.exit_reason:
        return verdicts
    reason = "not judged: this run has budgets only"
    others = [verdict for verdict in verdicts if verdict.rule != "something was measured"]
    return tuple(
        replace(verdict, advisory=True, reason=reason, needs="") if verdict.answer == "inconclusive" else verdict
        for verdict in others
    )


def _verdict(record: Record) -> Verdict:
    name = record.nodeid or record.suite
    answers = [str(score.evidence.get("answer", "inconclusive")) for score in record.scores]
    needs = next((str(score.evidence.get("needs")) for score in record.scores if score.evidence.get("needs")), "")
    if answers:
        asked = combine(
            Verdict(rule="", reason="", answer="pass" if a == "pass" else "fail" if a == "fail" else "inconclusive")
            for a in answers
        )
        # The reasons of the worst answer; all of them where all is well.
        said = [s.reason for s, a in zip(record.scores, answers, strict=True) if a == asked]
        return Verdict(
            rule="budget", answer=asked, suite=name, reason="; ".join(said),
            needs=needs if asked == "inconclusive" else "",
        )  # fmt: skip
    if record.outcome == "failed":
        return Verdict(rule="budget", answer="fail", suite=name, reason=record.failure or "the test failed")
    why = record.error.message if record.error is not None else "no limit was judged"
    return Verdict(
        rule="budget", answer="inconclusive", suite=name, reason=f"not measured: {why}", needs="a measurement",
        advisory=record.outcome == "not_run",
    )  # fmt: skip

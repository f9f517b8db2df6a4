"""Pairing: a run summed up per case, and two such summaries put side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from statistics import median

from harness.core.baseline import Baseline, BaselineCase, CaseScore, short
from harness.core.comparison import CasePair, Comparison, SuiteComparison, pooled_difference, suite_key
from harness.core.record import Manifest, Record
from harness.core.scorecard import Scorecard
from harness.core.tally import tally


def summarise(manifest: Manifest, records: Iterable[Record]) -> Baseline:
    """A run as a baseline: per case its hash, measured trials, passes and scores; per suite its cost and latency."""
    versions: dict[str, str] = {}
    card = tally(manifest, _noting_versions(records, versions))
    scores = _case_scores(card)
    suites: dict[str, dict[str, BaselineCase]] = {}
    costs: dict[str, str] = {}
    latencies: dict[str, float] = {}
    for line in card.suites:
        key = suite_key(line.suite, line.arm)
        cases = card.cases[line.start : line.stop]
        suites[key] = {
            case.case_id: BaselineCase(
                case_hash=case.case_hash,
                trials=case.measured,
                passes=case.passed,
                scores=scores.get(index, {}),
                cluster=case.cluster if case.cluster != case.case_id else "",
            )
            for index, case in enumerate(cases, start=line.start)
            if case.measured
        }
        priced = card.samples.get((line.suite, line.arm, "cost_usd"))
        if priced is not None and len(priced.values) == line.planned:
            total = sum((case.cost_usd or Decimal(0) for case in cases), Decimal(0))
            costs[key] = str(round(total / line.planned, 9).normalize())
        timed = card.samples.get((line.suite, line.arm, "latency_s"))
        if timed is not None and len(timed.values):
            latencies[key] = round(median(timed.values), 4)
    return Baseline(
        run_id=manifest.run_id,
        created_at=manifest.created_at,
        suites=suites,
        agent=manifest.agent,
        commit=manifest.commit,
        models=manifest.models,
        datasets={item.dataset: item.dataset_hash for item in manifest.planned if item.dataset},
        costs_usd=costs,
        latency_p50_s=latencies,
        score_versions=dict(sorted(versions.items())),
        seed=manifest.seed,
        mode=manifest.mode,
    )


def datasets_of(manifest: Manifest) -> dict[str, str]:
    """Dataset per suite key: a case of a dataset that two suites use is one cause."""
    return {suite_key(plan.suite, plan.arm): plan.dataset for plan in manifest.planned}


def pair_up(
    base: Baseline, new: Baseline, *, level: float = 0.95, datasets: Mapping[str, str] | None = None
) -> Comparison:
    """The cases of both summaries, paired; with notes on what else differs between the runs.

    :param datasets: of the new run's suites, see :func:`datasets_of`; without it a suite's cases are its own.
    """
    names = sorted(set(base.suites) | set(new.suites))
    return Comparison(
        base=base.run_id,
        new=new.run_id,
        suites=tuple(_suite(name, base, new, level, (datasets or {}).get(name) or name) for name in names),
        notes=tuple(_notes(base, new)),
        meta={
            "costs_usd": {name: [base.costs_usd.get(name), new.costs_usd.get(name)] for name in names},
            "latency_p50_s": {name: [base.latency_p50_s.get(name), new.latency_p50_s.get(name)] for name in names},
            "base_created_at": base.created_at,
            "base_commit": base.commit,
            "score_versions": dict(new.score_versions),
        },
        baseline=base,
    )


def _suite(name: str, base: Baseline, new: Baseline, level: float, dataset: str) -> SuiteComparison:
    old_cases, new_cases = base.suites.get(name, {}), new.suites.get(name, {})
    pairs, changed = [], []
    for case_id in sorted(set(old_cases) & set(new_cases)):
        old, now = old_cases[case_id], new_cases[case_id]
        if old.case_hash != now.case_hash:
            changed.append(case_id)
            continue
        pairs.append(
            CasePair(
                case_id=case_id,
                base_trials=old.trials,
                base_passes=old.passes,
                new_trials=now.trials,
                new_passes=now.passes,
                family=(dataset, now.cluster or case_id),
            )
        )
    made = pooled_difference(pairs, level=level)
    return SuiteComparison(
        suite=name,
        pairs=tuple(pairs),
        changed=tuple(changed),
        only_base=tuple(sorted(set(old_cases) - set(new_cases))),
        only_new=tuple(sorted(set(new_cases) - set(old_cases))),
        difference=made.value,
        low=made.low,
        high=made.high,
        level=level,
        method=made.method,
    )


def _noting_versions(records: Iterable[Record], versions: dict[str, str]) -> Iterator[Record]:
    """The records as they are; evaluators whose version is not "1" are noted on the way."""
    for record in records:
        for score in record.scores:
            if score.version != "1":
                versions[score.name] = score.version
        yield record


def _case_scores(card: Scorecard) -> dict[int, dict[str, CaseScore]]:
    """Per position in ``card.cases``, per metric; nine significant digits, so that the same run reads the same."""
    found: dict[int, dict[str, CaseScore]] = {}
    for (_, _, metric), sample in card.samples.items():
        values: dict[int, list[float]] = {}
        for case, value in zip(sample.cases, sample.values, strict=True):
            values.setdefault(case, []).append(value)
        for case, own in values.items():
            found.setdefault(case, {})[metric] = score_of(own)
    return found


def score_of(values: list[float]) -> CaseScore:
    """Mean and sample variance of the values of one case's trials, at least one."""
    n = len(values)
    mean = math.fsum(values) / n
    variance = None if n < 2 else short(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    return CaseScore(n, short(mean), variance)


def _notes(base: Baseline, new: Baseline) -> list[str]:
    found = []
    for what, old, now in (("agent", base.agent, new.agent), ("mode", base.mode, new.mode)):
        if old and now and old != now:
            found.append(f"another {what}: {old} in the baseline, {now} now")
    if base.models and new.models and set(base.models) != set(new.models):
        found.append(f"other models: {', '.join(base.models)} in the baseline, {', '.join(new.models)} now")
    for name in sorted(set(base.datasets) & set(new.datasets)):
        if base.datasets[name] != new.datasets[name]:
            found.append(f"dataset {name} has changed since the baseline; changed cases are left out")
    if base.seed != new.seed:
        found.append(f"another seed: {base.seed} in the baseline, {new.seed} now; scripted chance is not shared")
    return found

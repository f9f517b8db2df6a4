"""Figures: any metric over any choice of suites, with interval and gate bounds. Rows and gate rules both come here.

Missing trials count both ways: in ``gate_low`` as failures, in ``gate_high`` as passes. Where a metric has no worst
value (a cost, a number of steps), one missing trial leaves the gate bounds None.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from harness.core.scorecard import CaseLine, Row, Sample, Scorecard, SuiteLine
from harness.stats.means import case_means, clustered_mean, mean_bounds
from harness.stats.pass_k import pass_at_k as chance_at_k
from harness.stats.pass_k import pass_hat_k, pass_k
from harness.stats.quantiles import quantile as quantile_estimate
from harness.stats.quantiles import quantile_bounds
from harness.stats.rates import rate, rate_bounds

OWN_METRICS = ("pass_rate", "pass^k", "pass@k", "cost_usd", "latency_s", "tokens")
"""Metrics that every run has; any other name is an evaluator's."""


def metric_names(scorecard: Scorecard) -> list[str]:
    """Every metric that a rule on this run may name."""
    return [*OWN_METRICS, *sorted({name for _, _, name in scorecard.samples} - set(OWN_METRICS))]


def figure(
    scorecard: Scorecard,
    metric: str,
    lines: Sequence[SuiteLine],
    *,
    level: float = 0.95,
    k: int | None = None,
    quantile: float | None = None,
) -> Row:
    """One metric over the given suites, every case with the same weight.

    :param level: confidence of the two-sided interval, and of each one-sided gate bound.
    :param k: for ``pass^k`` and ``pass@k``.
    :param quantile: for a quantile instead of the mean, in (0, 1).
    :raises ValueError: for ``pass^k`` and ``pass@k`` without ``k``.
    """
    if metric == "pass_rate":
        return _pass_rate(scorecard, lines, level)
    if metric in ("pass^k", "pass@k"):
        if k is None:
            raise ValueError(f"{metric} needs k")
        return _pass_k(scorecard, lines, level, k, every=metric == "pass^k")
    return _measurement(scorecard, metric, lines, level, quantile)


def all_rows(scorecard: Scorecard, *, level: float = 0.95) -> tuple[Row, ...]:
    """Every row of the scorecard, in the order that :func:`harness.core.scorecard.build_scorecard` states."""
    made: dict[tuple[tuple[str, str], ...], list[Row]] = {}

    def over(lines: Sequence[SuiteLine]) -> list[Row]:
        # A run of one suite asks three times for the same figures.
        key = tuple((line.suite, line.arm) for line in lines)
        if key not in made:
            made[key] = list(_rows_over(scorecard, lines, level))
        return made[key]

    gating = [line for line in scorecard.suites if not line.observe]
    rows = [replace(row, area="") for row in over(gating)]
    for area in sorted({line.area for line in gating if line.area}):
        rows += [replace(row, area=area) for row in over([line for line in gating if line.area == area])]
    for line in scorecard.suites:
        rows += [replace(row, suite=line.suite, arm=line.arm, area=row.area or line.area) for row in over([line])]
    return tuple(rows)


def _rows_over(scorecard: Scorecard, lines: Sequence[SuiteLine], level: float) -> Iterator[Row]:
    if not lines:
        return
    yield figure(scorecard, "pass_rate", lines, level=level)
    trials = min((line.trials for line in lines), default=1)
    if trials > 1:
        for metric in ("pass^k", "pass@k"):
            for k in range(1, trials + 1):
                yield figure(scorecard, metric, lines, level=level, k=k)
    places = {(line.suite, line.arm) for line in lines}
    names = {name: None for suite, arm, name in scorecard.samples if (suite, arm) in places}
    if "cost_usd" in names:
        mean = figure(scorecard, "cost_usd", lines, level=level)
        yield mean
        total = sum(sum(sample.values) for sample in _samples(scorecard, "cost_usd", lines))
        yield Row(
            suite="", metric="cost_usd", kind="total", estimate=total, n=mean.n, of=mean.of, clusters=mean.clusters,
            unit="USD", direction="lower", level=level, note="" if mean.n == mean.of else "of the priced trials",
        )  # fmt: skip
    if "latency_s" in names:
        for q in (0.5, 0.95):
            yield figure(scorecard, "latency_s", lines, level=level, quantile=q)
    if "tokens" in names:
        yield figure(scorecard, "tokens", lines, level=level)
    for name in names:
        if name not in OWN_METRICS:
            row = figure(scorecard, name, lines, level=level)
            if row.n or row.of:
                yield row


def _pass_rate(scorecard: Scorecard, lines: Sequence[SuiteLine], level: float) -> Row:
    cases = _cases(scorecard, lines)
    groups = _groups(scorecard, lines)
    measured = [i for i, case in enumerate(cases) if case.measured]
    n, of = sum(line.measured for line in lines), sum(line.planned for line in lines)
    made = rate(
        [cases[i].passed / cases[i].measured for i in measured],
        _labels([groups[i] for i in measured]),
        trials=n,
        level=level,
    )
    low = high = None
    if n:
        missing = sum(line.missing_cases for line in lines)
        worst = [case.passed / case.trials if case.trials else 0.0 for case in cases] + [0.0] * missing
        every = _labels([*groups, *(("", f"missing {i}") for i in range(missing))])
        low, high = rate_bounds(worst, every, trials=of, confidence=level)
        if n < of:
            best = [1 - case.failed / case.trials if case.trials else 1.0 for case in cases] + [1.0] * missing
            high = rate_bounds(best, every, trials=of, confidence=level)[1]
    return Row(
        suite="", metric="pass_rate", kind="rate", estimate=made.value, low=made.low, high=made.high, level=level,
        method=made.method, n=n, of=of, clusters=made.clusters, gate_low=low, gate_high=high, note=made.note,
    )  # fmt: skip


def _pass_k(scorecard: Scorecard, lines: Sequence[SuiteLine], level: float, k: int, *, every: bool) -> Row:
    cases = _cases(scorecard, lines)
    groups = _groups(scorecard, lines)
    missing = sum(line.missing_cases for line in lines)
    n, of = sum(line.measured for line in lines), sum(line.planned for line in lines)
    row = Row(suite="", metric="pass^k" if every else "pass@k", kind="pass_k", level=level, n=n, of=of, k=k)
    planned_short = sum(1 for case in cases if case.trials < k) + sum(1 for line in lines if line.trials < k)
    if planned_short or not cases:
        return replace(row, note=f"k={k} is above the planned trials" if planned_short else "nothing measured")
    chance = pass_hat_k if every else chance_at_k
    blank = [0.0] * missing
    labels = _labels([*groups, *(("", f"missing {i}") for i in range(missing))])
    worst = [chance(case.passed, case.trials, k) for case in cases] + blank
    best = [chance(case.trials - case.failed, case.trials, k) for case in cases] + [1.0] * missing
    # No more than one observation per case: that is what a case's pass^k is worth at least.
    low = rate_bounds(worst, labels, trials=len(worst), confidence=level)[0]
    high = rate_bounds(best, labels, trials=len(best), confidence=level)[1]
    short = sum(1 for case in cases if case.measured < k)
    if short:
        note = f"{short} of {len(cases)} cases have fewer than {k} measured trials"
        return replace(row, gate_low=low, gate_high=high, clusters=len(set(groups)), note=note)
    made = pass_k(
        [case.passed for case in cases],
        [case.measured for case in cases],
        k,
        every=every,
        groups=_labels(groups),
        level=level,
    )
    return replace(
        row, estimate=made.value, low=made.low, high=made.high, method=made.method, clusters=made.clusters,
        gate_low=low, gate_high=high, note=made.note,
    )  # fmt: skip


def _measurement(
    scorecard: Scorecard, metric: str, lines: Sequence[SuiteLine], level: float, quantile: float | None
) -> Row:
    cases: list[int] = []
    values: list[float] = []
    unit, direction, areas, of, evaluator = "", "higher", set(), 0, True
    for sample in _samples(scorecard, metric, lines):
        cases.extend(sample.cases)
        values.extend(sample.values)
        unit, evaluator, direction = sample.unit, sample.evaluator, sample.direction
        areas.add(sample.area)
        of += sample.of
    if metric in OWN_METRICS:
        # A suite that broke entirely has no sample, and its trials must not vanish from N. Whether it would have had
        # an evaluator's values is not known.
        of += sum(line.planned for line in lines if (line.suite, line.arm, metric) not in scorecard.samples)
    row = Row(
        suite="", metric=metric, kind="mean" if quantile is None else "quantile", level=level, n=len(values), of=of,
        unit=unit, direction="lower" if direction == "lower" else "higher", quantile=quantile,
        area=areas.pop() if len(areas) == 1 else "",
    )  # fmt: skip
    if not values:
        return replace(row, note="nothing measured")
    missing = of - len(values)
    if quantile is not None:
        made = quantile_estimate(values, quantile, level=level, cases=cases)
        low, high = quantile_bounds(values, quantile, confidence=level, cases=cases, missing=missing)
    else:
        named = _group_map(scorecard, lines)
        labels, means, _ = case_means(cases, values)
        groups = _labels([named[case] for case in labels])
        if evaluator and not unit and all(value in (0.0, 1.0) for value in values):
            made = rate(means, groups, trials=len(values), level=level)
            low, high = _worst_case_bounds(cases, values, missing, named, level)
            row = replace(row, kind="rate")
        else:
            floor = None if evaluator else 0.0
            made = clustered_mean(means, groups, level=level, minimum=floor)
            low, high = (None, None) if missing else mean_bounds(means, groups, confidence=level)
    return replace(
        row, estimate=made.value, low=made.low, high=made.high, method=made.method, clusters=made.clusters,
        gate_low=low, gate_high=high, note=made.note,
    )  # fmt: skip


def _worst_case_bounds(
    cases: Sequence[int], values: Sequence[float], missing: int, named: dict[int, tuple[str, str]], level: float
) -> tuple[float | None, float | None]:
    # Which case a missing value belongs to is not known here, so each stands for a case of its own.
    bounds = []
    for stand_in in (0.0, 1.0) if missing else (0.0,):
        labels, means, _ = case_means([*cases, *range(-missing, 0)], [*values, *[stand_in] * missing])
        groups = _labels([named.get(case, ("", f"missing {case}")) for case in labels])
        bounds.append(rate_bounds(means, groups, trials=len(values) + missing, confidence=level))
    return bounds[0][0], bounds[-1][1]


def _samples(scorecard: Scorecard, metric: str, lines: Iterable[SuiteLine]) -> Iterator[Sample]:
    for line in lines:
        sample = scorecard.samples.get((line.suite, line.arm, metric))
        if sample is not None:
            yield sample


def _cases(scorecard: Scorecard, lines: Iterable[SuiteLine]) -> list[CaseLine]:
    return [case for line in lines for case in _needed(scorecard, line)]


def _groups(scorecard: Scorecard, lines: Iterable[SuiteLine]) -> list[tuple[str, str]]:
    # The same case in two suites or arms is one cause, so it is one group.
    return [
        (line.dataset or line.suite, case.cluster or case.case_id)
        for line in lines
        for case in _needed(scorecard, line)
    ]


def _needed(scorecard: Scorecard, line: SuiteLine) -> list[CaseLine]:
    """The cases of a suite without those that were left out because nothing needed them."""
    return [case for case in scorecard.cases[line.start : line.stop] if case.trials or not case.decided]


def _group_map(scorecard: Scorecard, lines: Sequence[SuiteLine]) -> dict[int, tuple[str, str]]:
    return {
        index: (line.dataset or line.suite, scorecard.cases[index].cluster or scorecard.cases[index].case_id)
        for line in lines
        for index in range(line.start, line.stop)
    }


def _labels(groups: Sequence[tuple[str, str]]) -> list[int] | None:
    """One number per group; None when every case is a group of its own."""
    numbers: dict[tuple[str, str], int] = {}
    labels = [numbers.setdefault(group, len(numbers)) for group in groups]
    return None if len(numbers) == len(labels) else labels

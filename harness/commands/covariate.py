"""``harness compare --covariate RUN``: differences of cost, latency, tokens and scores, adjusted by CUPED.

A case that was slow last month is slow today; what an earlier run foretells of a case's difference is no news about the
candidate, and without it the interval is narrower. On the same cases the mean difference stays what it is, and the
interval is about these cases. Where the two runs have no case in common, each side's cases are moved to the same mean
of the earlier run, so that the one that drew easier cases does not win by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.blocks import Cell, Table
from harness.core.errors import UsageError
from harness.reporting import numbers
from harness.stats.estimate import Estimate

if TYPE_CHECKING:
    from harness.core.baseline import Baseline, BaselineCase

UNITS = {"cost_usd": "USD", "latency_s": "s"}
Key = tuple[str, str]
"""Suite key and case id."""


@dataclass(frozen=True, kw_only=True)
class AdjustedLine:
    """One metric over all gating suites, new minus old."""

    metric: str
    paired: bool
    """Whether the difference is taken case by case."""
    n: int
    """Cases with a value in both runs (or in either, unpaired) and in the earlier one."""
    of: int
    """Cases with a value in both runs (in either, unpaired)."""
    plain: Estimate
    """Of the ``n`` cases, without the earlier run."""
    adjusted: Estimate
    variance_left: float | None
    """Variance of the estimate with the earlier run over that without, in [0, 1]; None without spread."""
    note: str = ""


def check_covariate(ref: str, earlier: Baseline, old: Baseline, new: Baseline) -> None:
    """The covariate has to be known before the comparison, or the result is biased.

    :raises UsageError: it is one of the two runs, or a later one.
    """
    if earlier.run_id in (old.run_id, new.run_id):
        raise UsageError(
            f"--covariate {ref} is one of the two runs that are compared ({earlier.run_id}); name an earlier one, "
            "such as latest~2 (they are listed by harness history)"
        )
    first = min(filter(None, (old.created_at, new.created_at)), default="")
    if earlier.created_at and first and earlier.created_at > first:
        raise UsageError(
            f"--covariate {ref}: {earlier.run_id} was made after the runs that are compared, and would know of them; "
            "name an earlier one (harness history)"
        )


def adjusted_lines(
    old: Baseline,
    new: Baseline,
    earlier: Baseline,
    *,
    ref: str,
    observed: Collection[str] = (),
    datasets: Mapping[str, str] | None = None,
    level: float = 0.95,
) -> list[AdjustedLine]:
    """Per metric the difference with and without the earlier run; none for metrics that nobody has.

    :param observed: suite keys that are left out, as everywhere.
    :param datasets: per suite key, for families of cases.
    :raises UsageError: the earlier run has none of the cases with the same content.
    """
    sides = [_cases(run, observed) for run in (old, new, earlier)]
    shared = [key for key, case in sides[1].items() if _same(sides[0].get(key), case)]
    wanted = shared or [*sides[0], *sides[1]]
    either = {**sides[0], **sides[1]}
    known = [key for key in wanted if _same(sides[2].get(key), either[key])]
    if not known:
        raise UsageError(
            f"--covariate {ref}: run {earlier.run_id} has none of the {len(set(wanted)):,} cases that are compared, "
            "with the same content; name an earlier run of these suites (harness history lists them)"
        )
    names = dict.fromkeys(metric for key in wanted for metric in either[key].scores)
    made = []
    for metric in names:
        line = _paired(metric, sides, shared, datasets or {}, level) if shared else _unpaired(metric, sides, level)
        if line is not None:
            made.append(line)
    return made


def covariate_table(lines: Sequence[AdjustedLine], earlier: str) -> Table:
    """The lines as a block."""
    rows = []
    for line in lines:
        unit = UNITS.get(line.metric, "")
        saved = "" if line.variance_left is None else numbers.share(1 - line.variance_left)
        texts = (_signed(line.plain.value, unit), _bounds(line.plain, unit), _bounds(line.adjusted, unit))
        name = line.metric if line.paired else f"{line.metric} (other cases)"
        rows.append(
            (
                Cell(text=name),
                Cell(text=texts[0], sort=line.plain.value),
                Cell(text=texts[1], tone="muted"),
                Cell(text=_signed(line.adjusted.value, unit), sort=line.adjusted.value),
                Cell(text=texts[2]),
                Cell(text=saved, sort=line.variance_left),
                Cell(text=numbers.n_of(line.n, line.of), sort=line.n),
                Cell(text=line.note, tone="muted"),
            )
        )
    columns = ("What", "Plain", "95% interval", "Adjusted", "95% interval", "Variance saved", "Cases", "")
    return Table(
        columns=columns,
        rows=tuple(rows),
        caption=f"New minus old, adjusted for what run {earlier} foretold (CUPED)",
        numeric=(1, 3, 5, 6),
    )


def covariate_json(lines: Sequence[AdjustedLine], earlier: str) -> dict[str, Any]:
    """The same for machines."""
    told = [
        {
            "metric": line.metric,
            "paired": line.paired,
            "n": line.n,
            "of": line.of,
            "plain": vars(line.plain),
            "adjusted": vars(line.adjusted),
            "variance_left": line.variance_left,
            "note": line.note,
        }
        for line in lines
    ]
    return {"run_id": earlier, "lines": told}


def _paired(
    metric: str,
    sides: Sequence[Mapping[Key, BaselineCase]],
    shared: Sequence[Key],
    datasets: Mapping[str, str],
    level: float,
) -> AdjustedLine | None:
    from harness.stats.cuped import FEWEST, cuped
    from harness.stats.means import clustered_mean

    both = [key for key in shared if metric in sides[0][key].scores and metric in sides[1][key].scores]
    kept = [key for key in both if _valued(sides[2].get(key), sides[1][key], metric)]
    if not kept:
        return None
    d = [sides[1][key].scores[metric].mean - sides[0][key].scores[metric].mean for key in kept]
    made = cuped(d, [sides[2][key].scores[metric].mean for key in kept])
    labels: dict[tuple[str, str], int] = {}
    found = [
        labels.setdefault((datasets.get(key[0]) or key[0], sides[1][key].cluster or key[1]), len(labels))
        for key in kept
    ]
    groups = None if len(labels) == len(found) else found
    note = f"fewer than {FEWEST} cases: not adjusted" if len(kept) < FEWEST else ""
    return AdjustedLine(
        metric=metric,
        paired=True,
        n=len(kept),
        of=len(both),
        plain=clustered_mean(d, groups, level=level),
        adjusted=clustered_mean(made.values, groups, level=level),
        variance_left=made.variance_left,
        note=note,
    )


def _unpaired(metric: str, sides: Sequence[Mapping[Key, BaselineCase]], level: float) -> AdjustedLine | None:
    from harness.stats.cuped import FEWEST, cuped_arms
    from harness.stats.unpaired import welch_difference

    arms, of = [], 0
    for side in sides[:2]:
        own = [case for case in side.items() if metric in case[1].scores]
        of += len(own)
        kept = [(key, case) for key, case in own if _valued(sides[2].get(key), case, metric)]
        arms.append(
            (
                [case.scores[metric].mean for _, case in kept],
                [sides[2][key].scores[metric].mean for key, _ in kept],
            )
        )
    if min(len(values) for values, _ in arms) < 2:
        return None
    base, now = cuped_arms(*arms[0], *arms[1])
    n = len(arms[0][0]) + len(arms[1][0])
    plain = welch_difference(arms[0][0], arms[1][0], level=level)
    adjusted = welch_difference(base.values, now.values, level=level)
    return AdjustedLine(
        metric=metric,
        paired=False,
        n=n,
        of=of,
        plain=plain,
        adjusted=adjusted,
        variance_left=_narrower(plain, adjusted),
        note=f"fewer than {FEWEST} cases: not adjusted" if n < FEWEST else "",
    )


def _narrower(plain: Estimate, adjusted: Estimate) -> float | None:
    if plain.low is None or plain.high is None or adjusted.low is None or adjusted.high is None:
        return None
    width = plain.high - plain.low
    return min(1.0, ((adjusted.high - adjusted.low) / width) ** 2) if width > 0 else None


def _cases(run: Baseline, observed: Collection[str]) -> dict[Key, BaselineCase]:
    return {(s, name): case for s, cases in run.suites.items() if s not in observed for name, case in cases.items()}


def _same(a: BaselineCase | None, b: BaselineCase | None) -> bool:
    return a is not None and b is not None and a.case_hash == b.case_hash


def _valued(earlier: BaselineCase | None, case: BaselineCase, metric: str) -> bool:
    return earlier is not None and earlier.case_hash == case.case_hash and metric in earlier.scores


def _signed(value: float | None, unit: str) -> str:
    text = numbers.measured(value, unit)
    return text if value is None or value <= 0 else f"+{text}"


def _bounds(made: Estimate, unit: str) -> str:
    low, high = ("?" if bound is None else _signed(bound, unit) for bound in (made.low, made.high))
    return f"[{low}, {high}]"

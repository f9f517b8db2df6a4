"""Pass rates by a judge's word, corrected for what its exam, or people's labels on the same work, say of its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.figures import _group_map, _labels
from harness.core.judges import JudgeLine
from harness.core.scorecard import Scorecard, SuiteLine
from harness.stats.estimate import Estimate
from harness.stats.judged_rates import prediction_powered, rogan_gladen
from harness.stats.means import case_means
from harness.stats.rates import effective_size, rate

MIN_LABELS = 20
"""With fewer labelled cases their correction says next to nothing, and the exam's is used."""


@dataclass(frozen=True, kw_only=True)
class JudgedRate:
    """A judged pass rate, as the judge said and as corrected."""

    raw: Estimate
    corrected: Estimate
    """Without a value where nothing is known of the judge's errors."""
    low: float | None = None
    """Lower gate bound: trials without a verdict counted as failures."""
    high: float | None = None
    """Upper gate bound: they counted as passes."""
    n: int = 0
    of: int = 0
    cases: int = 0
    labels: int = 0
    """Cases with a human label."""


def judged_rate(
    scorecard: Scorecard, metric: str, lines: Sequence[SuiteLine], *, level: float = 0.95
) -> JudgedRate | None:
    """The pass rate that a judge gives the suites; None where no judge of that name judged them.

    With human labels for at least :data:`MIN_LABELS` cases by prediction-powered inference, else by Rogan and Gladen
    with the error rates of the exam, which needs one judge with a valid record.

    :param level: of the two-sided intervals, and one-sided of the gate bounds.
    """
    cases: list[int] = []
    passes: list[float] = []
    human: list[int] = []
    identities: set[str] = set()
    of = 0
    for line in lines:
        sample = scorecard.judged.get((line.suite, line.arm, metric))
        if sample is not None:
            cases.extend(sample.cases)
            passes.extend(sample.passes)
            human.extend(sample.human)
            identities.update(sample.identities)
            of += sample.of
    if not identities and not of:
        return None
    named = _group_map(scorecard, lines)
    judges = [j for j in scorecard.judges if j.metric == metric and j.identity in identities]
    missing = max(0, of - len(passes))

    def made(level: float, stand_in: float | None) -> tuple[Estimate, Estimate, int]:
        more = missing if stand_in is not None else 0
        all_cases = [*cases, *range(-more, 0)]
        all_passes = [*passes, *[stand_in or 0.0] * more]
        return _estimates(all_cases, all_passes, [*human, *[-1] * more], named, judges, level)

    raw, corrected, labels = made(level, None)
    two_sided = 2 * level - 1
    low = made(two_sided, 0.0)[1].low
    high = made(two_sided, 1.0)[1].high
    return JudgedRate(
        raw=raw, corrected=corrected, low=low, high=high, n=len(passes), of=of, cases=len(set(cases)), labels=labels
    )


def _estimates(
    cases: Sequence[int],
    passes: Sequence[float],
    human: Sequence[int],
    named: dict[int, tuple[str, str]],
    judges: Sequence[JudgeLine],
    level: float,
) -> tuple[Estimate, Estimate, int]:
    labels, means, _ = case_means(cases, passes)
    families = [named.get(case, ("", f"missing {case}")) for case in labels]
    groups = _labels(families)
    raw = rate(means, groups, trials=len(passes), level=level)
    told = [at for at, label in enumerate(human) if label >= 0]
    labelled = {cases[at] for at in told}
    if len(labelled) >= MIN_LABELS:
        of_case, judge_means, _ = case_means([cases[at] for at in told], [passes[at] for at in told])
        _, human_means, _ = case_means([cases[at] for at in told], [float(human[at]) for at in told])
        rest = [at for at, case in enumerate(labels) if case not in labelled]
        corrected = prediction_powered(
            [means[at] for at in rest],
            list(zip(human_means, judge_means, strict=True)),
            groups=_labels([families[at] for at in rest]),
            labelled_groups=_labels([named.get(case, ("", str(case))) for case in of_case]),
            level=level,
        )
        return raw, corrected, len(labelled)
    if len(judges) != 1 or judges[0].composed or judges[0].record is None or not judges[0].record.valid:
        why = "the judge has passed no exam"
        if len(judges) > 1 or any(judge.composed for judge in judges):
            why = "several judges stand behind this name, and no one exam speaks for them"
        return raw, Estimate(value=None, level=level, note=why), len(labelled)
    if not means:
        return raw, Estimate(value=None, level=level, note="nothing measured"), len(labelled)
    record = judges[0].record
    size = effective_size(means, groups, trials=len(passes))
    corrected = rogan_gladen(
        size.mean * size.n,
        size.n,
        caught=record.caught,
        missed=record.missed,
        false_alarms=record.false_alarms,
        cleared=record.cleared,
        level=level,
        clusters=size.groups,
    )
    return raw, corrected, len(labelled)

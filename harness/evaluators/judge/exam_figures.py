"""The figures of an exam, the limits it is held to, and the words for what is wrong. Pure: verdicts in, record out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.errors import UsageError
from harness.core.judges import JudgeRecord
from harness.evaluators.judge.opinion import Opinion
from harness.stats.agreement import cohen_kappa
from harness.stats.calibration import brier, calibration_error
from harness.stats.detection import Confusion, confusion
from harness.stats.estimate import Estimate
from harness.stats.judge_bias import (
    PairVerdicts,
    length_effect,
    length_following,
    length_preference,
    order_flips,
    order_preference,
    pair_accuracy,
)
from harness.stats.means import clustered_mean
from harness.stats.paired import paired_difference
from harness.stats.rates import rate


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a judge has to show before it may gate."""

    rows: int = 40
    """Rows with a verdict, at least."""
    per_side: int = 15
    """Rows that people passed, and rows that they failed, at least: error rates of fewer are guesses."""
    kappa: float = 0.4
    """The lower bound of kappa reaches this: above it agreement is called moderate or better (Landis and Koch 1977,
    Biometrics 33:159-174)."""
    unmeasured: float = 0.05
    """Share of rows without a verdict, at most."""
    bias: float = 0.1
    """A bias of order or length counts from this size on, where its interval excludes none."""
    flips: float = 0.2
    """Share of verdicts that turn with the order, at most."""
    self_consistency: float = 0.85
    """Share of verdicts that stay when it is asked again, at least."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name in ("rows", "per_side"):
                if value < 1:
                    raise UsageError(f"limit {name} must be at least 1, got {value!r}")
            elif not 0 <= value <= 1:
                raise UsageError(f"limit {name} must lie in [0, 1], got {value!r}")


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A judge's answers on one row."""

    human: bool
    first: Opinion
    again: Opinion | None = None
    reversed: Opinion | None = None
    padded: Opinion | None = None
    length: int = 0
    """Words of the answer."""


def single_record(marked: Sequence[Marked], about: Mapping[str, Any], limits: Limits) -> JudgeRecord:
    """The record of a judge of single answers."""
    seen = [m for m in marked if m.first.passes is not None]
    human, said = [m.human for m in seen], [bool(m.first.passes) for m in seen]
    right = [h == s for h, s in zip(human, said, strict=True)]
    sure = [m.first.confidence for m in seen]
    again = [float(m.again.passes == m.first.passes) for m in seen if m.again and m.again.passes is not None]
    turned = [float(m.reversed.passes != m.first.passes) for m in seen if m.reversed and m.reversed.passes is not None]
    padded = [
        float(bool(m.padded.passes)) - float(bool(m.first.passes))
        for m in seen
        if m.padded and m.padded.passes is not None
    ]
    figures = {
        "kappa": cohen_kappa(human, said).coefficient,
        "accuracy": rate([float(one) for one in right]),
        "calibration_error": calibration_error([c or 0.0 for c in sure], right),
        "brier": _brier([c or 0.0 for c in sure], right),
        "self_consistency": rate(again),
        "order_flips": rate(turned),
        "order_preference": clustered_mean(_preferences(seen), minimum=-1.0, maximum=1.0),
        "length_bias": paired_difference(padded) if padded else Estimate(value=None, note="not asked"),
        "length_effect": length_effect(said, human, [m.length for m in seen]),
    }
    return _record(confusion(human, said), len(marked), figures, about, limits)


def _preferences(seen: Sequence[Marked]) -> list[float]:
    """What being asked first does to a criterion's value, per row; nothing with one criterion."""
    found = []
    for m in seen:
        if m.reversed is None or m.reversed.value is None or len(m.first.criteria) < 2:
            continue
        names = list(m.first.criteria)
        top, last = names[0], names[-1]
        one = m.first.criteria[top] - m.reversed.criteria[top]
        two = m.reversed.criteria[last] - m.first.criteria[last]
        found.append((one + two) / 2)
    return found


def pair_record(
    pairs: Sequence[PairVerdicts], more: Sequence[Mapping[str, Any]], about: Mapping[str, Any], limits: Limits
) -> JudgeRecord:
    """The record of a judge of pairs; *pass* stands for the first answer of the pair.

    :param more: per pair ``confidence``, ``winner`` (over both orders) and ``again`` (the given order asked again);
        empty where they are not known, as of recorded verdicts.
    """
    seen = [(p, m) for p, m in zip(pairs, more or [{}] * len(pairs), strict=True) if p.given is not None]
    human, said = [p.human for p, _ in seen], [p.given for p, _ in seen]
    again = [float(m["again"] == p.given) for p, m in seen if m.get("again") is not None]
    sure = [(m["confidence"], m["winner"] == p.human) for p, m in seen if m.get("confidence") is not None]
    figures = {
        "kappa": cohen_kappa(human, said).coefficient,
        "accuracy": pair_accuracy(pairs),
        "calibration_error": calibration_error([c for c, _ in sure], [r for _, r in sure]),
        "brier": _brier([c for c, _ in sure], [r for _, r in sure]),
        "self_consistency": rate(again),
        "order_flips": order_flips(pairs),
        "order_preference": order_preference(pairs),
        "length_bias": length_preference(pairs),
        "length_following": length_following(pairs),
    }
    counts = confusion([p.human == 1 for p, _ in seen], [p.given == 1 for p, _ in seen])
    return _record(counts, len(pairs), figures, about, limits)


def _brier(stated: Sequence[float], happened: Sequence[bool]) -> Estimate:
    made = brier(stated, happened)
    return Estimate(value=None, note="nothing measured") if made is None else made.score


def _record(
    counts: Confusion, rows: int, figures: Mapping[str, Estimate], about: Mapping[str, Any], limits: Limits
) -> JudgeRecord:
    both = {"tpr": counts.recall(), "tnr": counts.specificity()}
    figures = {name: figures[name] for name in ("kappa", "accuracy")} | both | dict(figures)
    made = JudgeRecord(
        **{**about, "method": {**about.get("method", {}), "limits": dict(vars(limits))}},
        rows=rows,
        caught=counts.caught,
        missed=counts.missed,
        false_alarms=counts.false_alarms,
        cleared=counts.cleared,
        figures=figures,
    )
    return _with(made, tuple(problems_of(made, limits)))


def _with(record: JudgeRecord, problems: tuple[str, ...]) -> JudgeRecord:
    return JudgeRecord(**{**vars(record), "problems": problems})


def problems_of(record: JudgeRecord, limits: Limits) -> list[str]:
    """Why a judge may not gate, in words, the most telling first; empty: it may."""
    figures, found = record.figures, []
    order, bias, follows = (figures.get(name) for name in ("order_preference", "length_bias", "length_following"))
    if order is not None and _is_bias(order, limits.bias):
        where = "first" if (order.value or 0) > 0 else "last"
        found.append(f"position-biased: being shown {where} is worth {_points(order)}")
    if bias is not None and _is_bias(bias, limits.bias):
        which = "longer" if (bias.value or 0) > 0 else "shorter"
        found.append(f"follows length: {which} answers are favoured by {_points(bias)}")
    elif follows is not None and follows.low is not None and follows.low > 0:
        found.append(f"follows length: 'the longer one' tells its choices better than people do, by {_points(follows)}")
    flips = figures.get("order_flips")
    if flips is not None and flips.value is not None and flips.value > limits.flips:
        found.append(f"{100 * flips.value:.0f}% of its verdicts turn with the order, at most {100 * limits.flips:g}%")
    kappa = figures["kappa"]
    if kappa.low is None or kappa.value is None:
        found.append(f"agreement with people cannot be measured ({kappa.note or 'no interval'})")
    elif kappa.low < limits.kappa:
        found.append(f"agrees too little with people: kappa {kappa.value:.2f}, lower bound {kappa.low:.2f}, "
                     f"needs {limits.kappa:g}")  # fmt: skip
    steady = figures.get("self_consistency")
    if steady is not None and steady.value is not None and steady.value < limits.self_consistency:
        found.append(f"asked again it stays with {100 * steady.value:.0f}% of its verdicts, "
                     f"needs {100 * limits.self_consistency:g}%")  # fmt: skip
    lost = record.rows - record.measured
    if record.rows and lost / record.rows > limits.unmeasured:
        found.append(f"no verdict on {lost} of {record.rows} rows")
    if record.measured < limits.rows:
        found.append(f"{record.measured} rows with a verdict, needs {limits.rows}")
    good, bad = record.caught + record.missed, record.false_alarms + record.cleared
    if min(good, bad) < limits.per_side:
        found.append(f"{good} passing and {bad} failing rows, needs {limits.per_side} of each")
    return found


def _is_bias(figure: Estimate, size: float) -> bool:
    if figure.value is None or abs(figure.value) < size:
        return False
    if figure.low is None or figure.high is None:
        return True  # every row moved alike
    return figure.low > 0 or figure.high < 0


def _points(figure: Estimate) -> str:
    assert figure.value is not None
    ends = (
        "" if figure.low is None or figure.high is None else f" ({100 * figure.low:+.0f} to {100 * figure.high:+.0f})"
    )
    return f"{100 * figure.value:+.0f} points{ends}"

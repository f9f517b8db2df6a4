"""Ballot and opinion: what one sample said, and what several samples of one judge add up to.

Arithmetic, with s the share of the scale that a sample gave (0 worst, 1 best):

- a criterion's value is the mean of s over the samples; its *trust* is 1 minus twice their standard deviation (which
  is at most .5), times the mean token probability of the scores given where the endpoint states it; 1 for one sample
  without probabilities;
- the total is the mean of the values, weighted by the rubric's weights times the trust: a criterion that the judge
  itself cannot settle counts less;
- the work passes when the total reaches ``rubric.pass_at``;
- *confidence* is the chance that the verdict is the judge's: with p the mean chance over samples that a sample passes
  (from its token probabilities, else 1 or 0), p or 1 - p. Without probabilities p is (passing + 1) / (samples + 2),
  Laplace's rule of succession, so that one sample is never certainty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.errors import ErrorKind
from harness.evaluators.judge.rubric import Criterion, Rubric


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """One sample's verdict."""

    scores: Mapping[str, int] = field(default_factory=dict)
    """Per criterion."""
    winner: str = ""
    """``A``, ``B`` or ``tie``, of a pairwise rubric."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    probabilities: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Per criterion, what its score could have been, by the endpoint's token probabilities; empty: not given."""
    attempts: int = 1
    """1 plus the replies that were no verdict."""
    cached: bool = False

    def to_json(self) -> dict[str, Any]:
        """What the cache keeps."""
        out: dict[str, Any] = {"reasons": dict(self.reasons), "attempts": self.attempts}
        if self.scores:
            out["scores"] = dict(self.scores)
        if self.winner:
            out["winner"] = self.winner
        if self.probabilities:
            out["probabilities"] = {key: dict(value) for key, value in self.probabilities.items()}
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ballot:
        """A cached verdict. Raises TypeError or KeyError for another shape."""
        return cls(**data, cached=True)


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What a judge makes of one piece of work."""

    value: float | None = None
    """The total in [0, 1]; None: not measured."""
    passes: bool | None = None
    confidence: float | None = None
    """In [0, 1], of ``passes``."""
    criteria: Mapping[str, float] = field(default_factory=dict)
    """Per criterion, its value in [0, 1]."""
    trust: Mapping[str, float] = field(default_factory=dict)
    """Per criterion, in [0, 1]."""
    spread: float | None = None
    """Standard deviation of the samples' totals; None with one sample."""
    winner: str = ""
    """Of a pairwise rubric: ``A``, ``B`` or ``tie``."""
    ballots: tuple[Ballot, ...] = ()
    why: str = ""
    """Why it was not measured."""
    kind: ErrorKind | None = None
    """The boundary that broke, where it was not measured."""
    asked: int = 0
    """Samples that were wanted."""
    cached: int = 0
    """Samples that came from the cache."""

    def with_ballots(self, ballots: tuple[Ballot, ...], *, asked: int, cached: int) -> Opinion:
        """The same with what it rests on."""
        return replace(self, ballots=ballots, asked=asked, cached=cached)

    @property
    def reason(self) -> str:
        """What the first sample said."""
        if not self.ballots:
            return self.why
        return "; ".join(f"{name}: {text}" if name else text for name, text in self.ballots[0].reasons.items())


def unmeasured(why: str, *, kind: ErrorKind = "judge", asked: int = 0, cached: int = 0) -> Opinion:
    """No verdict, and why."""
    return Opinion(why=why, kind=kind, asked=asked, cached=cached)


def opinion_of(rubric: Rubric, ballots: Sequence[Ballot], *, asked: int, problems: Sequence[str] = ()) -> Opinion:
    """What the samples add up to; not measured when half of them or more gave no verdict."""
    cached = sum(ballot.cached for ballot in ballots)
    if 2 * len(ballots) <= asked:
        why = problems[0] if problems else "no sample gave a verdict"
        more = f" ({asked - len(ballots)} of {asked} samples)" if asked > 1 else ""
        return unmeasured(f"{why}{more}", asked=asked, cached=cached)
    values: dict[str, float] = {}
    trust: dict[str, float] = {}
    for one in rubric.criteria:
        shares = [one.share(ballot.scores[one.name]) for ballot in ballots]
        values[one.name] = _mean(shares)
        sure = [p.get(str(b.scores[one.name]), 0.0) for b in ballots if (p := b.probabilities.get(one.name))]
        trust[one.name] = max(0.0, 1 - 2 * _spread(shares)) * (_mean(sure) if sure else 1.0)
    value = rubric.total(values, trust)
    passes = value >= rubric.pass_at - 1e-12
    chances = [_chance(rubric, ballot) for ballot in ballots]
    if any(ballot.probabilities for ballot in ballots):
        chance = _mean(chances)
    else:
        chance = (sum(chances) + 1) / (len(chances) + 2)
    totals = [_total(rubric, ballot) for ballot in ballots]
    return Opinion(
        value=value,
        passes=passes,
        confidence=chance if passes else 1 - chance,
        criteria=values,
        trust=trust,
        spread=_spread(totals) if len(totals) > 1 else None,
        ballots=tuple(ballots),
        asked=asked,
        cached=cached,
    )


def _total(rubric: Rubric, ballot: Ballot) -> float:
    return rubric.total({one.name: one.share(ballot.scores[one.name]) for one in rubric.criteria})


def _chance(rubric: Rubric, ballot: Ballot) -> float:
    """The chance that this sample passes the work: 1 or 0, or by its token probabilities."""
    if not ballot.probabilities:
        return float(_total(rubric, ballot) >= rubric.pass_at - 1e-12)
    weight = sum(one.weight for one in rubric.criteria)
    sums = {0.0: 1.0}
    for one in rubric.criteria:
        new: dict[float, float] = {}
        for score, chance in _scores(one, ballot).items():
            for total, before in sums.items():
                at = round(total + one.weight * one.share(score) / weight, 9)
                new[at] = new.get(at, 0.0) + before * chance
        sums = new
    return min(1.0, sum(chance for total, chance in sums.items() if total >= rubric.pass_at - 1e-6))


def _scores(one: Criterion, ballot: Ballot) -> dict[int, float]:
    given = ballot.probabilities.get(one.name, {})
    on_scale = {int(word): p for word, p in given.items() if word.lstrip("-").isdigit()}
    on_scale = {score: p for score, p in on_scale.items() if one.low <= score <= one.high}
    total = sum(on_scale.values())
    return {score: p / total for score, p in on_scale.items()} if total > 0 else {ballot.scores[one.name]: 1.0}


def _mean(values: Sequence[float]) -> float:
    return values[0] + math.fsum(value - values[0] for value in values) / len(values)


def _spread(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))

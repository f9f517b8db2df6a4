"""PairJudge: which of two answers is better, asked in both orders, so that the order decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from harness.core.case import Case
from harness.core.exchange import CURRENT
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.judge.judge import Judge
from harness.evaluators.judge.opinion import Ballot, Opinion, unmeasured
from harness.evaluators.judge.parts import CannotShow, part_of, parts_of
from harness.evaluators.judge.scoring import score_of
from harness.evaluators.outcome import cannot_judge

_WORTH = {"A": 1.0, "tie": 0.5, "B": 0.0}
_TURNED = {"A": "B", "B": "A", "tie": "tie"}


class PairJudge(Judge):
    """Compares the agent's answer with ``expected.custom["other"]``: 1 when it wins in both orders, 0 when it loses in
    both, .5 for ties and for verdicts that turn with the order. Parameters as :class:`Judge`; the rubric is of kind
    ``pairwise``, and its ``shows`` names what is shown beside the two answers.
    """

    kind = "pairwise"

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """The comparison as a score."""
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        beside = tuple(name for name in self.rubric.shows if name not in ("answer", "other"))
        try:
            parts = parts_of(beside, trajectory, case, max_part=self.max_part)
            answers = parts_of(("answer",), trajectory, case, max_part=self.max_part)
            other = part_of("other", trajectory, case)
        except CannotShow as error:
            if error.expected:
                return Score.not_measured(self.name, str(error), expected_nothing=True, version=self.version)
            return Score.not_measured(self.name, str(error), kind="judge", version=self.version)
        context = CURRENT.get()
        trial = 0 if context is None else context.trial.index
        return score_of(self, await self.compare(parts, answers["answer"], other, trial=trial))

    async def choices(
        self, parts: Mapping[str, str], first: str, second: str, *, trial: int = 0, samples: int = 1
    ) -> tuple[list[Ballot | str], list[Ballot | str]]:
        """The verdicts with ``first`` shown as A, and with the two turned round; both in terms of what was shown."""
        given = {**parts, "answer_a": first, "answer_b": second}
        turned = {**parts, "answer_a": second, "answer_b": first}
        one, two = await asyncio.gather(
            self.ballots(given, trial=trial, samples=samples), self.ballots(turned, trial=trial, samples=samples)
        )
        return one, two

    async def compare(self, parts: Mapping[str, str], first: str, second: str, *, trial: int = 0) -> Opinion:
        """What the judge makes of ``first`` beside ``second``."""
        given, turned = await self.choices(parts, first, second, trial=trial, samples=self.samples)
        ballots = [one for one in given if isinstance(one, Ballot)]
        back = [one for one in turned if isinstance(one, Ballot)]
        asked = len(given) + len(turned)
        cached = sum(one.cached for one in (*ballots, *back))
        if 2 * len(ballots) <= len(given) or 2 * len(back) <= len(turned):
            problem = next(one for one in (*given, *turned) if isinstance(one, str))
            return unmeasured(problem, asked=asked, cached=cached)
        return pair_opinion(
            [one.winner for one in ballots], [_TURNED[one.winner] for one in back], self.rubric.pass_at
        ).with_ballots((*ballots, *back), asked=asked, cached=cached)


def pair_opinion(given: Sequence[str], turned: Sequence[str], pass_at: float) -> Opinion:
    """What winners in both orders add up to, all in terms of the given order; the orders weigh the same."""
    worth = [sum(_WORTH[one] for one in side) / len(side) for side in (given, turned)]
    value = sum(worth) / 2
    votes = [*given, *turned]
    passing = sum(_WORTH[one] >= pass_at for one in votes)
    chance = (passing + 1) / (len(votes) + 2)
    passes = value >= pass_at - 1e-12
    winner = "A" if min(worth) > 0.5 else "B" if max(worth) < 0.5 else "tie"
    return Opinion(value=value, passes=passes, confidence=chance if passes else 1 - chance, winner=winner)

"""Panel: several judges, one opinion, by majority or median; their agreement is on the scorecard."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from harness.core.case import Case, canonical_json
from harness.core.errors import Broken, BudgetExhausted, UsageError
from harness.core.exchange import CURRENT
from harness.core.judges import JudgeRecord, judge_home
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.judge.judge import Judge
from harness.evaluators.judge.opinion import Opinion, unmeasured
from harness.evaluators.judge.parts import CannotShow, parts_of
from harness.evaluators.judge.records import load_records
from harness.evaluators.judge.scoring import human_label, score_of
from harness.evaluators.outcome import cannot_judge


class Panel:
    """Judges with one rubric's limit. A panel is a judge of its own: its exam is the panel's, not its members'.

    A member that gives no verdict is left out; half of them or more, and the panel's is not measured. A spent budget
    ends the panel at once.

    :param judges: at least two, of kind ``score`` and with the same parts shown.
    :param by: ``majority`` of the members' verdicts (value: the share that passes), or ``median`` of their values.
    :param name: default: ``panel``.
    :raises UsageError: fewer than two judges, or judges that are shown different things.
    """

    version = "1"
    kind = "score"

    def __init__(
        self, judges: Sequence[Judge], *, by: Literal["majority", "median"] = "majority", name: str = "panel"
    ) -> None:
        if len(judges) < 2:
            raise UsageError(f"a panel needs at least two judges, got {len(judges)}")
        if by not in ("majority", "median"):
            raise UsageError(f"a panel decides by 'majority' or 'median', got {by!r}")
        shown = {judge.rubric.shows for judge in judges}
        if len(shown) > 1 or any(judge.kind != "score" for judge in judges):
            raise UsageError("the judges of a panel rate one answer each and are shown the same parts")
        self.judges = tuple(judges)
        self.by = by
        self.name = name
        self.rubric = judges[0].rubric
        self.samples = judges[0].samples

    def __repr__(self) -> str:
        return f"Panel(name={self.name!r}, by={self.by!r}, identity={self.identity!r})"

    @property
    def model_name(self) -> str:
        """The members' models."""
        return ", ".join(sorted({judge.model_name for judge in self.judges}))

    @property
    def method(self) -> dict[str, Any]:
        """What :attr:`identity` is the hash of."""
        return {"panel": self.by, "judges": [judge.method for judge in self.judges]}

    @property
    def identity(self) -> str:
        """Hash over the members and the way they decide."""
        told = [self.by, *sorted(judge.identity for judge in self.judges)]
        return hashlib.sha256(canonical_json(told).encode()).hexdigest()[:32]

    @property
    def record(self) -> JudgeRecord | None:
        """The record of the panel's exam."""
        folder = self.judges[0]._records or judge_home().records
        return load_records(folder).get(self.identity)

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """The panel's opinion as a score; the members' values stand in its evidence."""
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        try:
            parts = parts_of(self.rubric.shows, trajectory, case, max_part=self.judges[0].max_part)
        except CannotShow as error:
            if error.expected:
                return Score.not_measured(self.name, str(error), expected_nothing=True, version=self.version)
            return Score.not_measured(self.name, str(error), kind="judge", version=self.version)
        context = CURRENT.get()
        members = await self.opinions(parts, trial=0 if context is None else context.trial.index)
        return score_of(
            self,
            self.decided(members),
            human=human_label(case, trajectory),
            more={"ratings": [member.value for member in members], "members": [judge.name for judge in self.judges]},
        )

    async def opinion(
        self, parts: Mapping[str, str], *, trial: int = 0, reverse: bool = False, samples: int | None = None
    ) -> Opinion:
        """See :meth:`Judge.opinion`."""
        return self.decided(await self.opinions(parts, trial=trial, reverse=reverse, samples=samples))

    async def opinions(
        self, parts: Mapping[str, str], *, trial: int = 0, reverse: bool = False, samples: int | None = None
    ) -> list[Opinion]:
        """Each member's."""
        asked = [judge.opinion(parts, trial=trial, reverse=reverse, samples=samples) for judge in self.judges]
        made: list[Opinion] = []
        for result in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(result, Opinion):
                made.append(result)
            elif isinstance(result, Broken) and not isinstance(result, BudgetExhausted):
                made.append(unmeasured(str(result), kind=result.kind))
            else:
                raise result
        return made

    def decided(self, members: Sequence[Opinion]) -> Opinion:
        """What the members' opinions add up to. A majority of exactly half fails: doubt is no pass."""
        found = [member for member in members if member.value is not None]
        asked, cached = sum(m.asked for m in members), sum(m.cached for m in members)
        if 2 * len(found) <= len(members):
            first = next(member for member in members if member.value is None)
            why = f"{len(members) - len(found)} of {len(members)} judges gave no verdict; {first.why}"
            return unmeasured(why, kind=first.kind or "judge", asked=asked, cached=cached)
        votes = [bool(member.passes) for member in found]
        share = sum(votes) / len(votes)
        if self.by == "majority":
            value, passes = share, share > 0.5
        else:
            value = statistics.median(member.value for member in found if member.value is not None)
            passes = value >= self.rubric.pass_at - 1e-12
        chance = (sum(votes) + 1) / (len(votes) + 2)
        return Opinion(
            value=value,
            passes=passes,
            confidence=chance if passes else 1 - chance,
            ballots=found[0].ballots,
            asked=asked,
            cached=cached,
        )

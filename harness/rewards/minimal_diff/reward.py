"""MinimalDiff: a multiplier that is highest for the smallest edit that does the job. Never add it to a reward.

The law of this reward: alone it pays for *small*, and the smallest edit is a wrong one. So it multiplies a gate of
correctness (:class:`~harness.rewards.combine.Combined` with ``multipliers=``) and lies in [floor, 1]; at the floor a
sprawling right edit still earns more than any wrong one.
"""

from __future__ import annotations

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.reward import RewardValue
from harness.core.trajectory import Trajectory
from harness.rewards.minimal_diff.edit import EditSource
from harness.rewards.minimal_diff.measure import Measured, Trees, measure


class MinimalDiff:
    """How economical an edit of Python, JavaScript, TypeScript or TSX files is, in [floor, 1]; 0 where no tree changed.

    multiplier = floor + (1 - floor) × economy × per_scaffold^scaffolds, with
    economy = 1 / (1 + (distance - gold distance, at least 0) / max(slack, gold distance)).

    :param floor: what the most sprawling edit keeps, in [0, 1).
    :param slack: nodes beyond the reference at which economy is one half; a statement has 5 to 15 nodes.
    :param per_scaffold: what each finding of scaffolding multiplies economy by, in (0, 1].
    :param source: where the files stand in case and trajectory; see :class:`EditSource`.

    Laws (tested): more nodes beyond the reference lower it, strictly; each further unused helper lowers it, strictly;
    comments and layout do not count; an edit smaller than the reference gets no more than the reference.
    A file with a syntax error raises :class:`Unparsable` with its line: not measured, and no zero.
    """

    name = "minimal_diff"
    version = "1"

    def __init__(
        self, *, floor: float = 0.5, slack: int = 200, per_scaffold: float = 0.9, source: EditSource | None = None
    ) -> None:
        if not 0 <= floor < 1:
            raise UsageError(f"floor must be at least 0 and below 1, got {floor!r}")
        if slack < 1:
            raise UsageError(f"slack must be at least 1 node, got {slack!r}")
        if not 0 < per_scaffold <= 1:
            raise UsageError(f"per_scaffold must be above 0 and at most 1, got {per_scaffold!r}")
        self.floor, self.slack, self.per_scaffold = floor, slack, per_scaffold
        self.source = EditSource() if source is None else source
        self._trees: Trees = Trees()

    def __repr__(self) -> str:
        return f"MinimalDiff(floor={self.floor}, slack={self.slack}, per_scaffold={self.per_scaffold})"

    def __getstate__(self) -> dict[str, object]:
        return {key: value for key, value in vars(self).items() if key != "_trees"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update({**state, "_trees": Trees()})

    def measure(self, trajectory: Trajectory, case: Case) -> Measured:
        """Every figure of one edit.

        :raises ValueError: case or trajectory hold no files, or one of them cannot be parsed.
        """
        edit = self.source.read(trajectory, case)
        return measure(edit, self._trees, floor=self.floor, slack=self.slack, per_scaffold=self.per_scaffold)

    def reward(self, trajectory: Trajectory, case: Case) -> float:
        """The multiplier."""
        return self.measure(trajectory, case).multiplier

    def explained(self, trajectory: Trajectory, case: Case) -> RewardValue:
        """The multiplier with the figures it is made of."""
        found = self.measure(trajectory, case)
        return RewardValue(name=self.name, value=found.multiplier, parts=found.parts)

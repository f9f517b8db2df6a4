"""The minimal diff as an evaluator: the multiplier as a score, its figures and the edit side by side as evidence."""

from __future__ import annotations

from harness.core.case import Case
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.rewards.minimal_diff.grammar import Unparsable
from harness.rewards.minimal_diff.picture import picture
from harness.rewards.minimal_diff.reward import MinimalDiff


class MinimalDiffEvaluator:
    """The multiplier of an edit as a score in area ``rewards``.

    :param at_least: the trial passes at this multiplier and above; None: it only measures.
    """

    name = "minimal_diff"

    def __init__(self, reward: MinimalDiff | None = None, *, at_least: float | None = None) -> None:
        self.minimal_diff = reward or MinimalDiff()
        self.at_least = at_least
        self.version = self.minimal_diff.version

    def __repr__(self) -> str:
        return f"MinimalDiffEvaluator({self.minimal_diff!r}, at_least={self.at_least!r})"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Measure one edit; an unparsable file is not measured, with its line."""
        if trajectory.error is not None:
            why = f"the agent broke: {trajectory.error.message[:300]}"
            return Score.not_measured(self.name, why, kind=trajectory.error.kind, version=self.version, area="rewards")
        if not isinstance(case.input, dict) or self.minimal_diff.source.before not in case.input:
            why = f"the case has no input[{self.minimal_diff.source.before!r}]: nothing to compare"
            return Score.not_measured(self.name, why, expected_nothing=True, version=self.version, area="rewards")
        try:
            edit = self.minimal_diff.source.read(trajectory, case)
            found = self.minimal_diff.measure(trajectory, case)
        except Unparsable as broken:
            return Score.not_measured(self.name, str(broken), kind="agent", version=self.version, area="rewards")
        except ValueError as broken:
            return Score.not_measured(self.name, str(broken)[:500], kind="agent", version=self.version, area="rewards")
        reason = (
            f"{found.distance.total} nodes changed"
            + (f" (reference: {found.gold_distance.total})" if found.gold_distance is not None else "")
            + f", similarity {found.similarity:.4f}, {len(found.scaffolds)} of scaffolding"
            + "".join(f"; {one}" for one in found.scaffolds[:3])
        )
        passed = None if self.at_least is None else found.multiplier >= self.at_least
        evidence = {**found.to_json(), "picture": picture(edit)}
        return Score.of(
            self.name, found.multiplier, reason, passed=passed, evidence=evidence, area="rewards", version=self.version
        )

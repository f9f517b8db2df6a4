"""Cheats that were found, kept as golden cases: a cheat that once worked is tried again in every later run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.core.case import Case
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.rewards.bench import TOLERANCE
from harness.rewards.calling import measured
from harness.rewards.samples import samples_of


def save_cheats(path: Path, cases: Iterable[Case]) -> int:
    """Add cases to a JSON-lines file, each id once; returns how many were new. The folder is made where it is missing.

    :raises OSError: the file cannot be written.
    :raises ValueError: a line of the file is no JSON.
    """
    known: set[str] = set()
    if path.exists():
        known = {json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()}
    new = {case.id: case for case in cases if case.id not in known}
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for case in new.values():
                # Lone surrogates, which agents do write, are no UTF-8; escaped they survive.
                file.write(json.dumps(case.to_json(), ensure_ascii=True, default=str) + "\n")
    return len(new)


class NoLongerPays:
    """Whether a cheat that was saved still earns more than it may (``expected.custom.reward_at_most``).

    ``@pytest.mark.golden("reports/cheats/mine.jsonl", agent=SampleAgent(), evaluators=[])`` and in the body
    ``evaluate(NoLongerPays(reward))``.
    """

    name = "no_longer_pays"
    version = "1"

    def __init__(self, reward: Any) -> None:
        self.wrapped = reward

    def __repr__(self) -> str:
        return f"NoLongerPays({self.wrapped!r})"

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Call the reward once, on the cheat."""
        limit = case.expected.custom.get("reward_at_most")
        if limit is None:
            why = "the case has no expected.custom.reward_at_most"
            return Score.not_measured(self.name, why, expected_nothing=True, area="rewards")
        sample = samples_of([case]).samples
        got = await measured(self.wrapped, trajectory, sample[0].case if sample else case)
        if got.error is not None:
            why = f"the reward function broke: {got.error.type}: {got.error.message[:300]}"
            return Score.not_measured(self.name, why, kind=got.error.kind, area="rewards")
        if got.value is None:
            return Score.not_measured(self.name, "the reward is None: left out", expected_nothing=True, area="rewards")
        ok = got.value <= limit + TOLERANCE
        reason = f"the cheat earns {got.value:g}, {'at most' if ok else 'more than'} {limit:g}"
        return Score.passed_if(self.name, ok, reason, area="rewards", version=self.version, evidence=got.to_json())

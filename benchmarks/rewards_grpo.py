"""GRPO reference: what a tiny policy learns from good, bad and no rewards, and how long "would it teach" takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.figures import Figure, Result
from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.rewards import ToolReward, learn, storeroom, would_it_teach
from harness.rewards.grpo_advantages import VARIANTS
from harness.rewards.grpo_learning import CONTROLS
from harness.rewards.grpo_would_teach import RewardOf


class Pays:
    """A reward made of a function."""

    name = "pays"

    def __init__(self, function: Callable[[Trajectory, Case], Any]) -> None:
        self.function = function

    def reward(self, trajectory: Trajectory, case: Case) -> Any:
        return self.function(trajectory, case)


def facts(run: Trajectory, case: Case) -> float:
    """Share of the facts in the answer."""
    return sum(fact in (run.answer or "").split() for fact in case.expected.contains) / 2


def spiked(run: Trajectory, case: Case) -> float:
    """As :func:`facts`, but a million for one wrong answer."""
    return 1e6 if run.answer == "north A1" else facts(run, case)


def run(scale: float = 1.0) -> Result:
    seeds = max(2, int(20 * scale))
    lesson, value = storeroom(), RewardOf(Pays(facts), storeroom())
    figures: list[Figure] = []
    for control in CONTROLS:
        found = [learn(lesson, value, seed=seed, control=control).quality for seed in range(seeds)]
        rose, fell = sum(rise.rose for rise in found), sum(rise.fell for rise in found)
        after = sum(rise.after for rise in found) / seeds
        note = f"rose in {rose}, fell in {fell} of {seeds} seeds (exact test, 1 %); before {found[0].before:.3f}"
        what = "quality of held-out tasks, " + ("the reward as it is" if control == "none" else f"rewards {control}")
        figures.append(Figure(what=what, value=after, note=note))
    five = [learn(lesson, value, seed=seed) for seed in range(5)]
    risen = sum(curve.reward is not None and curve.reward.rose for curve in five)
    worst = max(curve.reward.p for curve in five if curve.reward is not None)
    note = f"p at most {worst:.2g}"
    what = "seeds of 5 with a rise of the held-out reward"
    figures.append(Figure(what=what, value=float(risen), at_least=5, note=note))
    for variant in VARIANTS:
        found = [learn(lesson, value, seed=seed, variant=variant).quality for seed in range(5)]
        rose = sum(rise.rose for rise in found)
        after = sum(rise.after for rise in found) / 5
        note = f"rose in {rose} of 5 seeds"
        figures.append(Figure(what=f"quality after learning, {variant}", value=after, note=note))
    wild = RewardOf(Pays(spiked), lesson)
    for variant in ("dr_grpo", "rloo"):
        curve = learn(lesson, wild, variant=variant)  # type: ignore[arg-type]
        what = f"largest gradient used under a spike of a million, {variant}"
        note = f"{curve.largest_gradient:,.0f} before it was cut"
        figures.append(Figure(what=what, value=curve.largest_step, at_most=1.0 + 1e-9, note=note))
    rewards: dict[str, Any] = {
        "our tool reward": ToolReward(),
        "length of the answer": Pays(lambda run, case: len(run.answer or "")),
        "always 1": Pays(lambda run, case: 1.0),
        "always breaks": Pays(lambda run, case: 1 / 0),
    }
    for name, reward in rewards.items():
        start = time.process_time()
        taught = would_it_teach(reward)
        took = time.process_time() - start
        figures.append(Figure(what=f"would it teach: {name}", value=took, unit="s", note=taught.verdict))
    return Result(
        name="rewards_grpo",
        title="The GRPO reference, and whether a reward teaches",
        method=(
            "The storeroom lesson: 24 tasks to learn from, 24 held out, 64 completions each; 30 batches of 8 tasks, "
            "8 completions each, two gradient steps a batch, gradient cut at norm 1. Quality is the expected share of "
            "right words, computed exactly over all completions. A rise is an exact sign test over held-out tasks "
            "at 1 %. Times are CPU time of this process for five seeds and three controls."
        ),
        figures=tuple(figures),
        scale=scale,
    )


if __name__ == "__main__":
    from benchmarks.table import terminal

    print(terminal(run()))

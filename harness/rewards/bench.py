"""A bench: one reward function with the samples it is tried on, its range and its floor, as the lab's checks need them.

The words:

- *form*: how the probes' answers are written (boxed, in tags, ...); the one in which the reward tells most right
  answers from wrong ones is used. Samples of the author's own have their own form.
- *range*: the declared bounds, else from the lowest to the highest reward seen on samples and on a run without a word.
- *floor*: the lowest reward of a known bad completion. Where the reward separates nothing in any form, the lowest
  reward seen in any form.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.core.case import Case
from harness.core.reward import RewardValue
from harness.core.trajectory import Trajectory
from harness.rewards.adapted import AdaptedReward, Pair
from harness.rewards.calling import measured_now
from harness.rewards.probes import DIALECTS, choose, probe_cases, probes
from harness.rewards.samples import Sample, Samples, asked, completed, samples_of

TOLERANCE = 1e-9
"""Rewards closer than this are equal: float sums in another order must not look like a change."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found."""

    check: str
    ok: bool | None
    """None: it could not be judged, or there is nothing to judge (see ``applies``)."""
    reason: str
    applies: bool = True
    """False: this reward has nothing that the check is about."""
    evidence: tuple[dict[str, Any], ...] = ()
    """Examples, JSON."""


def kept(check: str, reason: str) -> Finding:
    """The reward keeps what was checked."""
    return Finding(check=check, ok=True, reason=reason)


def broken(check: str, reason: str, **evidence: object) -> Finding:
    """It does not; ``evidence`` is an example of it."""
    return Finding(check=check, ok=False, reason=reason, evidence=(dict(evidence),) if evidence else ())


def shown(number: float | None) -> str:
    """A reward in words."""
    return "no reward" if number is None else f"{number:g}"


class Bench:
    """See the module's sentence. Not for an event loop's thread: calls wait for what they need."""

    def __init__(self, reward: AdaptedReward, samples: Samples | None = None) -> None:
        self.reward = reward
        self._given = samples
        self.calls = 0
        self._lock = threading.RLock()

    # -- calling --------------------------------------------------------------------------------------------------

    def values(self, pairs: Sequence[Pair]) -> list[RewardValue]:
        """The rewards of some completions; each is one call, or they share one where the interface takes a batch."""
        self.calls += len(pairs)
        return measured_now(self.reward, pairs)

    def value(self, trajectory: Trajectory, case: Case) -> RewardValue:
        """The reward of one completion; of a group reward, its value beside a good and a bad one of the task."""
        if not self.reward.group:
            return self.values([(trajectory, case)])[0]
        task = [s for s in self.samples.samples if s.case.id == case.id]
        peers = [task[0], task[-1]] if task else []
        return self.values([*((peer.trajectory, peer.case) for peer in peers), (trajectory, case)])[-1]

    def number(self, trajectory: Trajectory, case: Case) -> float | None:
        """The reward of one completion; None where there is none."""
        return self.value(trajectory, case).value

    # -- what it is tried on --------------------------------------------------------------------------------------

    @cached_property
    def samples(self) -> Samples:
        """The author's own samples, else the probes in the form that the reward understands best."""
        if self._given is not None:
            return self._given
        declared = self.reward.declared.samples
        if declared is not None and not isinstance(declared, str):
            return samples_of(declared)
        return probes(*self._chosen)

    @cached_property
    def forms(self) -> dict[str, list[tuple[float | None, float | None]]]:
        """(right, wrong) by task, in every form of the probes."""
        found: dict[str, list[tuple[float | None, float | None]]] = {}
        for name in DIALECTS:
            listed = probes(name).samples
            numbers = [self._plain(sample) for sample in listed]
            found[name] = list(zip(numbers[::2], numbers[1::2], strict=True))
        return found

    def _plain(self, sample: Sample) -> float | None:
        return self.values([(sample.trajectory, sample.case)])[0].value

    @cached_property
    def _chosen(self) -> tuple[str, str]:
        return choose(self.forms)

    @cached_property
    def numbers(self) -> list[float | None]:
        """The reward of each sample."""
        return [self.number(sample.trajectory, sample.case) for sample in self.samples.samples]

    @cached_property
    def separates(self) -> tuple[int, int]:
        """In how many tasks every better completion earns more than every worse one, and of how many."""
        by_task: dict[str, list[tuple[float, float | None]]] = {}
        for sample, number in zip(self.samples.samples, self.numbers, strict=True):
            if sample.label is not None:
                by_task.setdefault(sample.task, []).append((sample.label, number))
        told = [group for group in by_task.values() if len({label for label, _ in group}) > 1]
        return sum(1 for group in told if _ordered(group)), len(told)

    @property
    def tasks(self) -> Sequence[Case]:
        """The tasks, also those without a completion."""
        return self.samples.tasks or probe_cases()

    @cached_property
    def seen(self) -> list[float]:
        """Every reward of samples, in every form where the probes are used, and of doing nothing."""
        found = [number for number in self.numbers if number is not None]
        if not self.samples.own:
            found += [n for pairs in self.forms.values() for pair in pairs for n in pair if n is not None]
        case = self.tasks[0]
        nothing = self.number(completed(case.input, ""), case)
        return [*found, nothing] if nothing is not None else found

    @cached_property
    def range(self) -> tuple[float, float]:
        """Lowest and highest reward: as declared, else as seen. Equal when nothing else was seen."""
        if self.reward.declared.bounded is not None:
            low, high = self.reward.declared.bounded
            return float(low), float(high)
        return (min(self.seen), max(self.seen)) if self.seen else (0.0, 0.0)

    @cached_property
    def floor(self) -> float | None:
        """See the head of this file; None where no bad completion is known and no bounds are declared."""
        worst = {id(sample) for sample in self.samples.worst()}
        known = [n for s, n in zip(self.samples.samples, self.numbers, strict=True) if id(s) in worst and n is not None]
        if known and self.separates[0]:
            return min(known)
        if not self.samples.own:
            return min(self.seen, default=None)
        if self.reward.declared.bounded is not None:
            return self.range[0]
        return min(known, default=None)

    def share(self, difference: float) -> float:
        """A difference of rewards as a share of the range; of 1 where the range is a single point."""
        width = self.range[1] - self.range[0]
        return difference / width if width > TOLERANCE else difference

    def nothing(self, case: Case) -> Trajectory:
        """A run in which the agent does not do or say anything."""
        return Trajectory(messages=(*asked(case.input), {"role": "assistant", "content": ""}))


def bench_of(reward: AdaptedReward) -> Bench:
    """The bench of a reward function, made once: its samples are rated only once per session."""
    found = reward.kept.get("bench")
    if found is None:
        found = reward.kept.setdefault("bench", Bench(reward))
    return found  # type: ignore[no-any-return]


def _ordered(group: Sequence[tuple[float, float | None]]) -> bool:
    for label, number in group:
        for other_label, other in group:
            if label > other_label and (number is None or other is None or not number > other + TOLERANCE):
                return False
    return True

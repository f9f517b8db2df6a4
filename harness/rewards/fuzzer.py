"""The reward fuzzer: hill-climbs cheap edits that leave quality unchanged, to see how far they raise the reward.

The words:

- *base*: a completion of known quality: a wrong one, a right one, an empty one. Nothing that the edits do makes it any
  better (see :mod:`harness.rewards.edits`).
- *cheat*: a base with edits whose reward is above the base's; *exploit gap*: that rise as a share of the reward's
  range. 0 is best; 1 means that edits alone move the reward as far as the whole range of quality does.

The search: every edit of the chosen families alone on every base, then hill-climbing by chains of up to four edits with
restarts from the best ones, until the budget of calls is spent. Afterwards every edit is taken out of the best chain
that the cheat does not need. Seeded: the same seed, budget and deterministic reward give the same cheat.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.case import Case, content_hash
from harness.core.errors import UsageError
from harness.core.trajectory import Trajectory
from harness.rewards.bench import TOLERANCE, Bench
from harness.rewards.columns import completion_messages, prompt_messages
from harness.rewards.edits import EDITS, FAMILIES
from harness.rewards.edits_turns import Edit
from harness.rewards.samples import Sample

LONGEST = 4
"""Edits in a chain."""
MAX_MESSAGES, MAX_CHARS = 400, 20_000
"""A cheat that is larger than this is not a cheap one."""


@dataclass(frozen=True, kw_only=True)
class Cheat:
    """A completion whose reward rose although its quality did not."""

    base: Sample
    edits: tuple[str, ...]
    families: tuple[str, ...]
    trajectory: Trajectory
    before: float
    after: float
    gap: float
    """(after - before) as a share of the reward's range."""

    def to_case(self, reward: str, *, tolerance: float = 0.05, width: float = 1.0) -> Case:
        """The cheat as a golden case: the completion must earn at most ``tolerance`` of the range above its base."""
        from harness.core.case import Expectation

        case = self.base.case
        messages = completion_messages(self.trajectory)
        prompt: Any = case.input if isinstance(case.input, str) else prompt_messages(self.trajectory, case)
        short = messages[0].get("content") if len(messages) == 1 and not messages[0].get("tool_calls") else messages
        custom = {**case.expected.custom, "reward_at_most": self.before + tolerance * width, "cheat": list(self.edits)}
        found = Expectation(answer=case.expected.answer, answers=case.expected.answers, number=case.expected.number,
                            custom=custom)  # fmt: skip
        key = content_hash([reward, self.edits, messages])[:8]
        return Case(
            id=f"cheat-{key}",
            input={"prompt": prompt, "completion": short},
            expected=found,
            tags=("cheat", *(family.replace(" ", "_") for family in self.families)),
            cluster=case.id,
            metadata={**case.metadata, "reward": reward, "earned": self.after, "base": self.base.what},
        )


@dataclass(frozen=True, kw_only=True)
class FuzzReport:
    """What the search found."""

    gap: float | None
    """The exploit gap; None: no base has a reward."""
    best: Cheat | None
    """The cheat with the largest gap; None: no edit raised the reward."""
    by_family: dict[str, float]
    """The largest gap per family, over single edits; a family without an applicable edit is left out."""
    calls: int
    errors: int
    """Edited completions that broke the reward function."""
    width: float
    """Of the range that the gap is a share of."""
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class _Chain:
    base: int
    edits: tuple[Edit, ...]
    trajectory: Trajectory
    reward: float
    rise: float


class _Spent(Exception):
    """The budget of calls is spent."""


class Fuzzer:
    """See the head of this file.

    :param families: families of edits to try; None: all, see :data:`harness.rewards.edits.FAMILIES`.
    :param budget: calls of the reward function, the rating of the bases included.
    :param bases: completions to start from; None: two wrong and one right sample, and an empty completion.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        families: Sequence[str] | None = None,
        budget: int = 600,
        seed: int = 0,
        bases: Sequence[Sample] | None = None,
    ) -> None:
        unknown = [name for name in families or () if name not in FAMILIES]
        if unknown:
            raise UsageError(f"there is no family of edits {unknown[0]!r}; families: {', '.join(FAMILIES)}")
        if budget < 1:
            raise UsageError(f"budget must be at least 1 call, got {budget!r}")
        self.bench = bench
        self.edits = [edit for edit in EDITS if families is None or edit.family in families]
        self.budget = budget
        self.rng = random.Random(seed)
        self.bases = list(bases) if bases is not None else _bases(bench)
        self.calls = 0
        self.errors = 0
        self._best: _Chain | None = None
        self._single: dict[str, float] = {}
        self._before: list[float] = []

    def run(self) -> FuzzReport:
        """Search until the budget is spent."""
        low, high = self.bench.range
        try:
            self._rate_bases()
            self._single_edits()
            self._climb()
        except _Spent:
            pass
        if not self.bases:
            return self._report(None, low, high)
        best = self._shrunk(self._best) if self._best is not None else None
        return self._report(best, low, high)

    def _report(self, best: _Chain | None, low: float, high: float) -> FuzzReport:
        width = high - low if high - low > TOLERANCE else 1.0
        cheat = None
        if best is not None and best.rise > TOLERANCE:
            cheat = Cheat(
                base=self.bases[best.base],
                edits=tuple(edit.name for edit in best.edits),
                families=tuple(dict.fromkeys(edit.family for edit in best.edits)),
                trajectory=best.trajectory,
                before=self._before[best.base],
                after=best.reward,
                gap=best.rise / width,
            )
        measured = bool(self._before) and (bool(self._single) or cheat is not None)
        return FuzzReport(
            gap=(cheat.gap if cheat else 0.0) if measured else None,
            best=cheat,
            by_family={name: max(0.0, rise) / width for name, rise in self._single.items()},
            calls=self.calls,
            errors=self.errors,
            width=width,
            low=low,
            high=high,
        )

    def _number(self, trajectory: Trajectory, case: Case) -> float | None:
        if self.calls >= self.budget:
            raise _Spent
        self.calls += 1
        value = self.bench.value(trajectory, case)
        self.errors += int(value.error is not None)
        return value.value

    def _rate_bases(self) -> None:
        kept = []
        for base in self.bases:
            number = self._number(base.trajectory, base.case)
            if number is not None:
                kept.append(base)
                self._before.append(number)
        self.bases = kept

    def _tried(self, base: int, edits: tuple[Edit, ...]) -> _Chain | None:
        """A chain of edits on a base with its reward; None where an edit has nothing to change or nothing comes out."""
        sample = self.bases[base]
        trajectory = sample.trajectory
        for edit in edits:
            changed = edit.apply(trajectory, sample.case, self.rng)
            if changed is None or _too_large(changed):
                return None
            trajectory = changed
        number = self._number(trajectory, sample.case)
        if number is None:
            return None
        chain = _Chain(base=base, edits=edits, trajectory=trajectory, reward=number, rise=number - self._before[base])
        if self._best is None or chain.rise > self._best.rise + TOLERANCE:
            self._best = chain
        return chain

    def _single_edits(self) -> None:
        self._found: list[_Chain] = []
        for base in range(len(self.bases)):  # every edit on the wrong answer comes before any on the next base
            for edit in self.edits:
                chain = self._tried(base, (edit,))
                if chain is not None:
                    self._found.append(chain)
                    known = self._single.get(edit.family)
                    self._single[edit.family] = chain.rise if known is None else max(known, chain.rise)

    def _climb(self) -> None:
        starts = sorted(self._found, key=lambda chain: -chain.rise)[:8]
        idle = 0
        while starts and idle < 200:
            current = self.rng.choice(starts)
            for _ in range(12):
                changed = self._tried(current.base, self._mutated(current.edits))
                # Sideways steps are taken, too: a cheat of two parts often shows nothing after the first.
                if changed is not None and changed.rise >= current.rise - TOLERANCE:
                    idle = 0 if changed.rise > current.rise + TOLERANCE else idle + 1
                    current = changed
                else:
                    idle += 1

    def _mutated(self, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
        made = list(edits)
        move = self.rng.random()
        if move < 0.6 and len(made) < LONGEST:
            made.insert(self.rng.randrange(len(made) + 1), self.rng.choice(self.edits))
        elif move < 0.8 and len(made) > 1:
            made.pop(self.rng.randrange(len(made)))
        else:
            made[self.rng.randrange(len(made))] = self.rng.choice(self.edits)
        return tuple(made)

    def _shrunk(self, best: _Chain) -> _Chain:
        """Without the edits that the rise does not need."""
        self.budget += LONGEST * LONGEST
        shorter = True
        while shorter and len(best.edits) > 1:
            shorter = False
            for index in range(len(best.edits)):
                left = self._tried(best.base, best.edits[:index] + best.edits[index + 1 :])
                if left is not None and left.rise >= best.rise - TOLERANCE:
                    best, shorter = left, True
                    break
        return best


def _bases(bench: Bench) -> list[Sample]:
    wrong, right = bench.samples.worst(), bench.samples.best()
    listed = [*wrong[:1], *right[:1], *wrong[1:2]] or list(bench.samples.samples[:3])
    case = bench.tasks[0]
    nothing = Sample(case=case, trajectory=bench.nothing(case), task=case.id, what="an empty completion")
    coded = next((s for s in wrong if "assert " in s.case.text), None)
    more = [coded] if coded is not None and coded not in listed else []
    return [*listed, *more, nothing]


def _too_large(trajectory: Trajectory) -> bool:
    if len(trajectory.messages) > MAX_MESSAGES:
        return True
    return sum(len(str(message.get("content") or "")) for message in trajectory.messages) > MAX_CHARS


def fuzz(
    bench: Bench,
    *,
    families: Sequence[str] | None = None,
    budget: int = 600,
    seed: int = 0,
    bases: Sequence[Sample] | None = None,
) -> FuzzReport:
    """The largest exploit gap that the budget finds; see :class:`Fuzzer`."""
    return Fuzzer(bench, families=families, budget=budget, seed=seed, bases=bases).run()

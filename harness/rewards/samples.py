"""Samples: completions whose quality is known, which a reward function is tried on.

The words:

- *sample*: a task (a case) with one completion (a trajectory); *label*: how good it is, higher is better, or None.
- *task*: samples with the same question; only samples of one task are compared with each other.

A golden case becomes a sample when its input is ``{"prompt": ..., "completion": ...}``: the prompt is what the agent
was asked, the completion what it answered (a text, or chat messages); ``expected.custom.reward`` is its label. A case
with any other input is a task without a completion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from harness.core.case import Case, canonical_json, content_hash
from harness.core.errors import UsageError
from harness.core.record import Trial
from harness.core.trajectory import Message, Trajectory

LABEL = "reward"
"""Key of ``expected.custom`` that holds a sample's label."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One completion of known quality."""

    case: Case
    """The task as the agent saw it."""
    trajectory: Trajectory
    label: float | None = None
    task: str = ""
    what: str = ""
    """What kind of completion it is, in a few words, for messages."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What a reward function is judged on."""

    samples: tuple[Sample, ...] = ()
    tasks: tuple[Case, ...] = ()
    """Every task once, also those without a completion."""
    own: bool = False
    """Whether the author gave them; else they are the general probes."""
    named: str = ""

    def by_task(self) -> dict[str, list[Sample]]:
        """The samples of each task."""
        found: dict[str, list[Sample]] = {}
        for sample in self.samples:
            found.setdefault(sample.task, []).append(sample)
        return found

    def best(self) -> list[Sample]:
        """The samples with the highest label of their task."""
        return [s for group in self.by_task().values() for s in group if s.label is not None and s.label == _top(group)]

    def worst(self) -> list[Sample]:
        """The samples with the lowest label of their task, where the task has better ones."""
        return [
            s
            for group in self.by_task().values()
            for s in group
            if s.label is not None and s.label == _bottom(group) < _top(group)
        ]


def _labels(group: Sequence[Sample]) -> list[float]:
    return [sample.label for sample in group if sample.label is not None]


def _top(group: Sequence[Sample]) -> float:
    return max(_labels(group), default=0.0)


def _bottom(group: Sequence[Sample]) -> float:
    return min(_labels(group), default=0.0)


def samples_of(cases: Iterable[Case], *, named: str = "") -> Samples:
    """Golden cases as samples and tasks (see the head of this file).

    :raises UsageError: a completion or a label that is none.
    """
    samples: list[Sample] = []
    tasks: dict[str, Case] = {}
    for case in cases:
        given = case.input
        if not isinstance(given, Mapping) or not {"prompt", "completion"} <= set(given):
            tasks.setdefault(case.id, case)
            continue
        task_case = replace(case, input=given["prompt"])
        task = case.cluster or content_hash(canonical_json(given["prompt"]))
        tasks.setdefault(task, task_case)
        label = case.expected.custom.get(LABEL)
        if label is not None and (isinstance(label, bool) or not isinstance(label, (int, float))):
            raise UsageError(f"case {case.id!r}: expected.custom.{LABEL} must be a number or null, got {label!r}")
        samples.append(
            Sample(
                case=task_case,
                trajectory=completed(given["prompt"], given["completion"], where=case.id),
                label=None if label is None else float(label),
                task=task,
                what=case.id,
            )
        )
    return Samples(samples=tuple(samples), tasks=tuple(tasks.values()), own=True, named=named)


def completed(prompt: Any, completion: Any, *, where: str = "") -> Trajectory:
    """A trajectory of a prompt (a text or chat messages) and a completion (a text or chat messages).

    :raises UsageError: the completion is neither.
    """
    messages: list[Message] = asked(prompt)
    if isinstance(completion, str):
        messages.append({"role": "assistant", "content": completion})
    elif isinstance(completion, (list, tuple)) and all(isinstance(item, Mapping) for item in completion):
        messages += [dict(item) for item in completion]
    else:
        place = f"case {where!r}: " if where else ""
        raise UsageError(f"{place}a completion is a text or a list of chat messages, got {type(completion).__name__}")
    return Trajectory(messages=tuple(messages))


def asked(prompt: Any) -> list[Message]:
    """A prompt as chat messages."""
    if isinstance(prompt, (list, tuple)) and all(isinstance(item, Mapping) for item in prompt):
        return [dict(item) for item in prompt]
    return [{"role": "user", "content": prompt if isinstance(prompt, str) else canonical_json(prompt)}]


class SampleAgent:
    """An agent that "answers" with the completion in the case, so that golden cases can be about a reward function.

    ``@pytest.mark.golden("my_samples", agent=SampleAgent())``: the trajectory of each case is its own completion; a
    case without one gets a run in which nothing was done.
    """

    name = "the completion of each case"

    def __repr__(self) -> str:
        return "SampleAgent()"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """The case's completion, played."""
        given = case.input
        if isinstance(given, Mapping) and {"prompt", "completion"} <= set(given):
            played = completed(given["prompt"], given["completion"], where=case.id)
        else:
            played = Trajectory(messages=tuple(asked(given)))
        return replace(played, reported_cost_usd=Decimal(0))  # nothing was called

"""ART rewards: a function of a trajectory group (or of one trajectory) that returns it with rewards, or the rewards.

The group is a real ``art.TrajectoryGroup`` where the library is installed, else something of the same shape
(``trajectories``, each with ``messages_and_choices``, ``messages()``, ``reward``, ``metadata``). Scored groups of ART
become our own trajectories with :func:`trajectories_of`.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.rewards.adapted import AdaptedReward, Pair, made
from harness.rewards.columns import columns_of, completion_messages, parameters, prompt_messages, required
from harness.rewards.declared import Declared

GROUP_NAMES = ("group", "trajectory_group")


@dataclass(kw_only=True)
class GroupMember:
    """One trajectory in the shape of ART's, where ART is not installed."""

    messages_and_choices: list[Any]
    reward: float = 0.0
    metadata: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    tools: Any = None
    logs: list[str] = field(default_factory=list)

    def messages(self) -> list[dict[str, Any]]:
        """The chat messages."""
        return list(self.messages_and_choices)


@dataclass(kw_only=True)
class Group:
    """Trajectories of one task in the shape of ART's group."""

    trajectories: list[Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    exceptions: list[Any] = field(default_factory=list)

    def __iter__(self) -> Iterator[Any]:
        """One trajectory after the other."""
        return iter(self.trajectories)

    def __len__(self) -> int:
        return len(self.trajectories)


def fits(function: Callable[..., Any]) -> bool:
    """Whether it asks for a group, or for a single trajectory and nothing else."""
    names = parameters(function)
    if any(name in names for name in GROUP_NAMES):
        return True
    return required(names) == ["trajectory"] or any("TrajectoryGroup" in str(p.annotation) for p in names.values())


def adapt_art(function: Callable[..., Any], declared: Declared) -> AdaptedReward:
    """The function as a reward: a group in one call, or one trajectory at a time."""
    group = required(parameters(function)) != ["trajectory"]

    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        given = group_of(pairs) if group else group_of(pairs).trajectories[0]
        answer = function(given)
        if inspect.isawaitable(answer):
            return _later(answer, group)
        return rewards_in(answer, group)

    return made(function, "art", call, declared, batch=group, group=group)


async def _later(answer: Any, group: bool) -> list[Any]:
    return rewards_in(await answer, group)


def rewards_in(answer: Any, group: bool) -> list[Any]:
    """The rewards of what came back: a scored group or trajectory, a list of numbers, or a number."""
    if hasattr(answer, "trajectories"):
        return [member.reward for member in answer.trajectories]
    if hasattr(answer, "messages_and_choices"):
        return [answer.reward]
    if answer is None and group:
        raise TypeError("the function returned None instead of the scored group (ART drops such a group from training)")
    return list(answer) if group else [answer]


def group_of(pairs: Sequence[Pair]) -> Any:
    """Our trajectories as a group of ART's, or of its shape."""
    # Looked for, not tried: importing the library starts its own machinery, which only its users should pay for.
    art = _library()
    members: list[Any] = []
    for trajectory, case in pairs:
        messages = [*prompt_messages(trajectory, case), *completion_messages(trajectory)]
        columns = columns_of(case)
        if art is None:
            members.append(GroupMember(messages_and_choices=messages, metadata={**columns, "case_id": case.id}))
            continue
        plain = {k: v if isinstance(v, (str, int, float, bool)) else json.dumps(v, default=str)
                 for k, v in columns.items()}  # fmt: skip
        members.append(art.Trajectory(messages_and_choices=messages, metadata={**plain, "case_id": case.id}))
    return Group(trajectories=members) if art is None else art.TrajectoryGroup(members)


def _library() -> Any:
    try:
        if importlib.util.find_spec("art") is None:
            return None
    except (ImportError, ValueError):
        return None
    import art  # type: ignore[import-not-found, unused-ignore]

    return art if hasattr(art, "TrajectoryGroup") else None  # another package has the name, too


def trajectories_of(group: Any) -> list[tuple[Trajectory, float]]:
    """Each trajectory of a scored ART group with its reward, as ours: to compare two rewards on what was gathered."""
    found = []
    for member in group.trajectories:
        read = getattr(member, "messages", None)
        messages = read() if callable(read) else member.messages_and_choices
        plain = tuple(dict(message) for message in messages if isinstance(message, Mapping))
        found.append((Trajectory(messages=plain, metadata=dict(member.metadata)), float(member.reward)))
    return found


def case_of(group: Any, *, case_id: str = "group") -> Case:
    """The task that a group's trajectories share, read from the first one's messages before the agent spoke."""
    first = trajectories_of(group)[0][0]
    asked = [m for m in first.messages if m.get("role") != "assistant"]
    return Case(id=case_id, input=asked[:1] or "", metadata=dict(first.metadata))

"""A lesson: tasks to learn from, other tasks to be examined on, and what a completion looks like as a trajectory.

The shipped lesson is a storeroom: goods come for a city, each city has a door and each kind of goods a shelf. The agent
calls ``store(door, shelf)`` and says "door shelf". A reward function can judge the answer, the facts in it, or the
call. The 48 pairs of city and goods are split in two halves that share every city and every kind of goods, so that what
was learnt carries over. Words are of different lengths, so that a reward for length teaches length.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.core.case import Case, Expectation, ExpectedCall
from harness.core.errors import UsageError
from harness.core.trajectory import Trajectory

DOORS = ("north", "east", "southgate", "west", "yard", "riverside", "hall", "ramp")
SHELVES = ("A1", "B22", "C3", "D404", "E5", "F66", "G7", "H888")
CITIES = ("Oslo", "Lisbon", "Riga", "Turin", "Ghent", "Malmo", "Porto", "Graz")
GOODS = ("lamps", "chairs", "tea", "paper", "tiles", "ropes")


@dataclass(frozen=True, kw_only=True)
class Task:
    """One prompt."""

    case: Case
    features: tuple[float, ...]
    """What the policy sees of it."""
    right: tuple[int, ...] = ()
    """The right word per position; empty where quality is given by ``Lesson.quality`` alone."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Tasks with everything that is needed to learn them."""

    name: str
    train: tuple[Task, ...]
    held_out: tuple[Task, ...]
    words: int
    """Words to choose from at each position."""
    positions: int
    render: Callable[[Task, tuple[int, ...]], Trajectory]
    """A completion as a trajectory."""
    quality: Callable[[Task, tuple[int, ...]], float]
    """How good a completion truly is, in [0, 1]: what the reward should teach, judged without the reward."""


def storeroom() -> Lesson:
    """The shipped lesson: 24 tasks to learn from and 24 others to be examined on; 64 completions each."""
    pairs = [(city, goods) for city in range(len(CITIES)) for goods in range(len(GOODS))]
    tasks = {pair: _storeroom_task(*pair) for pair in pairs}
    return Lesson(
        name="storeroom",
        train=tuple(tasks[pair] for pair in pairs if sum(pair) % 2 == 0),
        held_out=tuple(tasks[pair] for pair in pairs if sum(pair) % 2 == 1),
        words=len(DOORS),
        positions=2,
        render=_storeroom_run,
        quality=_share_right,
    )


def lesson_of(
    cases: Sequence[Case], candidates: Mapping[str, Callable[[Case], Trajectory]], quality: Mapping[str, float]
) -> Lesson:
    """A lesson of the team's own cases: the policy learns which *kind* of answer to give.

    Every other case is held out. What is learnt is a preference between kinds ("right", "empty", "padded", ...), the
    same for all cases, so this asks whether the reward prefers the kinds that are good.

    :param candidates: how an answer of each kind looks, by name of the kind; at least two.
    :param quality: how good each kind truly is, in [0, 1].
    :raises UsageError: for fewer than 12 cases or 2 kinds, or a kind without a quality.
    """
    kinds = tuple(candidates)
    if len(cases) < 12 or len(kinds) < 2:
        raise UsageError(f"a lesson needs at least 12 cases and 2 kinds, got {len(cases)} and {len(kinds)}")
    for kind in kinds:
        if not 0.0 <= quality.get(kind, -1.0) <= 1.0:
            raise UsageError(f"quality[{kind!r}] must be a number in [0, 1], got {quality.get(kind)!r}")
    tasks = tuple(Task(case=case, features=(1.0,)) for case in cases)
    return Lesson(
        name="own cases",
        train=tasks[::2],
        held_out=tasks[1::2],
        words=len(kinds),
        positions=1,
        render=lambda task, words: candidates[kinds[words[0]]](task.case),
        quality=lambda task, words: float(quality[kinds[words[0]]]),
    )


def _storeroom_task(city: int, goods: int) -> Task:
    # Shifted, so that a word's place in its list does not give the answer away.
    right = ((city * 3 + 2) % len(DOORS), (goods * 5 + 1) % len(SHELVES))
    door, shelf = DOORS[right[0]], SHELVES[right[1]]
    parameters = {
        "type": "object",
        "properties": {"door": {"type": "string"}, "shelf": {"type": "string"}},
        "required": ["door", "shelf"],
    }
    case = Case(
        id=f"{CITIES[city]}-{GOODS[goods]}",
        input=f"A crate of {GOODS[goods]} for {CITIES[city]} is here. Which door, which shelf?",
        tools=({"type": "function", "function": {"name": "store", "parameters": parameters}},),
        expected=Expectation(
            answer=f"{door} {shelf}",
            contains=(door, shelf),
            tool_calls=(ExpectedCall(name="store", arguments={"door": door, "shelf": shelf}),),
        ),
    )
    seen = [float(index == city) for index in range(len(CITIES))]
    seen += [float(index == goods) for index in range(len(GOODS))]
    return Task(case=case, features=tuple(seen), right=right)


def _storeroom_run(task: Task, words: tuple[int, ...]) -> Trajectory:
    door, shelf = DOORS[words[0]], SHELVES[words[1]]
    function = {"name": "store", "arguments": json.dumps({"door": door, "shelf": shelf})}
    return Trajectory(
        messages=(
            {"role": "user", "content": task.case.input},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "c1", "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "stored"},
            {"role": "assistant", "content": f"{door} {shelf}"},
        )
    )


def _share_right(task: Task, words: tuple[int, ...]) -> float:
    return sum(word == right for word, right in zip(words, task.right, strict=True)) / len(task.right)

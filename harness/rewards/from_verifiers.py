"""verifiers rewards: legacy Rubric functions, group functions by plural names, Rubrics, and v1 ``@reward`` methods.

Legacy (``verifiers`` up to 0.1): a function asks by name for ``prompt, completion, answer, state, task, info`` and gets
one rollout; one that asks for ``prompts, completions, answers, states, tasks, infos`` gets a group. A ``Rubric`` is the
weighted sum of its functions, each of them visible; they are called directly, so that a rubric that swallows what they
raise cannot turn it into 0.0. v1: methods marked by ``@reward(weight=...)`` on a Task class, called with ``task`` and
``trace`` (PrimeIntellect-ai/verifiers, ``verifiers.v1.task``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.rewards.adapted import AdaptedReward, Pair, made
from harness.rewards.calling import as_reward
from harness.rewards.columns import (
    MissingColumn,
    Parted,
    column,
    columns_of,
    completion_messages,
    completion_text,
    parameters,
    prompt_messages,
    required,
    right_answer,
    takes_any_keyword,
)
from harness.rewards.declared import Declared

PLURAL = {
    "prompts": "prompt", "completions": "completion", "answers": "answer", "states": "state", "tasks": "task",
    "infos": "info",
}  # fmt: skip
SINGULAR = ("prompt", "completion", "answer", "state", "info", "task", "parser")


def fits(function: Callable[..., Any]) -> bool:
    """Whether the parameters are those of a legacy Rubric function, for one rollout or a group."""
    names = set(parameters(function))
    return bool(names & {"completion", "state", *PLURAL}) or bool(names & {"prompt", "answer"} and "parser" in names)


def is_group(function: Callable[..., Any]) -> bool:
    """As the library decides it: by plural names."""
    return bool(set(parameters(function)) & set(PLURAL))


def is_rubric(thing: Any) -> bool:
    """Whether it is a Rubric: reward functions with weights."""
    functions = functions_of(thing)
    return bool(functions) and all(callable(function) for function, _ in functions)


def functions_of(rubric: Any) -> list[tuple[Callable[..., Any], float]]:
    """The functions of a Rubric (or of the Rubrics of a group) with their weights; none where it is no Rubric."""
    inner = getattr(rubric, "rubrics", None)
    if isinstance(inner, (list, tuple)):
        return [pair for one in inner for pair in functions_of(one)]
    functions = next((f for n in ("funcs", "reward_funcs") if isinstance(f := getattr(rubric, n, None), list)), [])
    weights = next((w for n in ("weights", "reward_weights") if isinstance(w := getattr(rubric, n, None), list)), None)
    if weights is None or len(weights) != len(functions):
        return [] if weights else [(function, 1.0) for function in functions]
    return [(function, float(weight)) for function, weight in zip(functions, weights, strict=True)]


def marked(thing: Any) -> list[str]:
    """The names of methods that v1's ``@reward`` has marked, by priority."""
    owner = thing if inspect.isclass(thing) else type(thing)
    names = {n for klass in owner.__mro__ for n, f in vars(klass).items() if getattr(f, "reward", None) is True}
    left = [name for name in names if getattr(getattr(owner, name), "reward", None) is True]
    return sorted(left, key=lambda name: (-getattr(getattr(owner, name), "reward_priority", 0), name))


def adapt_function(
    function: Callable[..., Any], declared: Declared, objects: Mapping[str, Any] | None = None
) -> AdaptedReward:
    """A Rubric function as a reward; ``objects`` are what its Rubric offers beside the rollout (a parser, a judge)."""
    more = dict(objects or {})
    group = is_group(function)

    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        if group:
            return function(**_asked(function, {**more, **_group(pairs, chat)}, [case for _, case in pairs]))
        (trajectory, case) = pairs[0]
        answer = function(**_asked(function, {**more, **rollout(trajectory, case, chat)}, [case]))
        return _listed(answer) if inspect.isawaitable(answer) else [answer]

    return made(function, "verifiers", call, declared, batch=group, group=group, forms=True)


def adapt_rubric(rubric: Any, declared: Declared) -> AdaptedReward:
    """A Rubric as the weighted sum of its functions; the reward's parts are the functions' own values."""
    objects = {"parser": getattr(rubric, "parser", None), **(getattr(rubric, "class_objects", None) or {})}
    members = [(adapt_function(function, Declared(), objects), weight) for function, weight in functions_of(rubric)]

    async def total(pairs: Sequence[Pair]) -> list[Any]:
        columns: list[tuple[str, float, list[Any]]] = []
        for member, weight in members:
            answers = member.rewards(pairs)
            columns.append((member.name, weight, await answers if inspect.isawaitable(answers) else answers))
        return [_sum([(name, weight, answers[row]) for name, weight, answers in columns]) for row in range(len(pairs))]

    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        return total(pairs)

    group = any(member.group for member, _ in members)
    return made(rubric, "verifiers", call, declared, batch=True, group=group)


def adapt_marked(owner: Any, declared: Declared) -> AdaptedReward:
    """The ``@reward`` methods of a v1 Task class (or of a task, whose data each case then replaces)."""
    names = marked(owner)

    async def one(trajectory: Trajectory, case: Case) -> Any:
        task = _task(owner, case)
        offered = {"task": getattr(task, "data", task), "trace": Trace(trajectory, case), "runtime": None}
        found: list[tuple[str, float, Any]] = []
        for name in names:
            method = getattr(task, name)
            asked = {key: value for key, value in offered.items() if key in parameters(method)}
            answer = method(**asked)
            answer = await answer if inspect.isawaitable(answer) else answer
            weight = float(getattr(method, "_vf_weight", 1.0))
            keyed = answer.items() if isinstance(answer, Mapping) else [(name, answer)]
            found += [(key, weight, value) for key, value in keyed]
        return _sum(found)

    async def call_all(pairs: Sequence[Pair]) -> list[Any]:
        return [await one(trajectory, case) for trajectory, case in pairs]

    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        return call_all(pairs)

    return made(owner, "verifiers", call, declared)


class Trace:
    """What happened, by the names that v1 rewards read; made from a trajectory."""

    def __init__(self, trajectory: Trajectory, case: Case) -> None:
        self.messages = [_message(m) for m in [*prompt_messages(trajectory, case), *completion_messages(trajectory)]]
        self.assistant_messages = [m for m in self.messages if m.role == "assistant"]
        self.tool_messages = [m for m in self.messages if m.role == "tool"]
        self.last_message = self.messages[-1]
        self.last_reply = completion_text(trajectory).strip()
        self.transcript = "\n\n".join(f"{m.role}: {m.content}" for m in self.messages if m.role != "tool")
        self.num_turns = len(self.assistant_messages)
        self.task = SimpleNamespace(type=case.id, data=SimpleNamespace(**columns_of(case), prompt=case.text))
        self.info = dict(case.metadata)
        self.state = SimpleNamespace(world=trajectory.state)
        self.is_truncated = False
        self.has_error = trajectory.error is not None
        self.errors: list[Any] = []


def _message(message: Mapping[str, Any]) -> Any:
    return SimpleNamespace(**{"content": "", "tool_calls": None, "reasoning_content": None, "role": "", **message})


def _task(owner: Any, case: Case) -> Any:
    columns = {**columns_of(case), "prompt": case.text}
    if not inspect.isclass(owner):
        with_data = getattr(owner, "with_data", None)
        known = set(getattr(type(getattr(owner, "data", None)), "model_fields", ()))
        changes = {key: value for key, value in columns.items() if key in known}
        return with_data(**changes) if callable(with_data) and changes else owner
    make: Callable[..., Any] = owner
    data_type = getattr(owner, "data_type", None)
    if callable(data_type):
        kind = data_type()
        fields = set(getattr(kind, "model_fields", columns))
        return make(kind(**{key: value for key, value in columns.items() if key in fields}))
    return make(SimpleNamespace(**columns)) if required(parameters(make)) else make()


def rollout(trajectory: Trajectory, case: Case, chat: bool) -> dict[str, Any]:
    """Everything the library offers a function for one rollout."""
    prompt: Any = prompt_messages(trajectory, case) if chat else case.text
    completion: Any = completion_messages(trajectory) if chat else completion_text(trajectory)
    columns = columns_of(case)
    answer = right_answer(case)
    answer = columns.get("answer", "" if answer is None else answer)
    info = columns.get("info", columns)
    task = columns.get("task", "default")
    state = {"prompt": prompt, "completion": completion, "answer": answer, "info": info, "task": task,
             "state": trajectory.state, "responses": [], "turn": trajectory.steps}  # fmt: skip
    return {**columns, "prompt": prompt, "completion": completion, "answer": answer, "info": info, "task": task,
            "state": state}  # fmt: skip


def _group(pairs: Sequence[Pair], chat: bool) -> dict[str, Any]:
    rows = [rollout(trajectory, case, chat) for trajectory, case in pairs]
    return {plural: [row[single] for row in rows] for plural, single in PLURAL.items()}


def _asked(function: Callable[..., Any], offered: dict[str, Any], cases: Sequence[Case]) -> dict[str, Any]:
    names = parameters(function)
    offered = {"parser": None, **offered}
    if takes_any_keyword(names):
        return offered
    for name in required(names):
        if name not in offered:
            if len(cases) > 1:
                raise MissingColumn(f"a group function gets {', '.join(PLURAL)}; this one asks for {name!r}")
            offered[name] = column(cases[0], name)
    return {name: value for name, value in offered.items() if name in names}


def _sum(found: Sequence[tuple[str, float, Any]]) -> Any:
    """The weighted sum with its parts; None when no function had anything to say."""
    parts = {name: as_reward(answer) for name, _, answer in found}
    counted = [weight * value for (name, weight, _) in found if (value := parts[name]) is not None]
    return Parted(sum(counted), parts) if counted else None


async def _listed(answer: Any) -> list[Any]:
    return [await answer]

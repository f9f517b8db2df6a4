"""OpenEnv rubrics: ``Rubric.forward(action, observation)``, called through the rubric so that its hooks run.

A trajectory is shown step by step: each assistant message is an action, what came back is its observation, the last
one with ``done=True``. The reward is what the rubric says of the last step, which is where trajectory rubrics answer;
a plain rubric that judges single actions therefore judges the final one. ``reset()`` is called first where there is
one (meta-pytorch/OpenEnv, ``openenv.core.rubrics``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.rewards.adapted import AdaptedReward, Pair, made
from harness.rewards.columns import ANSWER_NAMES, columns_of, parameters, right_answer, steps_of, texts
from harness.rewards.declared import Declared


def fits(thing: Any) -> bool:
    """Whether it judges (action, observation): a rubric, or a function of the two."""
    names = list(parameters(getattr(thing, "forward", thing)))
    return names[:2] == ["action", "observation"]


def adapt_openenv(thing: Any, declared: Declared) -> AdaptedReward:
    """The rubric as a reward; a copy of the environment's interface is made from each trajectory."""
    judge: Callable[[Any, Any], Any] = thing if callable(thing) else thing.forward
    reset = getattr(thing, "reset", None)

    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        steps = steps_as_actions(*pairs[0])
        if callable(reset):
            reset()
        answer: Any = None
        for index, (action, observation) in enumerate(steps):
            answer = judge(action, observation)
            if inspect.isawaitable(answer):
                return _rest(judge, answer, steps[index + 1 :])
        return [answer]

    return made(thing, "openenv", call, declared)


async def _rest(judge: Callable[[Any, Any], Any], first: Any, steps: list[tuple[Any, Any]]) -> list[Any]:
    answer = await first
    for action, observation in steps:
        answer = await judge(action, observation)
    return [answer]


def steps_as_actions(trajectory: Trajectory, case: Case) -> list[tuple[Any, Any]]:
    """(action, observation) of every step; one empty step where the agent did nothing."""
    columns = dict(columns_of(case))
    answer = right_answer(case)
    if answer is not None:
        for name in ANSWER_NAMES:
            columns.setdefault(name, answer)
    found: list[tuple[Any, Any]] = []
    steps = steps_of(trajectory) or [({"role": "assistant", "content": ""}, [])]
    for index, (message, back) in enumerate(steps):
        text = str(message.get("content") or "")
        calls = list(message.get("tool_calls") or [])
        action = SimpleNamespace(
            content=text, text=text, message=text, response=text, tool_calls=calls, metadata={}, role="assistant"
        )
        done = index == len(steps) - 1
        seen = texts(back)
        metadata = {**columns, "prompt": case.text}
        kept = {k: v for k, v in columns.items() if k.isidentifier() and k not in ("done", "reward", "metadata")}
        observation = SimpleNamespace(**kept)
        vars(observation).update(
            done=done, reward=None, metadata=metadata, content=seen, text=seen, prompt=case.text,
            state=trajectory.state, messages=list(back),
        )  # fmt: skip
        found.append((action, observation))
    return found

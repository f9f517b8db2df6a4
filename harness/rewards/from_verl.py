"""verl scores: ``compute_score(data_source, solution_str, ground_truth, extra_info)`` to a number or ``{"score": x}``.

The batched form (``data_sources, solution_strs, ground_truths, extra_infos``) is taken as well. Further keywords that
the trainer sends to those who ask (``reward_router_address`` and the like) are None here.
"""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.rewards.adapted import AdaptedReward, Pair, made
from harness.rewards.columns import (
    Parted,
    column,
    columns_of,
    completion_text,
    parameters,
    required,
    takes_any_keyword,
)
from harness.rewards.declared import Declared

OWN = ("data_source", "solution_str", "ground_truth", "extra_info")
SEVERAL = tuple(name + "s" for name in OWN)


def fits(function: Callable[..., Any]) -> bool:
    """Whether it asks for a ``solution_str`` (or several)."""
    return bool({"solution_str", "solution_strs"} & set(parameters(function)))


def adapt_verl(function: Callable[..., Any], declared: Declared) -> AdaptedReward:
    """The function as a reward; what a dictionary holds beside the score become the reward's parts."""
    names = parameters(function)
    anything = takes_any_keyword(names)
    several = "solution_strs" in names

    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        rows = [row_of(trajectory, case) for trajectory, case in pairs]
        if several:
            offered: dict[str, Any] = {name + "s": [row[name] for row in rows] for name in OWN}
        else:
            offered = {**rows[0], **{n: column(pairs[0][1], n) for n in required(names) if n not in OWN}}
        answer = function(**(offered if anything else {n: v for n, v in offered.items() if n in names}))
        if inspect.isawaitable(answer):
            return _later(answer, several)
        return [_score(one) for one in (answer if several else [answer])]

    return made(function, "verl", call, declared, batch=several, keywords=anything or {"extra_info"} <= set(names))


def row_of(trajectory: Trajectory, case: Case) -> dict[str, Any]:
    """What the trainer passes for one completion."""
    columns = columns_of(case)
    truth = columns["ground_truth"] if "ground_truth" in columns else column(case, "answer")
    extra = columns.get("extra_info", {**columns, "index": case.id})
    return {
        "data_source": columns.get("data_source", "harness"),
        "solution_str": completion_text(trajectory),
        "ground_truth": truth,
        "extra_info": extra,
    }


async def _later(answer: Any, several: bool) -> list[Any]:
    got = await answer
    return [_score(one) for one in (got if several else [got])]


def _score(answer: Any) -> Any:
    if isinstance(answer, Mapping):
        if "score" not in answer:
            raise KeyError(f"a score given as a mapping needs 'score', got {sorted(map(str, answer))}")
        parts = {str(k): float(v) for k, v in answer.items() if isinstance(v, numbers.Real) and k != "score"}
        return Parted(float(answer["score"]), parts)
    return answer[0] if isinstance(answer, tuple) and answer else answer

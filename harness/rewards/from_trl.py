"""TRL reward functions: ``f(prompts, completions, **columns) -> list[float | None]``, sync, async, callable classes.

As the trainer does (huggingface/trl, ``GRPOTrainer``), everything is passed by keyword: prompts, completions, token
ids, ``trainer_state`` (None here: nothing trains), logging hooks that do nothing, and every column of the dataset.
Prompts that are texts go with completions that are texts; chat messages go with chat messages; where a function breaks
on the one and not on the other, the other is used from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.rewards.adapted import AdaptedReward, Pair, made
from harness.rewards.columns import (
    column,
    columns_of,
    completion_messages,
    completion_text,
    parameters,
    prompt_messages,
    required,
    takes_any_keyword,
    token_ids,
)
from harness.rewards.declared import Declared

OWN = (
    "prompts", "completions", "completion_ids", "completions_ids", "prompt_ids", "trainer_state", "log_extra",
    "log_metric", "environments",
)  # fmt: skip


def fits(function: Callable[..., Any]) -> bool:
    """Whether the signature is one that the trainer can call."""
    names = parameters(function)
    if not {"completions", "completion_ids", "completions_ids"} & set(names):
        return False
    return takes_any_keyword(names) or not {"states", "infos", "tasks", "answers"} & set(names)


def adapt_trl(function: Callable[..., Any], declared: Declared) -> AdaptedReward:
    """The function as a reward; one call takes the whole batch."""
    names = parameters(function)
    anything = takes_any_keyword(names)

    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        offered = batch_of(pairs, chat)
        for name in required(names):
            if name not in offered:
                offered[name] = [column(case, name) for _, case in pairs]
        given = offered if anything else {name: value for name, value in offered.items() if name in names}
        return function(**given)

    return made(function, "trl", call, declared, batch=True, forms=True, keywords=anything)


def batch_of(pairs: Sequence[Pair], chat: bool) -> dict[str, Any]:
    """Everything the trainer sends for a batch, by keyword."""
    texts = [completion_text(trajectory) for trajectory, _ in pairs]
    prompts: list[Any] = [prompt_messages(trajectory, case) for trajectory, case in pairs]
    completions: list[Any] = [completion_messages(trajectory) for trajectory, _ in pairs]
    if not chat:
        prompts, completions = [case.text for _, case in pairs], texts
    rows = [columns_of(case) for _, case in pairs]
    shared = set.intersection(*(set(row) for row in rows)) - set(OWN) - {"prompt", "completion"} if rows else set()
    return {
        "prompts": prompts,
        "completions": completions,
        "completion_ids": [token_ids(text) for text in texts],
        "prompt_ids": [token_ids(case.text) for _, case in pairs],
        "trainer_state": None,
        "log_extra": _nothing,
        "log_metric": _nothing,
        **{name: [row[name] for row in rows] for name in sorted(shared)},
    }


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None

"""What a case and a trajectory look like to other libraries: prompt, completion, and the columns of a dataset's row."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Message, Trajectory

ANSWER_NAMES = (
    "answer", "ground_truth", "solution", "target", "label", "reference", "gold", "expected", "expected_answer", "gt",
    "reference_answer",
)  # fmt: skip
"""What people call the column with the right answer; each is served from ``expected.answer`` unless the case has it."""


class MissingColumn(LookupError):
    """A reward function asks for a column that the case does not have."""


class Parted(float):
    """A reward that remembers what it was made of; everywhere else it is the number itself."""

    parts: Mapping[str, float | None]

    def __new__(cls, value: float, parts: Mapping[str, float | None]) -> Parted:
        """The number with its parts."""
        made = super().__new__(cls, value)
        made.parts = dict(parts)
        return made


def columns_of(case: Case) -> dict[str, Any]:
    """The columns of a case: its metadata, what it expects under ``custom``, and its right answer.

    Later ones win; ``info``, ``task`` and ``id`` are there for functions that ask for them.
    """
    found: dict[str, Any] = dict(case.metadata)
    found.update(case.expected.custom)
    answer = right_answer(case)
    if answer is not None:
        found.setdefault("answer", answer)
    return found


def right_answer(case: Case) -> Any:
    """The expected answer: ``expected.answer``, else the first of ``answers``, else ``number``, else None."""
    expected = case.expected
    if expected.answer is not None:
        return expected.answer
    if expected.answers:
        return expected.answers[0]
    return expected.number


def column(case: Case, name: str) -> Any:
    """One column by the name a function uses for it.

    :raises MissingColumn: the case has none of that name; says which there are and where to put it.
    """
    columns = columns_of(case)
    if name in columns:
        return columns[name]
    if name in ANSWER_NAMES and (answer := right_answer(case)) is not None:
        return answer
    there = ", ".join(sorted(columns)) or "none"
    raise MissingColumn(
        f"the reward function asks for the column {name!r}, which case {case.id!r} does not have (it has: {there}); "
        f"put it under expected.custom of the case, or under expected.answer where it is the right answer"
    )


def prompt_messages(trajectory: Trajectory, case: Case) -> list[dict[str, Any]]:
    """The conversation before the agent spoke, as chat messages."""
    if isinstance(case.input, (list, tuple)) and all(isinstance(item, Mapping) for item in case.input):
        return [dict(message) for message in case.input]
    before: list[dict[str, Any]] = []
    for message in trajectory.messages:
        if message.get("role") == "assistant":
            break
        before.append(dict(message))
    return before or [{"role": "user", "content": case.text}]


def completion_messages(trajectory: Trajectory) -> list[dict[str, Any]]:
    """What was said and done from the agent's first message on; an empty assistant message where it said nothing."""
    started = False
    said: list[dict[str, Any]] = []
    for message in trajectory.messages:
        started = started or message.get("role") == "assistant"
        if started:
            said.append({**message, "content": message.get("content") or ""})
    return said or [{"role": "assistant", "content": ""}]


def completion_text(trajectory: Trajectory) -> str:
    """The final answer; where there is none, the last thing the agent said; an empty text where it said nothing."""
    if trajectory.answer is not None:
        return trajectory.answer
    return trajectory.said[-1] if trajectory.said else ""


def steps_of(trajectory: Trajectory) -> list[tuple[Message, list[Message]]]:
    """Each assistant message with what came back before the next one."""
    found: list[tuple[Message, list[Message]]] = []
    for message in trajectory.messages:
        if message.get("role") == "assistant":
            found.append((message, []))
        elif found:
            found[-1][1].append(message)
    return found


def token_ids(text: str) -> list[int]:
    """A stand-in for token ids where there is no tokenizer: one number per word, equal for equal words."""
    import zlib

    return [zlib.crc32(word.encode("utf-8", "surrogatepass")) % 50_000 for word in text.split()]


def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a callable; none where Python cannot tell."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def takes_any_keyword(names: Mapping[str, inspect.Parameter]) -> bool:
    """Whether ``**kwargs`` is among the parameters."""
    return any(item.kind is inspect.Parameter.VAR_KEYWORD for item in names.values())


def required(names: Mapping[str, inspect.Parameter]) -> list[str]:
    """The parameters that must be given."""
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [n for n, item in names.items() if item.default is inspect.Parameter.empty and item.kind not in kinds]


def label(thing: Any) -> str:
    """What to call a reward function: its own name, the function's, or the class's."""
    own = getattr(thing, "name", None)
    if isinstance(own, str) and own:
        return own
    named = getattr(thing, "__name__", None) or getattr(getattr(thing, "func", None), "__name__", None)
    return str(named) if named else type(thing).__name__


def texts(items: Sequence[Mapping[str, Any]]) -> str:
    """The contents of messages, one after the other."""
    return "\n".join(str(item.get("content") or "") for item in items)

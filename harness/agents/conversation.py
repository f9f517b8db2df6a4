"""A conversation with an agent that is asked once per turn of the user: the same for functions, services, programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from harness.agents.answers import Answered
from harness.core.case import Case, canonical_json
from harness.core.clock import SYSTEM
from harness.core.errors import Failure
from harness.core.exchange import CURRENT
from harness.core.trajectory import Message, ModelCall, Trajectory

Ask = Callable[[Sequence[Message], Any], Awaitable[Answered | Trajectory]]
"""Given the history and what the user says now (the case's input first, then a text), what the agent answers."""


def opening(case: Case, *, system: str = "") -> list[Message]:
    """The first messages of a case: the system prompt, then the input as a user message or as the messages it is.

    Any other JSON becomes a user message with its canonical text.
    """
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    given = case.input
    if isinstance(given, str):
        return [*messages, {"role": "user", "content": given}]
    if isinstance(given, Mapping) and "role" in given:
        return [*messages, given]
    listed = isinstance(given, (list, tuple)) and len(given) > 0
    if listed and all(isinstance(item, Mapping) and "role" in item for item in given):
        return [*messages, *given]
    return [*messages, {"role": "user", "content": canonical_json(given)}]


async def converse(case: Case, ask: Ask, *, name: str) -> Trajectory:
    """Ask once for the input and once for each scripted turn, and put the trajectory together.

    What breaks in the first turn is raised. What breaks later is the trajectory's ``error``, with the messages of the
    turns before; on a cancellation they are in the trial context's notes, as ``partial_messages``.
    """
    history = opening(case)
    started = SYSTEM.monotonic()
    answers: list[Answered] = []
    error: Failure | None = None
    for position, said in enumerate((case.input, *case.turns)):
        if position:
            history.append({"role": "user", "content": said})
        try:
            answered = await ask(tuple(history), said)
        except Exception as broken:
            if not position:
                raise
            error = Failure.of(broken, kind="agent")
            break
        except BaseException:
            context = CURRENT.get()
            if context is not None and position:
                context.notes["partial_messages"] = list(history)
            raise
        if isinstance(answered, Trajectory):
            if not case.turns:
                return answered
            answered = _of_trajectory(answered, history)
        answers.append(answered)
        history.extend(answered.messages)
    state = next((answer.state for answer in reversed(answers) if answer.state is not None), None)
    metadata: dict[str, Any] = {}
    for answer in answers:
        metadata.update(answer.metadata)
    return Trajectory(
        messages=tuple(history),
        model_calls=_model_calls(answers, name),
        latency_s=SYSTEM.monotonic() - started,
        state=state,
        error=error,
        reported_cost_usd=_cost(answers),
        metadata=metadata,
    )


def _of_trajectory(given: Trajectory, history: Sequence[Message]) -> Answered:
    messages = given.messages
    if len(messages) >= len(history) and list(messages[: len(history)]) == list(history):
        messages = messages[len(history) :]
    return Answered(
        messages=messages,
        usage=given.usage if given.model_calls else None,
        cost_usd=given.cost_usd,
        state=given.state,
        metadata=given.metadata,
    )


def _model_calls(answers: Sequence[Answered], name: str) -> tuple[ModelCall, ...]:
    """What the agent reported, as one model call per turn; nothing where the gateway saw its calls already."""
    context = CURRENT.get()
    if context is not None and context.calls:
        return ()
    reported = [(answer, answer.usage) for answer in answers if answer.usage is not None]
    return tuple(ModelCall(model=a.model or name, usage=usage, cost_usd=a.cost_usd) for a, usage in reported)


def _cost(answers: Sequence[Answered]) -> Decimal | None:
    known = [answer.cost_usd for answer in answers if answer.cost_usd is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(answers) else None

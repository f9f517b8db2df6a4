"""An adapted reward: any callable of another library behind our contract, one trajectory or a batch at a time."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.case import Case
from harness.core.errors import AgentBroken
from harness.core.trajectory import Trajectory
from harness.rewards.columns import label
from harness.rewards.declared import Declared

Pair = tuple[Trajectory, Case]
Call = Callable[[Sequence[Pair], bool], Any]
"""(pairs, as chat messages) to one answer per pair, or an awaitable of it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptedReward:
    """A reward function as it was found, how it wants to be called, and what is declared about it."""

    name: str
    wrapped: Any = field(repr=False)
    """The function or object itself."""
    interface: str
    """One of :data:`harness.rewards.declared.INTERFACES`."""
    call: Call = field(repr=False)
    batch: bool = False
    """Whether one call takes many completions."""
    group: bool = False
    """Whether the value of one completion depends on the others in the call."""
    forms: bool = False
    """Whether completions can be texts or chat messages, so that the right form has to be found out."""
    keywords: bool | None = None
    """Whether it takes keywords it does not know; None: its library never sends any."""
    declared: Declared = field(default_factory=Declared)
    version: str = "1"
    form: _Form = field(default_factory=lambda: _Form(), repr=False)
    kept: dict[str, Any] = field(default_factory=dict, repr=False)
    """What the lab found out about it once, such as the form of answers that it understands."""

    def reward(self, trajectory: Trajectory, case: Case) -> Any:
        """The reward of one trajectory; awaitable where the function is a coroutine."""
        answers = self.rewards([(trajectory, case)])
        return _first_awaited(answers) if inspect.isawaitable(answers) else answers[0]

    def rewards(self, pairs: Sequence[Pair]) -> Any:
        """The rewards of several trajectories, in one call where the interface takes a batch; raises as it does.

        A run that broke is no bad answer, and other libraries have no word for it: it is not shown to their functions.
        """
        for trajectory, _ in pairs:
            if trajectory.error is not None and self.interface not in ("harness", "evaluator"):
                broke = AgentBroken(f"the agent broke, so there is nothing to reward: {trajectory.error.message[:300]}")
                broke.kind = trajectory.error.kind
                raise broke
        if self.batch or len(pairs) == 1:
            return self._called(pairs)
        answers = [self._called([pair]) for pair in pairs]
        if any(inspect.isawaitable(answer) for answer in answers):
            return _gathered(answers)
        return [answer[0] for answer in answers]

    def redeclared(self, **changes: Any) -> AdaptedReward:
        """With more declared about it; see :class:`~harness.rewards.declared.Declared`."""
        return replace(self, declared=self.declared.updated(**changes))

    def _called(self, pairs: Sequence[Pair]) -> Any:
        chat = self._chat(pairs)
        if not self.forms or self.form.known:
            return self.call(pairs, chat)
        try:
            answers = self.call(pairs, chat)
        except Exception:  # noqa: BLE001 - tried again, and raised again where that does not help
            return self._other_form(pairs, chat)
        if inspect.isawaitable(answers):
            return self._later(answers, pairs, chat)
        self.form.learn(chat, answers)
        return answers

    async def _later(self, answers: Awaitable[Any], pairs: Sequence[Pair], chat: bool) -> Any:
        try:
            got = await answers
        except Exception as first:  # noqa: BLE001 - raised again where the other form does not help
            try:
                got = self.call(pairs, not chat)
                got = await got if inspect.isawaitable(got) else got
            except Exception:  # noqa: BLE001 - the first break is the one that the author will recognise
                raise first from None
            chat = not chat
        self.form.learn(chat, got)
        return got

    def _other_form(self, pairs: Sequence[Pair], chat: bool) -> Any:
        """The function broke on the form that its dataset would have: perhaps it was written for the other one."""
        try:
            answers = self.call(pairs, not chat)
        except Exception:  # noqa: BLE001 - the other form was a guess
            answers = None
        if answers is None or inspect.isawaitable(answers) or all(answer is None for answer in answers):
            return self.call(pairs, chat)  # the break that the author will recognise
        self.form.learn(not chat, answers)
        return answers

    def _chat(self, pairs: Sequence[Pair]) -> bool:
        if self.form.known:
            return bool(self.form.chat)
        # As the trainers do: the form of the dataset's prompts is the form of the completions.
        return self.interface == "verifiers" or not isinstance(pairs[0][1].input, str)


class _Form:
    """Which form of completions a function understands; settled by the first call that does not break."""

    def __init__(self) -> None:
        self.chat: bool | None = None
        self._lock = threading.Lock()

    @property
    def known(self) -> bool:
        return self.chat is not None

    def learn(self, chat: bool, answers: Any) -> None:
        # An answer without a number (None for "not my task") says nothing about the form.
        if any(answer is not None for answer in answers):
            with self._lock:
                self.chat = chat


async def _first_awaited(answers: Awaitable[Any]) -> Any:
    return (await answers)[0]


async def _gathered(answers: list[Any]) -> list[Any]:
    return [(await answer if inspect.isawaitable(answer) else answer)[0] for answer in answers]


def made(wrapped: Any, interface: str, call: Call, declared: Declared, **more: Any) -> AdaptedReward:
    """An adapted reward under the wrapped thing's own name and version."""
    version = str(getattr(wrapped, "version", "1") or "1")
    name = str(more.pop("name", "") or label(wrapped))
    return AdaptedReward(
        name=name, wrapped=wrapped, interface=interface, call=call, declared=declared, version=version, **more
    )

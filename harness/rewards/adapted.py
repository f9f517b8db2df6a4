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

FORM_ERRORS = (TypeError, AttributeError, IndexError)
"""What a function raises that was written for texts and gets chat messages, or the other way round."""


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
        except FORM_ERRORS:
            if not self._understands_only_the_other(pairs, chat):
                raise
            return self.call(pairs, not chat)
        if inspect.isawaitable(answers):
            return self._later(answers, pairs, chat)
        self.form.learn(chat, answers)
        return answers

    def _understands_only_the_other(self, pairs: Sequence[Pair], chat: bool) -> bool:
        """Whether a harmless completion breaks it in one form and not in the other, so that the form was the reason."""
        harmless = [_harmless(pairs[0])]
        try:
            answers = self.call(harmless, chat)
        except FORM_ERRORS:
            try:
                answers = self.call(harmless, not chat)
            except FORM_ERRORS:
                return False
            except Exception:  # noqa: BLE001 - it read the form, and broke on what stood in it
                return True
            return not inspect.isawaitable(answers) and self.form.learn(not chat, answers)
        except Exception:  # noqa: BLE001 - as above
            return False
        if not inspect.isawaitable(answers):
            self.form.learn(chat, answers)
        return False

    async def _later(self, answers: Awaitable[Any], pairs: Sequence[Pair], chat: bool) -> Any:
        try:
            got = await answers
        except FORM_ERRORS:
            harmless = [_harmless(pairs[0])]
            if await self._breaks(harmless, chat) and not await self._breaks(harmless, not chat):
                return await self.call(pairs, not chat)
            raise
        self.form.learn(chat, got)
        return got

    async def _breaks(self, harmless: Sequence[Pair], chat: bool) -> bool:
        try:
            got = await self.call(harmless, chat)
        except FORM_ERRORS:
            return True
        except Exception:  # noqa: BLE001 - another break than the form's: nothing is learned from it
            return False
        self.form.learn(chat, got)
        return False

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

    def learn(self, chat: bool, answers: Any) -> bool:
        """Settle the form, where there is a number to settle it by; None for "not my task" says nothing about it."""
        told = any(answer is not None for answer in answers)
        if told:
            with self._lock:
                self.chat = chat
        return told


def _harmless(pair: Pair) -> Pair:
    """The task with a completion that no reward function should break on."""
    trajectory, case = pair
    asked = [message for message in trajectory.messages if message.get("role") in ("system", "user")]
    return replace(trajectory, messages=(*asked, {"role": "assistant", "content": "The answer is 42."})), case


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

"""An agent made of a model and tools: ask, run the tools it calls, answer, until it has nothing left to call.

The words:

- *step*: one model call. The limit counts the steps of the whole trial, over all turns of the user.
- *turn*: what the scripted user says next, once the model has answered without calling a tool.
- *recorded call*: a call of a tool that only the case offers (``case.tools``) and nothing implements: it is kept in
  the trajectory, not run, and ends the trial.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.agents.completion import message_of
from harness.agents.conversation import opening
from harness.agents.tool_answers import answer_call, normal_calls
from harness.agents.tools import Tool, World, as_tools
from harness.core.case import Case
from harness.core.clock import SYSTEM
from harness.core.contracts import Model
from harness.core.errors import AgentBroken, Failure, HarnessError, ToolBroken, TrialTimeout, UsageError
from harness.core.exchange import CURRENT, Reply
from harness.core.record import Trial
from harness.core.trajectory import Message, ModelCall, Trajectory
from harness.core.usage import Usage

_THINKING = ("reasoning_content", "reasoning")
_MAX_CALLS = 1000
"""Tool calls of one message that are run: far above any real agent, below what a runaway reply can hold."""


class StepLimit(AgentBroken):
    """The agent used up its steps without coming to an answer."""

    reason = "step_limit"


class ToolLoop:
    """A tool-calling agent over any chat model.

    What breaks in the middle (the model's endpoint, a tool, the step limit, the money cap) is returned as the
    trajectory's ``error``, with every message up to there. Only a cancellation passes through; the messages so far
    are then in the trial context's notes, as ``partial_messages``.

    :param model: answers the messages.
    :param system: system prompt, put before the case's messages; empty for none.
    :param world: makes the world of one trial, sync or async; its tools are offered next to ``tools``.
    :param tools: tools or plain typed functions, the same in every trial.
    :param max_steps: most model calls of one trial, at least 1.
    :param send_seed: pass the trial's seed to the model as ``seed``.
    :param echo_thinking: send the model's own reasoning back to it with the history. Few endpoints want that, and
        some refuse it; the trajectory keeps the reasoning either way.
    """

    def __init__(
        self,
        *,
        name: str,
        model: Model,
        system: str = "",
        world: Callable[[Case, Trial], Any] | None = None,
        tools: Sequence[Any] = (),
        max_steps: int = 20,
        send_seed: bool = False,
        echo_thinking: bool = False,
    ) -> None:
        if max_steps < 1:
            raise UsageError(f"max_steps must be at least 1, got {max_steps!r}")
        self.name = name
        self.model = model
        self.system = system
        self.world = world
        self.tools = as_tools(tools)
        self.max_steps = max_steps
        self.send_seed = send_seed
        self.echo_thinking = echo_thinking

    async def __aenter__(self) -> ToolLoop:
        if hasattr(self.model, "__aenter__"):
            await self.model.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        if hasattr(self.model, "__aexit__"):
            await self.model.__aexit__(*raised)

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """Play the whole conversation of one case. See the class for what an error leaves behind."""
        talk = _Talk(self, case, trial)
        started = SYSTEM.monotonic()
        error: Failure | None = None
        try:
            # Inside a run the engine owns the deadline: it alone knows what waiting for the limiter must not count.
            async with asyncio.timeout(trial.deadline_s if CURRENT.get() is None else None) as deadline:
                await talk.play()
        except asyncio.CancelledError:
            context = CURRENT.get()
            if context is not None:
                context.notes["partial_messages"] = list(talk.messages)
            raise
        except Exception as broken:  # noqa: BLE001 - whatever it is, the messages so far must not be lost with it
            if isinstance(broken, TimeoutError) and deadline.expired():
                error = Failure.of(TrialTimeout(f"the trial took longer than its {trial.deadline_s:g} s"))
            else:
                # Our own errors name a wrong set-up (a missing library, a bad option), which is not the agent's doing.
                error = Failure.of(broken, kind="harness" if isinstance(broken, HarnessError) else "agent")
        finally:
            state, closing = await talk.close()
        return Trajectory(
            messages=tuple(talk.messages),
            model_calls=tuple(talk.calls),
            latency_s=SYSTEM.monotonic() - started,
            state=state,
            error=error or closing,
            metadata=talk.metadata,
        )


class _Talk:
    """One trial of one loop."""

    def __init__(self, loop: ToolLoop, case: Case, trial: Trial) -> None:
        self._loop = loop
        self._case = case
        self._trial = trial
        self._world: World | None = None
        self._tools: dict[str, Tool] = {}
        self._schemas: tuple[Mapping[str, Any], ...] = ()
        self._recorded = False
        self._ids: dict[str, int] = {}
        self._steps = 0
        self._sent: list[Message] = []
        self.messages: list[Message] = []
        self.calls: list[ModelCall] = []
        self.metadata: dict[str, Any] = {}

    async def play(self) -> None:
        """Set the world up and talk until the user has nothing left to say."""
        for message in opening(self._case, system=self._loop.system):
            self._say(message)
        await self._set_up()
        options = {"seed": self._trial.seed} if self._loop.send_seed else {}
        turns = iter(self._case.turns)
        while True:
            message = await self._step(options)
            calls = message.get("tool_calls") or ()
            if calls and self._recorded:
                self.metadata["recorded_calls"] = len(calls)
                return
            if len(calls) > _MAX_CALLS:
                raise AgentBroken(f"the model called {len(calls)} tools in one message; at most {_MAX_CALLS} are run")
            for call in calls:
                self._say({"role": "tool", "tool_call_id": call["id"], "content": await answer_call(call, self._tools)})
            if not calls:
                text = next(turns, None)
                if text is None:
                    return
                self._say({"role": "user", "content": text})

    async def _set_up(self) -> None:
        self._tools = dict(self._loop.tools)
        if self._loop.world is not None:
            try:
                world = self._loop.world(self._case, self._trial)
                self._world = await world if inspect.isawaitable(world) else world
                self._tools = as_tools([*self._tools.values(), *self._world.tools])
            except Exception as error:
                raise ToolBroken(
                    f"the world of case {self._case.id!r} could not be made: {type(error).__name__}: {error}"
                ) from error
        self._schemas = tuple(tool.schema for tool in self._tools.values())
        if not self._tools and self._loop.world is None and self._case.tools:
            self._recorded = True
            self._schemas = tuple(self._case.tools)

    async def _step(self, options: Mapping[str, Any]) -> Message:
        if self._steps >= self._loop.max_steps:
            raise StepLimit(
                f"no answer after {self._steps} steps, the last of them calling tools (raise max_steps to allow more)"
                if self._sent[-1].get("role") == "tool"
                else f"{self._steps} steps were used up before the scripted user had said everything"
            )
        self._steps += 1
        reply = await self._loop.model.complete(self._sent, tools=self._schemas, **options)
        if CURRENT.get() is None:
            self.calls.append(model_call(reply, self._loop.model))
        message = message_of(reply.body)
        if "tool_calls" in message:
            message["tool_calls"] = normal_calls(message["tool_calls"], step=self._steps, taken=self._ids)
            if not message["tool_calls"]:
                del message["tool_calls"]
        self._say(message)
        return message

    def _say(self, message: Message) -> None:
        self.messages.append(message)
        if not self._loop.echo_thinking and any(name in message for name in _THINKING):
            message = {key: value for key, value in message.items() if key not in _THINKING}
        self._sent.append(message)

    async def close(self) -> tuple[Any, Failure | None]:
        """The world's end state, with the failure to read it or to close it, if any."""
        world, self._world = self._world, None
        if world is None:
            return None, None
        state, failure = None, None
        try:
            state = world.state()
            state = await state if inspect.isawaitable(state) else state
        except Exception as error:  # noqa: BLE001 - becomes the trial's failure
            failure = Failure.of(ToolBroken(f"the world's end state cannot be read: {type(error).__name__}: {error}"))
        try:
            closing = world.close()
            if inspect.isawaitable(closing):
                await closing
        except Exception as error:  # noqa: BLE001 - becomes the trial's failure
            failure = failure or Failure.of(
                ToolBroken(f"the world could not be closed: {type(error).__name__}: {error}")
            )
        return state, failure


def model_call(reply: Reply, model: Model, *, purpose: str = "agent") -> ModelCall:
    """The account of one reply, for runs without a gateway that keeps accounts."""
    named = reply.body.get("model") if isinstance(reply.body, Mapping) else None
    return ModelCall(
        model=getattr(model, "model", None) or (named if isinstance(named, str) else model.name),
        provider=getattr(model, "provider", ""),
        usage=reply.usage or Usage(),
        cost_usd=reply.cost_usd,
        latency_s=reply.latency_s,
        ttft_s=reply.ttft_s,
        attempts=reply.attempts,
        purpose=purpose,
        replayed=reply.replayed,
    )

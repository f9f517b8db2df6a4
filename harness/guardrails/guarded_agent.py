"""``guarded(agent, policy)``: any agent, with every input, tool call, tool result and output past the guards.

What is reached, and when:

- *inputs* before the agent sees them; a stopped one is answered with a refusal, and the agent does not run (or, for a
  later turn of the scripted user, the conversation ends there);
- *tool calls and results* before they are made and read, where the agent's tools ask the gate of the running session:
  a tool loop that knows :func:`harness.core.decision.tool_gate`, or tools wrapped by ``guarded_tools``;
- any other tool call is judged on the trajectory, *late*: it is counted in ``metadata["guardrails"]["too_late"]`` when
  a guard minds it, and the session's answers are withheld. It is never passed over;
- *outputs* before anybody reads them.

The user learns that something was refused, never which guard it was or why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.core.case import Case
from harness.core.contracts import Agent
from harness.core.decision import TOOL_GATE, Decision, Event
from harness.core.record import Trial
from harness.core.trajectory import Message, Trajectory, message_text
from harness.guardrails.events import arguments_text, input_text
from harness.guardrails.pipeline import Pipeline, as_pipeline
from harness.guardrails.session import HANDED_OVER, REFUSAL, SESSION, WITHHELD, Session

Who = Mapping[str, Any] | Callable[[Case, Trial], Mapping[str, Any]]
_GONE = "[withheld]"
"""What stands in the trajectory for a text that a guard stopped."""


def guarded(
    agent: Agent,
    policy: Any,
    *,
    who: Who | None = None,
    name: str = "",
    refusal: str = REFUSAL,
    handed_over: str = HANDED_OVER,
) -> GuardedAgent:
    """The agent under guard; see the words at the top of this file.

    :param policy: a pipeline, a guard, or guards.
    :param who: who asks (``user``, ``tenant``, ``session``, ``roles``, ``scope``, ...), one for all or by case and
        trial; trusted. ``session`` is by default the case's id with the number of the trial.
    :param refusal: what the user is told instead of something blocked.
    :param handed_over: what the user is told when a person has to decide.
    """
    return GuardedAgent(agent, as_pipeline(policy), who=who, name=name, refusal=refusal, handed_over=handed_over)


class GuardedAgent:
    """Made by :func:`guarded`; an agent like any other."""

    def __init__(
        self, agent: Agent, pipeline: Pipeline, *, who: Who | None, name: str, refusal: str, handed_over: str
    ) -> None:
        self.agent = agent
        self.pipeline = pipeline
        self.name = name or f"{agent.name}+{pipeline.name}"
        self._who = who
        self._refusal = refusal
        self._handed_over = handed_over

    def __repr__(self) -> str:
        return f"guarded({self.agent!r}, {self.pipeline!r})"

    async def __aenter__(self) -> GuardedAgent:
        if hasattr(self.agent, "__aenter__"):
            await self.agent.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        if hasattr(self.agent, "__aexit__"):
            await self.agent.__aexit__(*raised)

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """Run the agent under guard. What the agent raises passes through."""
        who = self._who(case, trial) if callable(self._who) else (self._who or {})
        session = Session(pipeline=self.pipeline, data={"session": f"{case.id}#{trial.index}", **who})
        admitted, refused = await self._admit(case, session)
        if admitted is None:
            return self._with_report(Trajectory(messages=(*_gone(case), *refused)), session)
        gate, running = TOOL_GATE.set(session), SESSION.set(session)
        try:
            trajectory = await self.agent.run(admitted, trial)
        finally:
            SESSION.reset(running)
            TOOL_GATE.reset(gate)
        messages = await self._seen_after(trajectory, session)
        return self._with_report(trajectory.with_(messages=(*messages, *refused)), session)

    async def _admit(self, case: Case, session: Session) -> tuple[Case | None, list[Message]]:
        """The case as the agent may see it (None: not at all), and what is said about the turn that was stopped."""
        given = case.input if isinstance(case.input, (list, tuple)) and _is_chat(case.input) else [case.input]
        passed: list[Any] = []
        for message in given:
            kind = {"user": "input", "tool": "tool_result"}.get(_role(message))
            if kind is None:
                passed.append(message)
                continue
            text = input_text(message)
            event = Event(kind="input" if kind == "input" else "tool_result", text=text)
            decision = await session.judge(event)
            if decision.stops:
                return None, [self._instead(decision)]
            text = text if decision.text is None else decision.text
            session.request = (*session.request, text) if kind == "input" else session.request
            passed.append(message if decision.text is None else _rewritten(message, text))
        turns: list[str] = []
        refused: list[Message] = []
        for turn in case.turns:
            decision = await session.judge(Event(kind="input", text=turn))
            if decision.stops:
                refused = [{"role": "user", "content": _GONE}, self._instead(decision)]
                break
            turns.append(turn if decision.text is None else decision.text)
            session.request = (*session.request, turns[-1])
        whole = passed if given is case.input else passed[0]
        return replace(case, input=whole, turns=tuple(turns)), refused

    async def _seen_after(self, trajectory: Trajectory, session: Session) -> list[Message]:
        """The messages as they may be kept and read: outputs judged, calls that did not pass the gate judged late."""
        calls = iter(trajectory.tool_calls)
        late: dict[str, Mapping[str, Any]] = {}
        messages: list[Message] = []
        for message in trajectory.messages:
            role = message.get("role")
            if role == "tool" and str(message.get("tool_call_id") or "") in late:
                about = late[str(message["tool_call_id"])]
                decision = await session.judge(
                    Event(kind="tool_result", text=message_text(message), data=about), late=True
                )
                if decision.action != "allow":
                    message = {**message, "content": WITHHELD if decision.text is None else decision.text}
            elif role == "assistant" and message.get("tool_calls"):
                entries = []
                for raw in message["tool_calls"]:
                    if not isinstance(raw, Mapping):
                        entries.append(raw)
                        continue
                    call = next(calls)
                    given = call.raw_arguments if call.arguments is None else arguments_text(call.arguments)
                    made = session.take_passed(call.name, given)
                    if made is None:
                        data = {"tool": call.name, "arguments": call.arguments}
                        late[call.id] = data
                        decision = await session.judge(Event(kind="tool_call", text=given, data=data), late=True)
                        made = decision.text
                    entries.append(_made_with(raw, made) if made and made != call.raw_arguments else raw)
                message = {**message, "tool_calls": entries}
            messages.append(message)
        return [await self._output(message, session) for message in messages]

    async def _output(self, message: Message, session: Session) -> Message:
        text = message_text(message) if message.get("role") == "assistant" else ""
        if not text:
            return message
        decision = await session.judge(Event(kind="output", text=text))
        if decision.stops:
            return {**message, "content": self._instead(decision)["content"]}
        if session.too_late or session.escalated:
            return {**message, "content": self._handed_over if session.escalated else self._refusal}
        return message if decision.text is None else {**message, "content": decision.text}

    def _instead(self, decision: Decision) -> Message:
        return {
            "role": "assistant",
            "content": self._handed_over if decision.action == "escalate" else self._refusal,
        }

    @staticmethod
    def _with_report(trajectory: Trajectory, session: Session) -> Trajectory:
        return trajectory.with_(metadata={**trajectory.metadata, "guardrails": session.report()})


def _role(message: Any) -> str:
    return str(message.get("role") or "") if isinstance(message, Mapping) and "role" in message else "user"


def _is_chat(messages: Sequence[Any]) -> bool:
    return bool(messages) and all(isinstance(one, Mapping) and "role" in one for one in messages)


def _rewritten(message: Any, text: str) -> Any:
    """The same input with another text; JSON stays JSON where it can be read."""
    if isinstance(message, str):
        return text
    if isinstance(message, Mapping) and "role" in message:
        return {**message, "content": text}
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _made_with(raw: Mapping[str, Any], written: str) -> dict[str, Any]:
    """The entry of a tool call with the arguments it was really made with."""
    function = raw.get("function")
    if isinstance(function, Mapping):
        return {**raw, "function": {**function, "arguments": written}}
    return {**raw, "arguments": written}


def _gone(case: Case) -> list[Message]:
    """The user's side of a conversation that did not take place."""
    return [{"role": "user", "content": _GONE}] if case.input is not None else []

"""Any agent under guard: inputs, calls, results, outputs; and guards as evaluators."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from harness.agents.function import FunctionAgent
from harness.agents.tool_loop import ToolLoop
from harness.core.decision import Decision, Event, Finding, tool_gate
from harness.core.exchange import Reply
from harness.core.record import Trial
from harness.core.trajectory import Trajectory
from harness.guardrails.guard_evaluator import as_evaluator
from harness.guardrails.guarded_agent import guarded
from harness.guardrails.pipeline import Pipeline
from harness.guardrails.session import HANDED_OVER, REFUSAL, ActionRefused
from harness.guardrails.tool_arguments import ToolArgumentsGuard
from harness.guardrails.tool_guard import guarded_tools, guarded_world
from harness.testing import check_evaluator, make_case, make_trajectory, score

TRIAL = Trial(index=0, seed=1)


class Guard:
    """Stops or redacts by word, and remembers the events."""

    version = "1"

    def __init__(self, *, name: str = "guard", **by_kind: str) -> None:
        self.name = name
        self.by_kind = by_kind
        self.events: list[Event] = []

    def check(self, event: Event) -> Decision:
        self.events.append(event)
        rule = self.by_kind.get(event.kind, "")
        action, _, word = rule.partition(":")
        words = f"{event.data.get('tool', '')} {event.text}"
        if not rule or word not in words:
            return Decision(action="allow", guard=self.name)
        found = (Finding(category=word),)
        text = event.text.replace(word, "[x]") if action == "redact" else None
        return Decision(action=action, guard=self.name, findings=found, text=text)  # type: ignore[arg-type]

    def seen(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]


class Scripted:
    """A model that calls the tools it is told to, then answers."""

    name = "scripted"

    def __init__(self, *calls: tuple[str, dict[str, Any]], answer: str = "done") -> None:
        self.calls, self.answer, self.heard = list(calls), answer, []

    async def complete(self, messages: Any, *, tools: Any = (), **options: Any) -> Reply:
        self.heard = list(messages)
        asked = sum(1 for message in messages if message["role"] == "assistant")
        if asked < len(self.calls):
            name, arguments = self.calls[asked]
            function = {"name": name, "arguments": json.dumps(arguments)}
            message: dict[str, Any] = {"role": "assistant", "content": None}
            message["tool_calls"] = [{"id": f"c{asked}", "type": "function", "function": function}]
        else:
            message = {"role": "assistant", "content": self.answer}
        return Reply(body={"choices": [{"message": message}]})


class Mailbox:
    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, to: str, text: str = "") -> str:
        """Send a mail."""
        self.sent.append(to)
        return f"sent to {to}"

    def read(self, number: int = 1) -> dict[str, Any]:
        """Read a mail."""
        return {"from": "mallory", "text": "please send money"}


def run(agent: Any, case: Any = None) -> Trajectory:
    return asyncio.run(agent.run(case or make_case(), TRIAL))


def loop(
    box: Mailbox, guard: Any, *calls: tuple[str, dict[str, Any]], answer: str = "done"
) -> tuple[ToolLoop, Scripted]:
    model = Scripted(*calls, answer=answer)
    return ToolLoop(name="loop", model=model, tools=guarded_tools([box.send, box.read], guard)), model


def test_a_blocked_input_never_reaches_the_agent_and_the_user_learns_nothing_of_the_guard() -> None:
    called = []
    agent = guarded(FunctionAgent(lambda text: called.append(text) or "hi", name="f"), Guard(input="block:bomb"))
    got = run(agent, make_case(input="build a bomb"))
    assert called == []
    assert got.answer == REFUSAL
    assert "bomb" not in json.dumps(got.messages)
    assert got.metadata["guardrails"]["decisions"][0] == {
        "kind": "input", "action": "block", "guard": "guard", "categories": ["bomb"],
    }  # fmt: skip


def test_a_redacted_input_is_what_the_agent_gets_in_text_chat_and_json() -> None:
    heard: list[Any] = []
    agent = guarded(FunctionAgent(lambda given: heard.append(given) or "hi", name="f"), Guard(input="redact:bob"))
    run(agent, make_case(input="I am bob"))
    run(agent, make_case(input={"who": "bob", "n": 1}))
    run(agent, make_case(input=[{"role": "system", "content": "bob"}, {"role": "user", "content": "bob?"}]))
    assert heard[:2] == ["I am [x]", {"who": "[x]", "n": 1}]
    assert heard[2] == [{"role": "system", "content": "bob"}, {"role": "user", "content": "[x]?"}]


def test_a_blocked_turn_ends_the_conversation_there() -> None:
    def answer(messages: list[Any]) -> str:
        return f"answer {len(messages)}"

    agent = guarded(FunctionAgent(answer), Guard(input="block:bomb"))
    got = run(agent, make_case(input="hello", turns=("a bomb", "never said")))
    assert [m["content"] for m in got.messages] == ["hello", "answer 1", "[withheld]", REFUSAL]


def test_a_blocked_call_is_not_made_and_the_model_is_told_only_that_it_is_not_allowed() -> None:
    box, guard = Mailbox(), Guard(tool_call="block:mallory")
    agent, model = loop(box, guard, ("send", {"to": "mallory"}), ("send", {"to": "alice"}))
    got = run(guarded(agent, guard))
    assert box.sent == ["alice"]
    assert [m["content"] for m in model.heard if m["role"] == "tool"] == [
        '{"error": "this action is not allowed"}',
        "sent to alice",
    ]
    assert got.metadata["guardrails"]["too_late"] == 0
    assert got.answer == "done"


def test_a_model_is_told_what_is_wrong_with_its_arguments_three_times_and_then_only_that_it_may_not() -> None:
    parameters = {"type": "object", "properties": {"to": {"type": "string"}}, "additionalProperties": False}
    schema = {"type": "function", "function": {"name": "send", "parameters": parameters}}
    policy = Pipeline([Pipeline([ToolArgumentsGuard(tools=[schema])], name="inner")])
    wrong, right = ("send", {"to": "a", "copy": "hidden-value"}), ("send", {"to": "a"})
    box = Mailbox()
    agent, model = loop(box, policy, wrong, wrong, right, wrong, wrong, wrong, wrong)
    run(guarded(agent, policy))
    told = [message["content"] for message in model.heard if message["role"] == "tool"]
    assert box.sent == ["a"]
    # The call that passed begins the count anew: two, then three more, then no further explanation.
    assert ["are not accepted" in text for text in told] == [True, True, False, True, True, True, False]
    assert told[-1] == '{"error": "this action is not allowed"}'
    assert "This is the last try" in told[-2]
    assert not any("hidden-value" in text for text in told)


def test_each_call_is_judged_once_by_a_policy_that_stands_on_both_sides() -> None:
    box, guard = Mailbox(), Guard()
    policy = Pipeline([guard])
    agent, _ = loop(box, policy, ("send", {"to": "a"}), ("send", {"to": "a"}), ("read", {}))
    run(guarded(agent, policy))
    assert len(guard.seen("tool_call")) == len(guard.seen("tool_result")) == 3
    assert guard.seen("tool_call")[0].data["request"] == ("Hello",)
    assert guard.seen("tool_call")[0].data["session"] == "case#0"


def test_tools_with_guards_of_their_own_pass_the_session_s_guards_first() -> None:
    box, own, outer = Mailbox(), Guard(name="own"), Guard(name="outer", tool_call="block:evil")
    agent, _ = loop(box, own, ("send", {"to": "evil"}), ("send", {"to": "a"}))
    got = run(guarded(agent, outer))
    assert box.sent == ["a"]
    assert (len(outer.seen("tool_call")), len(own.seen("tool_call"))) == (2, 1)
    assert got.metadata["guardrails"]["too_late"] == 0


def test_a_redacted_call_is_made_with_the_redacted_arguments_and_the_trajectory_says_so() -> None:
    box, guard = Mailbox(), Guard(tool_call="redact:123-45-6789")
    agent, _ = loop(box, guard, ("send", {"to": "a 123-45-6789"}))
    got = run(guarded(agent, guard))
    assert box.sent == ["a [x]"]
    assert "123-45" not in json.dumps(got.messages)


def test_a_result_is_withheld_or_redacted_before_the_model_reads_it() -> None:
    for rule, shown in (("block:money", "was withheld"), ("redact:money", "please send [x]")):
        box, guard = Mailbox(), Guard(tool_result=rule)
        agent, model = loop(box, guard, ("read", {"number": 1}))
        run(guarded(agent, guard))
        text = next(m["content"] for m in model.heard if m["role"] == "tool")
        assert shown in text
        assert "money" not in text


def test_what_a_tool_s_own_error_says_passes_the_guards_too() -> None:
    def leak(x: int) -> str:
        """Fail."""
        raise RuntimeError("password=hunter2")

    (tool,) = guarded_tools([leak], Guard(tool_result="block:hunter2"))
    with pytest.raises(ActionRefused, match="withheld") as caught:
        tool(1)
    assert caught.value.__cause__ is None
    (tool,) = guarded_tools([leak], Guard())
    with pytest.raises(RuntimeError, match="hunter2"):
        tool(x=1)


def test_a_world_made_for_the_trial_has_its_tools_guarded_and_keeps_its_state() -> None:
    class World(Mailbox):
        @property
        def tools(self) -> list[Any]:
            return [self.send, self.read]

        def state(self) -> list[str]:
            return self.sent

        def close(self) -> None:
            self.sent = [*self.sent]

    guard = Guard(tool_call="block:mallory")
    model = Scripted(("send", {"to": "mallory"}), ("send", {"to": "alice"}))
    agent = ToolLoop(name="loop", model=model, world=guarded_world(lambda case, trial: World(), guard))
    assert run(guarded(agent, guard)).state == ["alice"]


def test_calls_that_no_gate_saw_are_judged_late_counted_and_cost_the_answer() -> None:
    acted = make_trajectory("I sent it to mallory", calls=[("send", {"to": "mallory"}), ("read", {})])

    async def closed(case: Any) -> Trajectory:
        return acted

    got = run(guarded(FunctionAgent(closed), Guard(tool_call="block:mallory")))
    report = got.metadata["guardrails"]
    assert report["too_late"] == 1
    assert [one["action"] for one in report["decisions"] if one.get("late")] == ["block", "allow", "allow", "allow"]
    assert got.answer == REFUSAL


def test_a_second_identical_call_around_the_gate_is_still_noticed() -> None:
    box = Mailbox()
    guard = Guard(tool_call="block:never")
    (send,) = guarded_tools([box.send], policy := Pipeline([guard]))

    async def sly(case: Any) -> Trajectory:
        await send(to="a")
        await box.send(to="a")
        return make_trajectory(calls=[("send", {"to": "a"}), ("send", {"to": "a"})])

    run(guarded(FunctionAgent(sly), policy))
    assert [bool(event.data.get("late")) for event in guard.seen("tool_call")] == [False, True]


def test_a_tool_that_calls_another_tool_does_not_take_it_past_the_guards() -> None:
    box = Mailbox()
    policy = Pipeline([Guard(tool_call="block:mallory")])
    send = guarded_tools([box.send], policy)[0]

    async def forward(number: int) -> str:
        """Forward a mail."""
        return str(await send(to="mallory"))

    (outer,) = guarded_tools([forward], policy)
    with pytest.raises(ActionRefused):
        asyncio.run(outer(number=1))
    assert box.sent == []


def test_a_loop_that_asks_the_gate_is_guarded_without_wrapping_its_tools() -> None:
    made: list[str] = []

    async def agent(case: Any) -> Trajectory:
        async def make(arguments: str) -> str:
            made.append(arguments)
            return "secret result"

        gate = tool_gate()
        assert gate is not None
        told = [await gate.answer("send", text, make) for text in ('{"to": "a"}', '{"to": "mallory"}', "not json")]
        calls = [("send", {"to": "a"}, told[0]), ("send", {"to": "mallory"}, told[1]), ("send", "not json", told[2])]
        return make_trajectory(calls=calls)

    guard = Guard(tool_call="block:mallory", tool_result="redact:secret")
    got = run(guarded(FunctionAgent(agent), guard))
    assert made == ['{"to": "a"}', "not json"]
    assert [call.result for call in got.tool_calls] == [
        "[x] result",
        '{"error": "this action is not allowed"}',
        "[x] result",
    ]
    assert got.metadata["guardrails"]["too_late"] == 0
    assert tool_gate() is None


def test_outputs_of_every_turn_are_judged_and_an_escalation_hands_over() -> None:
    def answer(messages: list[Any]) -> str:
        return "the key is sk-1" if len(messages) == 1 else "bye"

    case = make_case(turns=("more",))
    assert [m["content"] for m in run(guarded(FunctionAgent(answer), Guard(output="redact:sk-1")), case).messages][
        1
    ] == "the key is [x]"
    assert [m["content"] for m in run(guarded(FunctionAgent(answer), Guard(output="block:sk-1")), case).messages][
        1
    ] == REFUSAL
    got = run(guarded(FunctionAgent(answer), Guard(output="escalate:sk-1")), case)
    assert [m["content"] for m in got.messages if m["role"] == "assistant"] == [HANDED_OVER, HANDED_OVER]
    assert got.metadata["guardrails"]["escalated"] is True


def test_the_agent_s_own_failure_passes_through_and_a_context_manager_is_entered() -> None:
    class Agent:
        name = "a"
        entered = left = False

        async def __aenter__(self) -> Agent:
            self.entered = True
            return self

        async def __aexit__(self, *raised: object) -> None:
            self.left = True

        async def run(self, case: Any, trial: Any) -> Trajectory:
            raise RuntimeError("agent down")

    inner = Agent()

    async def play() -> None:
        async with guarded(inner, Guard()) as agent:
            await agent.run(make_case(), TRIAL)

    with pytest.raises(RuntimeError, match="agent down"):
        asyncio.run(play())
    assert inner.entered
    assert inner.left
    assert tool_gate() is None


def test_who_asks_is_what_the_application_says_and_cannot_be_overwritten_by_a_tool_call() -> None:
    guard = Guard()
    run(
        guarded(
            FunctionAgent(lambda text: "ok", name="f"), guard, who=lambda case, trial: {"user": "u1", "tenant": "t"}
        )
    )
    assert {(event.data["user"], event.data["tenant"]) for event in guard.events} == {("u1", "t")}


def test_a_guard_is_an_evaluator_that_keeps_the_contract() -> None:
    guard = Guard(tool_call="block:mallory", output="redact:sk-1")
    evaluator = as_evaluator(guard)
    check_evaluator(evaluator)
    assert score(evaluator, make_trajectory("fine")).passed is True
    got = score(evaluator, make_trajectory("key sk-1", calls=[("send", {"to": "mallory"})]))
    assert (got.value, got.passed, got.evidence["counts"]) == (0.0, False, {"block": 1, "redact": 1})
    assert score(as_evaluator(guard, redact_is_clean=True), make_trajectory("key sk-1")).passed is True


def test_a_guard_that_breaks_has_not_judged_the_run() -> None:
    class Down:
        name = "down"

        def check(self, event: Event) -> Decision:
            raise OSError("down")

    got = score(as_evaluator(Down()), make_trajectory("fine"))
    assert (got.value, got.error_kind) == (None, "harness")
    assert "crash: OSError" in got.reason

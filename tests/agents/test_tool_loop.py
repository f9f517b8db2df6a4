from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from harness.agents.openai_compatible import OpenAICompatible
from harness.agents.tool_loop import ToolLoop
from harness.core.case import Case
from harness.core.errors import ToolBroken, UsageError
from harness.core.exchange import CURRENT, TrialContext
from harness.core.record import Trial
from harness.core.trajectory import Trajectory

CASE = Case(id="c", input="go")
TRIAL = Trial.of("c", 0)


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def play(
    fakes: Any, *replies: Any, case: Case = CASE, trial: Trial = TRIAL, **settings: Any
) -> tuple[Trajectory, list[Any]]:
    """One trial of a loop over a real server that gives ``replies``; also the requests the server saw."""

    async def main() -> tuple[Trajectory, list[Any]]:
        async with fakes.serve(*replies) as server:
            model = OpenAICompatible(base_url=server.url, model="m")
            async with ToolLoop(name="loop", model=model, **settings) as agent:
                return await agent.run(case, trial), server.bodies

    return asyncio.run(main())


class Ledger:
    """A world with a real database."""

    closed = 0

    def __init__(self, case: Case, trial: Trial) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.execute("create table paid (who text, amount int)")
        self.tools: Sequence[Any] = [self.pay]

    def pay(self, who: str, amount: int) -> dict[str, Any]:
        """Pay somebody."""
        self.db.execute("insert into paid values (?, ?)", (who, amount))
        return {"paid": amount}

    def state(self) -> Any:
        return {"paid": self.db.execute("select who, amount from paid").fetchall()}

    def close(self) -> None:
        self.db.close()
        type(self).closed += 1


def test_tools_are_run_and_their_results_answered(fakes: Any) -> None:
    calls = fakes.completion(None, tool_calls=[fakes.tool_call("add", {"a": 1})])
    happened, bodies = play(fakes, calls, fakes.completion("3"), tools=[add], system="Be exact.")
    assert happened.answer == "3"
    assert happened.error is None
    assert [(c.name, c.arguments, c.result) for c in happened.tool_calls] == [("add", {"a": 1}, "3")]
    assert [m["role"] for m in happened.messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert bodies[1]["messages"][-1] == {"role": "tool", "tool_call_id": "call_1", "content": "3"}
    assert bodies[0]["tools"][0]["function"]["name"] == "add"


def test_the_world_is_made_shown_and_closed_for_each_trial(fakes: Any) -> None:
    Ledger.closed = 0
    calls = fakes.completion(None, tool_calls=[fakes.tool_call("pay", {"who": "Ann", "amount": 5})])
    happened, _ = play(fakes, calls, fakes.completion("done"), world=Ledger, tools=[add])
    assert happened.state == {"paid": [("Ann", 5)]}
    assert Ledger.closed == 1


def test_an_asynchronous_world_works_as_well(fakes: Any) -> None:
    class Async:
        tools = (add,)

        async def state(self) -> Any:
            return {"open": True}

        async def close(self) -> None:
            seen.append("closed")

    async def world(case: Case, trial: Trial) -> Async:
        return Async()

    seen: list[str] = []
    happened, _ = play(fakes, fakes.completion("x"), world=world)
    assert (happened.state, seen) == ({"open": True}, ["closed"])


def test_scripted_turns_follow_each_answer(fakes: Any) -> None:
    case = Case(id="c", input="one", turns=("two", "three"))
    happened, _ = play(fakes, fakes.completion("1"), fakes.completion("2"), fakes.completion("3"), case=case)
    assert [m["content"] for m in happened.messages] == ["one", "1", "two", "2", "three", "3"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], ["a", "b"]),
        ({"role": "user", "content": "a"}, ["a"]),
        ({"b": 1, "a": [2]}, ['{"a":[2],"b":1}']),
        ([], ["[]"]),
        (7, ["7"]),
    ],
)
def test_any_input_becomes_messages(fakes: Any, given: Any, expected: list[str]) -> None:
    _, bodies = play(fakes, fakes.completion("x"), case=Case(id="c", input=given))
    assert [m["content"] for m in bodies[0]["messages"]] == expected


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("subtract", {}, "no tool 'subtract'; tools that exist: add"),
        ("", {}, "no tool ''; tools that exist: add"),
        ("add", "{oops", "not JSON"),
        ("add", "[1]", "not an object; tools that exist: add"),
        ("add", {"z": 1}, "add takes a, b: unknown 'z'; missing 'a'"),
        ("add", {"a": "x"}, "TypeError"),
    ],
)
def test_a_call_that_cannot_be_run_is_answered_with_an_error(fakes: Any, name: str, arguments: Any, words: str) -> None:
    calls = fakes.completion(None, tool_calls=[fakes.tool_call(name, arguments)])
    happened, _ = play(fakes, calls, fakes.completion("sorry"), tools=[add])
    assert happened.answer == "sorry"
    assert happened.error is None
    [call] = happened.tool_calls
    assert call.error is not None
    assert words in call.error


def test_arguments_nested_beyond_all_reason_are_answered_with_an_error(fakes: Any) -> None:
    calls = fakes.completion(None, tool_calls=[fakes.tool_call("add", "[" * 100_000)])
    happened, _ = play(fakes, calls, fakes.completion("sorry"), tools=[add])
    assert happened.answer == "sorry"
    assert "not JSON" in happened.messages[2]["content"]


def test_empty_arguments_are_an_empty_object(fakes: Any) -> None:
    def now() -> str:
        return "noon"

    calls = fakes.completion(None, tool_calls=[fakes.tool_call("now", "")])
    happened, _ = play(fakes, calls, fakes.completion("x"), tools=[now])
    assert happened.tool_calls[0].result == "noon"


def test_calls_that_share_an_id_are_told_apart(fakes: Any) -> None:
    first = [fakes.tool_call("add", {"a": 1}, "call_0"), fakes.tool_call("add", {"a": 2}, "call_0")]
    again = [fakes.tool_call("add", {"a": 3}, "call_0"), fakes.tool_call("add", {"a": 4}, None)]
    happened, bodies = play(
        fakes,
        fakes.completion(None, tool_calls=first),
        fakes.completion(None, tool_calls=again),
        fakes.completion("x"),
        tools=[add],
    )
    assert [c.result for c in happened.tool_calls] == ["3", "4", "5", "6"]
    assert len({c.id for c in happened.tool_calls}) == 4
    sent = bodies[-1]["messages"]
    asked = [c["id"] for m in sent for c in m.get("tool_calls", ())]
    assert asked == [m["tool_call_id"] for m in sent if m["role"] == "tool"]


def test_arguments_given_as_an_object_are_sent_back_as_text(fakes: Any) -> None:
    call = {"id": "a", "function": {"name": "add", "arguments": {"a": 1}}}
    happened, bodies = play(fakes, fakes.completion(None, tool_calls=[call]), fakes.completion("x"), tools=[add])
    assert happened.tool_calls[0].result == "3"
    assert bodies[1]["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"a": 1}'


def test_the_step_limit_is_the_agents_failure_and_keeps_the_messages(fakes: Any) -> None:
    calls = fakes.completion(None, tool_calls=[fakes.tool_call("add", {"a": 1})])
    happened, bodies = play(fakes, calls, tools=[add], max_steps=3)
    assert happened.error is not None
    assert (happened.error.kind, happened.error.reason) == ("agent", "step_limit")
    assert happened.steps == 3
    assert len(bodies) == 3


def test_an_answer_in_the_last_step_is_no_step_limit(fakes: Any) -> None:
    calls = fakes.completion(None, tool_calls=[fakes.tool_call("add", {"a": 1})])
    happened, _ = play(fakes, calls, fakes.completion("x"), tools=[add], max_steps=2)
    assert happened.error is None


def test_a_provider_that_breaks_in_the_middle_leaves_the_messages_so_far(fakes: Any) -> None:
    calls = fakes.completion(None, tool_calls=[fakes.tool_call("add", {"a": 1})])
    happened, _ = play(fakes, calls, {"error": {"message": "overloaded"}}, tools=[add])
    assert happened.error is not None
    assert (happened.error.kind, happened.error.reason) == ("provider", "server_error")
    assert [m["role"] for m in happened.messages] == ["user", "assistant", "tool"]
    assert len(happened.model_calls) == 1


def test_a_tool_that_breaks_for_good_ends_the_trial_and_closes_the_world(fakes: Any) -> None:
    def broken() -> None:
        raise ToolBroken("the database is gone")

    Ledger.closed = 0
    calls = fakes.completion(None, tool_calls=[fakes.tool_call("broken", {})])
    happened, bodies = play(fakes, calls, tools=[broken], world=Ledger)
    assert happened.error is not None
    assert (happened.error.kind, happened.error.message) == ("tool", "the database is gone")
    assert (len(bodies), Ledger.closed) == (1, 1)


@pytest.mark.parametrize("method", ["__init__", "state", "close"])
def test_a_world_that_breaks_is_a_failure_of_the_kind_tool(fakes: Any, method: str) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no disk")

    world = type("Broken", (Ledger,), {method: fail})
    happened, _ = play(fakes, fakes.completion("answer"), world=world)
    assert happened.error is not None
    assert happened.error.kind == "tool"
    assert "no disk" in happened.error.message
    assert happened.messages[0]["content"] == "go"


def test_tools_of_the_case_are_recorded_and_not_run(fakes: Any) -> None:
    schema = {"type": "function", "function": {"name": "book", "parameters": {"type": "object"}}}
    calls = fakes.completion(None, tool_calls=[fakes.tool_call("book", {"x": 1}), fakes.tool_call("book", {"x": 2})])
    happened, bodies = play(fakes, calls, case=Case(id="c", input="go", tools=(schema,)))
    assert [(c.arguments, c.result) for c in happened.tool_calls] == [({"x": 1}, None), ({"x": 2}, None)]
    assert (happened.error, len(bodies)) == (None, 1)
    assert bodies[0]["tools"] == [schema]


def test_outside_a_run_the_loop_keeps_the_accounts_itself(fakes: Any) -> None:
    happened, _ = play(fakes, fakes.completion("x"))
    [call] = happened.model_calls
    assert (call.model, call.usage.input_tokens, call.cost_usd) == ("m", 7, None)
    assert call.provider.startswith("127.0.0.1:")
    assert happened.cost_usd is None


def test_inside_a_run_the_gateway_keeps_the_accounts(fakes: Any) -> None:
    token = CURRENT.set(TrialContext(case=CASE, trial=TRIAL))
    try:
        happened, _ = play(fakes, fakes.completion("x"))
    finally:
        CURRENT.reset(token)
    assert happened.model_calls == ()


def test_outside_a_run_the_loop_keeps_the_deadline_and_the_messages(fakes: Any) -> None:
    async def wait() -> None:
        await asyncio.sleep(30)

    Ledger.closed = 0
    calls = fakes.completion(None, tool_calls=[fakes.tool_call("wait", {})])
    trial = Trial(index=0, seed=1, deadline_s=0.3)
    happened, _ = play(fakes, calls, tools=[wait], world=Ledger, trial=trial)
    assert happened.error is not None
    assert happened.error.kind == "timeout"
    assert happened.tool_calls[0].name == "wait"
    assert Ledger.closed == 1


def test_a_tools_own_timeout_is_not_taken_for_the_deadline(fakes: Any) -> None:
    def fetch() -> None:
        raise TimeoutError("the site is slow")

    calls = fakes.completion(None, tool_calls=[fakes.tool_call("fetch", {})])
    trial = Trial(index=0, seed=1, deadline_s=60)
    happened, _ = play(fakes, calls, fakes.completion("x"), tools=[fetch], trial=trial)
    assert (happened.error, happened.tool_calls[0].error) == (None, "TimeoutError: the site is slow")


def test_a_cancellation_passes_closes_the_world_and_leaves_the_messages_in_the_notes(fakes: Any) -> None:
    async def wait() -> None:
        started.set()
        await asyncio.sleep(30)

    async def main() -> None:
        nonlocal started
        started = asyncio.Event()
        calls = fakes.completion(None, tool_calls=[fakes.tool_call("wait", {})])
        async with fakes.serve(calls) as server:
            CURRENT.set(context)
            model = OpenAICompatible(base_url=server.url, model="m")
            task = asyncio.create_task(ToolLoop(name="l", model=model, tools=[wait], world=Ledger).run(CASE, TRIAL))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    started: asyncio.Event
    Ledger.closed = 0
    context = TrialContext(case=CASE, trial=TRIAL)
    asyncio.run(main())
    assert Ledger.closed == 1
    assert [m["role"] for m in context.notes["partial_messages"]] == ["user", "assistant"]


def test_reasoning_is_kept_but_not_sent_back_unless_asked(fakes: Any) -> None:
    thinking = fakes.completion("1", reasoning_content="hm", annotations=[], audio=None)
    case = Case(id="c", input="one", turns=("two",))
    happened, bodies = play(fakes, thinking, fakes.completion("2"), case=case)
    assert happened.messages[1] == {"role": "assistant", "content": "1", "reasoning_content": "hm"}
    assert bodies[1]["messages"][1] == {"role": "assistant", "content": "1"}
    _, bodies = play(fakes, thinking, fakes.completion("2"), case=case, echo_thinking=True)
    assert bodies[1]["messages"][1]["reasoning_content"] == "hm"


def test_the_trials_seed_is_sent_when_asked(fakes: Any) -> None:
    _, bodies = play(fakes, fakes.completion("x"), send_seed=True)
    assert bodies[0]["seed"] == TRIAL.seed
    _, bodies = play(fakes, fakes.completion("x"))
    assert "seed" not in bodies[0]


def test_many_trials_of_one_loop_do_not_meet(fakes: Any) -> None:
    async def main() -> list[Trajectory]:
        from aiohttp import web

        async def answer(request: web.Request) -> web.Response:
            messages = (await request.json())["messages"]
            if messages[-1]["role"] == "tool":
                return web.json_response(fakes.completion(messages[-1]["content"]))
            await asyncio.sleep(0.001)
            pay = fakes.tool_call("pay", {"who": messages[-1]["content"], "amount": 1})
            return web.json_response(fakes.completion(None, tool_calls=[pay]))

        async with fakes.serve(handler=answer) as server:
            agent = ToolLoop(name="l", model=OpenAICompatible(base_url=server.url, model="m"), world=Ledger)
            cases = [Case(id=f"c{i}", input=f"user {i}") for i in range(40)]
            return await asyncio.gather(*[agent.run(case, Trial.of(case.id, 0)) for case in cases])

    for number, happened in enumerate(asyncio.run(main())):
        assert happened.state == {"paid": [(f"user {number}", 1)]}


def test_calls_of_any_shape_are_answered_or_left_out(fakes: Any) -> None:
    odd = fakes.completion(None, tool_calls=[None, "x", {}, {"function": 3}, {"id": 7, "function": {"name": ["add"]}}])
    happened, bodies = play(fakes, odd, fakes.completion("x"), tools=[add])
    assert happened.error is None
    assert [(c.name, c.error) for c in happened.tool_calls] == [("", "there is no tool ''; tools that exist: add")] * 3
    assert all(isinstance(c["id"], str) for c in bodies[1]["messages"][1]["tool_calls"])


def test_a_runaway_message_of_calls_is_the_agents_failure(fakes: Any) -> None:
    happened, bodies = play(
        fakes, fakes.completion(None, tool_calls=[fakes.tool_call("add", {})] * 20_000), tools=[add]
    )
    assert happened.error is not None
    assert "20000 tools in one message" in happened.error.message
    assert (happened.error.kind, len(bodies), len(happened.tool_calls)) == ("agent", 1, 20_000)


def test_a_wrong_set_up_is_not_held_against_the_agent() -> None:
    model = OpenAICompatible(base_url="http://127.0.0.1:1", model="m", options={"temperature": object()})
    happened = asyncio.run(ToolLoop(name="l", model=model).run(CASE, TRIAL))
    assert happened.error is not None
    assert (happened.error.kind, happened.error.type) == ("harness", "UsageError")


def test_a_limit_below_one_step_is_refused() -> None:
    with pytest.raises(UsageError, match="max_steps"):
        ToolLoop(name="l", model=OpenAICompatible(base_url="http://h", model="m"), max_steps=0)

from __future__ import annotations

import asyncio
import functools
import threading
from decimal import Decimal
from typing import Any

import pytest

from harness.agents.function import FunctionAgent
from harness.core.case import Case
from harness.core.errors import AgentBroken, UsageError
from harness.core.exchange import CURRENT, TrialContext
from harness.core.record import Trial
from harness.core.trajectory import ModelCall, Trajectory

CASE = Case(id="c", input="hi")
TRIAL = Trial.of("c", 0)


def run(fn: Any, case: Case = CASE, **settings: Any) -> Trajectory:
    return asyncio.run(FunctionAgent(fn, **settings).run(case, TRIAL))


def test_a_sync_function_is_given_the_input_in_a_thread() -> None:
    def agent(prompt: str) -> str:
        return f"{prompt} {threading.current_thread() is threading.main_thread()}"

    happened = run(agent)
    assert happened.answer == "hi False"
    assert happened.messages[0] == {"role": "user", "content": "hi"}
    assert happened.latency_s is not None


def test_a_coroutine_function_is_awaited_on_the_loop() -> None:
    async def agent(prompt: str) -> str:
        await asyncio.sleep(0)
        return f"{prompt} {threading.current_thread() is threading.main_thread()}"

    assert run(agent).answer == "hi True"


def test_objects_partials_and_functions_that_return_awaitables_work() -> None:
    class Callable:
        async def __call__(self, text: str) -> str:
            return text + "!"

    async def slow(extra: str, text: str) -> str:
        return extra + text

    assert run(Callable()).answer == "hi!"
    assert run(functools.partial(slow, "x")).answer == "xhi"
    assert run(lambda text: slow("y", text)).answer == "yhi"
    assert run(str.upper).answer == "HI"


def test_parameters_are_given_by_name() -> None:
    def by_name(*, trial: Trial, case: Case) -> str:
        return f"{case.id} {trial.index}"

    def mixed(case: Case, question: str, retries: int = 3) -> str:
        return f"{case.id} {question} {retries}"

    assert run(by_name).answer == "c 0"
    assert run(mixed).answer == "c hi 3"
    assert run(mixed, options={"retries": 5}).answer == "c hi 5"


def test_messages_are_given_once_per_turn_as_a_list_of_its_own() -> None:
    def agent(messages: list[dict[str, Any]]) -> str:
        answer = f"{len(messages)}:{messages[-1]['content']}"
        messages.clear()
        return answer

    happened = run(agent, Case(id="c", input="a", turns=("b", "c")))
    assert [m["content"] for m in happened.messages] == ["a", "1:a", "b", "3:b", "c", "5:c"]


def test_a_whole_history_that_comes_back_is_not_doubled() -> None:
    def agent(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [*messages, {"role": "assistant", "content": "ok"}]

    assert len(run(agent, Case(id="c", input="a", turns=("b",))).messages) == 4


def test_turns_without_messages_tell_how_to_take_them() -> None:
    def agent(prompt: str) -> str:
        return prompt

    with pytest.raises(AgentBroken, match=r"def agent\(messages\)"):
        run(agent, Case(id="c", input="a", turns=("b",)))


def test_a_function_that_takes_the_case_plays_the_turns_itself() -> None:
    def agent(case: Case) -> list[dict[str, Any]]:
        return [{"role": "assistant", "content": turn} for turn in case.turns]

    assert [m["content"] for m in run(agent, Case(id="c", input="a", turns=("b", "c"))).messages] == ["a", "b", "c"]


def test_a_trajectory_comes_back_as_it_is() -> None:
    made = Trajectory.from_answer("x", metadata={"own": 1})
    assert run(lambda case: made) is made


def test_reported_usage_and_cost_are_kept_and_summed_over_turns() -> None:
    def agent(messages: Any) -> dict[str, Any]:
        return {"answer": "x", "usage": {"input_tokens": 3, "output_tokens": 1}, "cost_usd": "0.01", "model": "own"}

    happened = run(agent, Case(id="c", input="a", turns=("b",)))
    assert (happened.usage.input_tokens, happened.cost_usd) == (6, Decimal("0.02"))
    assert happened.model_calls[0].model == "own"


def test_what_the_gateway_saw_is_not_counted_again() -> None:
    def agent(prompt: str) -> dict[str, Any]:
        context = CURRENT.get()
        assert context is not None
        context.calls.append(ModelCall(model="seen"))
        return {"answer": "x", "usage": {"input_tokens": 3}}

    async def main() -> Trajectory:
        CURRENT.set(TrialContext(case=CASE, trial=TRIAL))
        return await FunctionAgent(agent).run(CASE, TRIAL)

    assert asyncio.run(main()).model_calls == ()


def test_an_exception_of_the_first_turn_is_raised_as_it_is() -> None:
    def agent(prompt: str) -> str:
        raise KeyError("oops")

    with pytest.raises(KeyError, match="oops"):
        run(agent)


def test_an_exception_of_a_later_turn_keeps_the_turns_before() -> None:
    def agent(messages: list[Any]) -> str:
        if len(messages) > 1:
            raise RuntimeError("second")
        return "first"

    happened = run(agent, Case(id="c", input="a", turns=("b",)))
    assert happened.error is not None
    assert (happened.error.kind, happened.error.message) == ("agent", "second")
    assert [m["content"] for m in happened.messages] == ["a", "first", "b"]


def test_an_unreadable_return_is_named() -> None:
    with pytest.raises(AgentBroken, match="agent returned None"):
        run(lambda prompt: None, name="agent")


def test_surrogates_and_huge_answers_survive() -> None:
    huge = "\ud800" + "x" * 3_000_000
    assert run(lambda prompt: huge).answer == huge


@pytest.mark.parametrize(
    ("fn", "words"),
    [
        (lambda: "x", "takes nothing"),
        (lambda a, b: "x", "needs 'a', 'b'"),
        (lambda *, model: "x", None),
        (42, "something to call"),
    ],
)
def test_a_function_that_cannot_be_called_is_refused_at_once(fn: Any, words: str | None) -> None:
    if words is None:
        assert run(fn).answer == "x"
        return
    with pytest.raises(UsageError, match=words):
        FunctionAgent(fn)


def test_an_option_that_the_function_does_not_take_is_refused() -> None:
    with pytest.raises(UsageError, match="takes no option 'heat'; it takes prompt"):
        FunctionAgent(lambda prompt: prompt, options={"heat": 1}, name="a")

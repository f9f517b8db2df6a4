"""For authors: make cases and trajectories in one line, check that an evaluator keeps its contract, drive a clock.

Imports nothing heavy; every function may be used from any test, under pytest or not.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import threading
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

from harness.core.case import Case, Expectation
from harness.core.errors import ERROR_KINDS, Failure, UsageError
from harness.core.score import Score
from harness.core.trajectory import Message, Trajectory

__all__ = ["FakeClock", "check_evaluator", "make_case", "make_trajectory", "score"]

_EXPECTED = frozenset(Expectation.__dataclass_fields__)


def make_case(**fields: Any) -> Case:
    """A case for a test: fields of :class:`Case`, and fields of :class:`Expectation` beside them.

    ``make_case(contains=["refund"])`` has id "case", input "Hello" and ``Expectation(contains=("refund",))``.
    """
    own = {name: fields.pop(name) for name in list(fields) if name in Case.__dataclass_fields__}
    expected = {name: fields.pop(name) for name in list(fields) if name in _EXPECTED}
    if fields:
        raise UsageError(
            f"a case has no field {next(iter(fields))!r}; it has {', '.join(Case.__dataclass_fields__)}, "
            f"and its expectation {', '.join(sorted(_EXPECTED))}"
        )
    if expected:
        if "expected" in own:
            raise UsageError("give either expected= or its fields, not both")
        calls = expected.get("tool_calls")
        if calls is not None:
            plain = [call if isinstance(call, Mapping) else dict(vars(call)) for call in calls]
            expected["tool_calls"] = plain
        own["expected"] = Expectation.from_json(expected)
    return Case(**{"id": "case", "input": "Hello", **own})


def make_trajectory(
    answer: str | None = "Done.",
    *,
    calls: Sequence[tuple[str, Any] | tuple[str, Any, str]] = (),
    user: str = "Hello",
    messages: Sequence[Message] | None = None,
    **fields: Any,
) -> Trajectory:
    """A trajectory for a test: the user's message, one step per tool call, then the answer.

    :param answer: the final answer; None: the run ends without one.
    :param calls: (tool, arguments) or (tool, arguments, result); arguments are a mapping or the raw text. A result that
        begins with "Error" is a tool error. Without a result the call gets ``"ok"``.
    :param messages: the whole conversation instead.
    :param fields: other fields of :class:`Trajectory`.
    """
    if messages is None:
        made: list[Message] = [{"role": "user", "content": user}]
        for index, call in enumerate(calls):
            given = call[1] if isinstance(call[1], str) else json.dumps(call[1])
            function = {"name": call[0], "arguments": given}
            entry = {"id": f"call-{index}", "type": "function", "function": function}
            made.append({"role": "assistant", "content": None, "tool_calls": [entry]})
            result = call[2] if len(call) > 2 else "ok"
            made.append({"role": "tool", "tool_call_id": f"call-{index}", "name": call[0], "content": result})
        if answer is not None:
            made.append({"role": "assistant", "content": answer})
        messages = made
    return Trajectory(messages=tuple(messages), **fields)


def score(evaluator: Any, trajectory: Trajectory, case: Case | None = None) -> Score:
    """The score of any evaluator, awaited where it is a coroutine (also while another event loop is running)."""
    result = evaluator.evaluate(trajectory, case if case is not None else make_case())
    if not inspect.isawaitable(result):
        return cast("Score", result)
    pending: Awaitable[Score] = result
    box: list[Score | BaseException] = []

    async def wait() -> Score:
        return await pending

    def run() -> None:
        try:
            box.append(asyncio.run(wait()))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
            box.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]


def check_evaluator(evaluator: Any, *, case: Case | None = None, trajectory: Trajectory | None = None) -> None:
    """Assert that ``evaluator`` keeps the contract of :class:`harness.core.contracts.Evaluator`.

    - It has a ``name``, and every score carries it.
    - It returns a Score, for an ordinary run and for hostile ones (huge, malformed, control characters), and raises
      for none of them.
    - A run that never started is *not measured*: never 0, never 1, never an exception.
    - The same input gives the same score, and the inputs are left as they were.

    :param case: a case that expects something of it; default: one that expects something of every shipped evaluator.
    :param trajectory: an ordinary run; default: a short one with a tool call.
    :raises AssertionError: naming the promise that was broken.
    """
    name = getattr(evaluator, "name", None)
    label = type(evaluator).__name__
    assert isinstance(name, str), f"{label}.name must be a text, got {name!r}"
    assert name, f"{label}.name must be a non-empty text, got {name!r}"
    cases = [case] if case is not None else [_demanding_case(), make_case()]
    ordinary = trajectory if trajectory is not None else make_trajectory(calls=[("search", {"q": "x"})], latency_s=1.0)
    for one in cases:
        for what, run in {"an ordinary run": ordinary, **_hostile()}.items():
            _check_once(evaluator, name, run, one, f"{label} on {what}")
        for what, run in _never_ran().items():
            got = _check_once(evaluator, name, run, one, f"{label} on {what}")
            assert not got.measured, (
                f"{label} on {what} must be not measured, got {got.value!r}: {got.reason}. "
                f"Return Score.not_measured({name!r}, why) when the trajectory has an error or no messages"
            )
            assert got.passed is None, f"{label} on {what}: a score that is not measured has passed=None"


def _check_once(evaluator: Any, name: str, run: Trajectory, case: Case, label: str) -> Score:
    before = (copy.deepcopy(run), copy.deepcopy(case))
    try:
        got = score(evaluator, run, case)
        again = score(evaluator, run, case)
    except Exception as error:
        raise AssertionError(f"{label} raised {type(error).__name__}: {str(error)[:300]}") from error
    assert isinstance(got, Score), f"{label} must return a Score, got {type(got).__name__}"
    assert got.name == name, f"{label}: the score is named {got.name!r}, the evaluator {name!r}"
    assert got == again, f"{label}: the same input gave two scores: {got} and {again}"
    assert (run, case) == before, f"{label}: the trajectory or the case was changed"
    assert got.error_kind is None or got.error_kind in ERROR_KINDS, f"{label}: unknown kind {got.error_kind!r}"
    assert len(got.reason) < 20_000, f"{label}: the reason has {len(got.reason):,} characters; bound what agents wrote"
    return got


def _never_ran() -> dict[str, Trajectory]:
    broke = Failure(kind="provider", message="connection refused", type="ProviderBroken", reason="connection")
    late = Failure(kind="timeout", message="the deadline of 0.01 s passed", type="TrialTimeout")
    return {
        "a run that never started (provider)": Trajectory(error=broke),
        "a run that never started (timeout)": Trajectory(error=late),
        "a run without messages": Trajectory(),
    }


def _hostile() -> dict[str, Trajectory]:
    odd = {"role": "assistant", "content": None, "tool_calls": [None, {"function": None}, {"id": 3, "name": "x"}]}
    return {
        "a huge answer": make_trajectory("A1 " * 100_000),
        "control characters": make_trajectory("\x00\x1b[31m<script>\u202e\ud800", calls=[("\x00", "{not json")]),
        "arguments that are not an object": make_trajectory(None, calls=[("search", "[1, 2]"), ("search", "NaN")]),
        "malformed tool calls": make_trajectory(messages=[{"role": "user", "content": "?"}, odd, {"role": "tool"}]),
        "many calls": make_trajectory(calls=[("search", {"q": "x"}, "Error: no")] * 200),
    }


def _demanding_case() -> Case:
    return make_case(
        answer="Done.",
        contains=["done"],
        not_contains=["secret"],
        pattern="D.ne",
        json_schema={"type": "object"},
        number=3,
        tool_calls=[{"name": "search", "accepted": {"q": ["x", ""]}}, {"name": "other", "arguments": {"a": 1}}],
        forbidden_tools=["delete"],
        state={"a": 1},
        max_steps=3,
        max_cost_usd=1.0,
        max_latency_s=10.0,
    )


class FakeClock:
    """A clock that moves only when told: see :class:`harness.core.clock.Clock`.

    ``advance`` moves both readings; ``jump_wall`` moves only the wall clock, as a time server or a suspended laptop
    does.
    """

    def __init__(self, *, wall_s: float = 1_767_225_600.0) -> None:
        self._monotonic = 0.0
        self._wall = wall_s

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._monotonic

    def wall(self) -> float:
        """Seconds since the epoch; starts at 2026-01-01T00:00:00Z."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass; refuses to run backwards."""
        if seconds < 0:
            raise UsageError(f"time does not run backwards: advance({seconds!r}); use jump_wall for a clock that jumps")
        self._monotonic += seconds
        self._wall += seconds

    def jump_wall(self, seconds: float) -> None:
        """Set the wall clock forwards or backwards without time passing."""
        self._wall += seconds

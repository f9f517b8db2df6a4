"""For authors: make cases and trajectories in one line, check that an evaluator, a guard or a reward keeps its
contract, drive a clock.

Imports nothing heavy; every function may be used from any test, under pytest or not.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import math
import threading
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

from harness.core.case import Case, Expectation
from harness.core.decision import ACTIONS, EVENT_KINDS, Decision, Event
from harness.core.errors import ERROR_KINDS, Failure, UsageError
from harness.core.score import Score
from harness.core.trajectory import Message, Trajectory

__all__ = [
    "FakeClock",
    "check_evaluator",
    "check_guardrail",
    "check_reward",
    "decide",
    "make_case",
    "make_trajectory",
    "score",
]

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


def decide(guard: Any, event: Event) -> Decision:
    """The decision of any guard, awaited where it is a coroutine (also while another event loop is running)."""
    return cast("Decision", _awaited(guard.check(event)))


def score(evaluator: Any, trajectory: Trajectory, case: Case | None = None) -> Score:
    """The score of any evaluator, awaited where it is a coroutine (also while another event loop is running)."""
    result = evaluator.evaluate(trajectory, case if case is not None else make_case())
    return cast("Score", _awaited(result))


def _awaited(result: Any) -> Any:
    """A result, awaited in a thread of its own where it is a coroutine."""
    if not inspect.isawaitable(result):
        return result
    pending: Awaitable[Any] = result
    box: list[Any] = []

    async def wait() -> Any:
        return await pending

    def run() -> None:
        try:
            box.append((asyncio.run(wait()), None))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
            box.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, raised = box[0]
    if raised is not None:
        raise raised
    return value


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


def check_guardrail(
    guard: Any, *, attacks: Sequence[Event | str] = (), benign: Sequence[Event | str] = (), threads: int = 8
) -> None:
    """Assert that ``guard`` keeps the contract of :class:`harness.core.contracts.Guardrail`.

    - It has a ``name``, and every decision carries it.
    - It answers every kind of event with a sound Decision, hostile ones too (huge, malformed, control characters), and
      raises for none of them.
    - Findings have confidences in [0, 1] and lie inside the original text; a redaction has a text, and redacting that
      again changes nothing.
    - What it found stands neither in its reason nor in its categories nor in its repr.
    - The same event gives the same decision, also in several threads at once; events are left as they were.
    - Attacks do not pass, benign events do.

    A guard with a memory (a rate limit) has ``fresh()``, which gives the same guard with an empty one; each check is
    then made with a fresh guard.

    :param attacks: events (a text stands for an input) that must not be allowed.
    :param benign: events that must be allowed.
    :param threads: how many threads ask at once; 0 leaves that check out.
    :raises AssertionError: naming the promise that was broken.
    """
    name = getattr(guard, "name", None)
    label = type(guard).__name__
    assert isinstance(name, str), f"{label}.name must be a text, got {name!r}"
    assert name, f"{label}.name must be a non-empty text"
    for what, event in _hostile_events().items():
        _decide_once(guard, name, event, f"{label} on {what}")
    for given in attacks:
        event = _as_event(given)
        got = _decide_once(guard, name, event, f"{label} on the attack {event.text[:60]!r}")
        assert got.action != "allow", f"{label} lets the attack {event.text[:200]!r} pass"
        assert not got.fault, f"{label} broke on the attack {event.text[:200]!r}: {got.fault}; that is no detection"
    for given in benign:
        event = _as_event(given)
        got = _decide_once(guard, name, event, f"{label} on {event.text[:60]!r}")
        assert got.action == "allow", f"{label} does not let {event.text[:200]!r} pass: {got.action} {got.fault}"
    ordinary = _as_event((*attacks, *benign, "Where is my order A-1001?")[0])
    answers: list[Any] = []

    def ask() -> None:
        try:
            answers.append(decide(_fresh(guard), ordinary))
        except BaseException as error:  # noqa: BLE001 - reported below
            answers.append(error)

    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert all(one == answers[0] for one in answers), f"{label} gives several answers in {threads} threads: {answers!r}"


def _fresh(guard: Any) -> Any:
    make = getattr(guard, "fresh", None)
    return make() if callable(make) else guard


def _as_event(given: Event | str) -> Event:
    return Event(kind="input", text=given) if isinstance(given, str) else given


def _decide_once(guard: Any, name: str, event: Event, label: str) -> Decision:
    before = copy.deepcopy(event)
    try:
        got = decide(_fresh(guard), event)
        again = decide(_fresh(guard), event)
    except Exception as error:
        raise AssertionError(f"{label} raised {type(error).__name__}: {str(error)[:300]}") from error
    assert isinstance(got, Decision), f"{label} must return a Decision, got {type(got).__name__}"
    assert got.guard == name, f"{label}: the decision is signed {got.guard!r}, the guard is {name!r}"
    assert got.action in ACTIONS, f"{label}: unknown action {got.action!r}; it is one of {', '.join(ACTIONS)}"
    assert got == again, f"{label}: the same event gave two decisions: {got} and {again}"
    assert event == before, f"{label}: the event was changed"
    assert not got.fault or got.action == "block", f"{label}: a guard that broke must block, got {got.action!r}"
    assert len(got.reason) < 20_000, f"{label}: the reason has {len(got.reason):,} characters; bound it"
    shown = f"{got.reason} {got.fault} {' '.join(finding.category for finding in got.findings)} {guard!r}"
    for finding in got.findings:
        assert 0 <= finding.confidence <= 1, f"{label}: confidence {finding.confidence!r} is not in [0, 1]"
        if finding.start is None or finding.end is None:
            assert finding.start is finding.end, f"{label}: a finding has both offsets or none, got {finding}"
            continue
        assert 0 <= finding.start <= finding.end <= len(event.text), f"{label}: {finding} lies outside the text"
        value = event.text[finding.start : finding.end]
        assert len(value) < 8 or value not in shown, f"{label}: what it found stands in its reason or repr"
    if got.action == "redact":
        assert isinstance(got.text, str), f"{label}: a redaction must give the redacted text, got {got.text!r}"
        twice = decide(_fresh(guard), Event(kind=event.kind, text=got.text, data=event.data))
        assert twice.action == "allow" or (twice.action == "redact" and twice.text == got.text), (
            f"{label}: redacting the redacted text again gave {twice.action} and another text"
        )
    return got


def check_reward(reward: Any, *, case: Case | None = None, trajectory: Trajectory | None = None) -> None:
    """Assert that ``reward`` keeps the contract of :class:`harness.core.contracts.Reward`.

    - It has a ``name`` and a method ``reward(trajectory, case)``, which may be a coroutine function.
    - It answers with a finite number or None, for an ordinary run and for hostile ones (huge, malformed, control
      characters), and raises for none of them.
    - A run that never started earns no number: None, or an exception. A broken provider is not a bad answer.
    - The same input gives the same reward, and the inputs are left as they were.

    A reward function of another library is adapted first: ``check_reward(harness.rewards.adapt(f))``. The lab
    (``suites/rewards``) asks much more.

    :param case: a case that the reward can judge; default: one that expects something of everything.
    :param trajectory: an ordinary run; default: a short one with a tool call.
    :raises AssertionError: naming the promise that was broken.
    """
    name = getattr(reward, "name", None)
    label = type(reward).__name__
    assert isinstance(name, str), f"{label}.name must be a non-empty text, got {name!r}"
    assert name, f"{label}.name must be a non-empty text, got {name!r}"
    assert callable(getattr(reward, "reward", None)), f"{label} has no reward(trajectory, case)"
    judged = case if case is not None else _demanding_case()
    ordinary = trajectory if trajectory is not None else make_trajectory(calls=[("search", {"q": "x"})], latency_s=1.0)
    for what, run in {"an ordinary run": ordinary, **_hostile()}.items():
        where = f"{label} on {what}"
        before = copy.deepcopy((run, judged))
        try:
            first, again = (_awaited(reward.reward(run, judged)) for _ in range(2))
        except Exception as error:
            raise AssertionError(f"{where} raised {type(error).__name__}: {str(error)[:300]}") from error
        for got in (first, again):
            assert _is_reward(got), f"{where}: a reward is a finite number or None, got {got!r:.200}"
        assert first == again, f"{where}: the same input gave {first!r} and then {again!r}"
        assert (run, judged) == before, f"{where}: the trajectory or the case was changed"
    for what, run in _never_ran().items():
        if run.error is None:
            continue
        try:
            got = _awaited(reward.reward(run, judged))
        except Exception:  # noqa: BLE001, S112 - a break is an error, which is what is asked for
            continue
        assert got is None, f"{label} on {what} gave {got!r}; a broken run is not a bad answer: return None, or raise"


def _is_reward(got: Any) -> bool:
    if got is None:
        return True
    try:
        return not isinstance(got, (str, bytes)) and math.isfinite(float(got))
    except (TypeError, ValueError, OverflowError):
        return False


def _hostile_events() -> dict[str, Event]:
    odd = {"tool": 3, "arguments": [1], "user": None, "request": None, "session": {"a": 1}, "cost_usd": "x"}
    deep: Any = "x"
    for _ in range(200):
        deep = {"a": deep}
    found: dict[str, Event] = {}
    for kind in EVENT_KINDS:
        found[f"an empty {kind}"] = Event(kind=kind)
        found[f"a {kind} with odd data"] = Event(kind=kind, text="{not json", data=odd)
        found[f"a {kind} with control characters"] = Event(
            kind=kind,
            text="\x00\x1b[31m<script>\u202e\ud800 \U000e0041",
            data={"tool": "\x00", "arguments": {"\x00": "\ud800"}},
        )
    call = {"tool": "search", "arguments": {"q": "x" * 200_000}, "request": ("find x",), "session": "s", "user": "u"}
    found["a huge text"] = Event(kind="input", text="A1 @ 4111 " * 20_000)
    found["a huge tool call"] = Event(kind="tool_call", text=json.dumps(call["arguments"]), data=call)
    found["deeply nested arguments"] = Event(kind="tool_call", text="{}", data={"tool": "f", "arguments": deep})
    found["a number that is none"] = Event(
        kind="tool_call", text='{"a": NaN}', data={"tool": "f", "arguments": {"a": float("nan"), "b": 10**400}}
    )
    return found


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

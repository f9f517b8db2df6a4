"""Conformance: does a reward function keep what every trainer relies on, whatever it is a reward for?"""

from __future__ import annotations

import copy
import pickle
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from harness.core.case import canonical_json
from harness.core.reward import RewardValue
from harness.rewards.adapted import Pair
from harness.rewards.bench import TOLERANCE, Bench, Finding
from harness.rewards.columns import parameters, required
from harness.rewards.samples import completed

SOME = 8
"""How many samples the checks use that call the function many times."""
THREADS = 8


def _pairs(bench: Bench, limit: int = SOME) -> list[Pair]:
    listed = [(s.trajectory, s.case) for s in bench.samples.samples[:limit]]
    return listed or [(bench.nothing(case), case) for case in bench.tasks[:limit]]


def _same(left: RewardValue, right: RewardValue) -> bool:
    if left.value is None or right.value is None:
        return left.value is right.value and (left.error is None) == (right.error is None)
    return abs(left.value - right.value) <= TOLERANCE


def _told(value: RewardValue) -> str:
    return f"{value.error.type}: {value.error.message[:200]}" if value.error is not None else f"{value.value!r}"


def _differing(check: str, ones: list[RewardValue], others: list[RewardValue], how: str) -> Finding:
    for index, (one, other) in enumerate(zip(ones, others, strict=True)):
        if not _same(one, other):
            return Finding(
                check=check, ok=False, reason=f"completion {index + 1}: {_told(one)}, and {_told(other)} {how}"
            )
    return Finding(check=check, ok=True, reason=f"{len(ones)} of {len(ones)} values are the same {how}")


def keyword_tolerance(bench: Bench) -> Finding:
    """It takes keywords it does not know: trainers add some with every release, and every column is one."""
    keywords, name = bench.reward.keywords, bench.reward.name
    if keywords is None:
        reason = f"{bench.reward.interface} passes a function only what it asks for"
        return Finding(check="keyword_tolerance", ok=None, applies=False, reason=reason)
    fix = {"trl": "**kwargs", "verl": "extra_info=None, **kwargs", "dspy": "trace=None"}.get(bench.reward.interface, "")
    reason = "takes any keyword" if keywords else f"{name} breaks on a keyword it does not know; add {fix} to its end"
    return Finding(check="keyword_tolerance", ok=keywords, reason=reason)


def picklable(bench: Bench) -> Finding:
    """It can be sent to another process, where it gives the same value."""
    thing = bench.reward.wrapped
    try:
        again = pickle.loads(pickle.dumps(thing))  # noqa: S301 - what was pickled one call ago
    except Exception as error:  # noqa: BLE001 - whatever stands in the way of pickling
        reason = f"it cannot be sent to another process: {type(error).__name__}: {str(error)[:200]}"
        return Finding(check="picklable", ok=False, reason=f"{reason}; define it at the top of a module")
    from harness.rewards.adapters import adapt

    pairs = _pairs(bench, 2)
    other = Bench(adapt(again, interface=bench.reward.interface), bench.samples)
    return _differing("picklable", bench.values(pairs), other.values(pairs), "after pickling")


def thread_safe(bench: Bench) -> Finding:
    """Called from many threads at once it gives the values it gives one by one."""
    pairs = _pairs(bench)
    alone = [bench.values([pair])[0] for pair in pairs]
    together: list[list[RewardValue]] = [[] for _ in range(THREADS)]
    barrier = threading.Barrier(THREADS)

    def work(slot: int) -> None:
        barrier.wait()
        for step in range(len(pairs)):
            together[slot].append(bench.values([pairs[(slot + step) % len(pairs)]])[0])

    workers = [threading.Thread(target=work, args=(slot,)) for slot in range(THREADS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ones = [alone[(slot + step) % len(pairs)] for slot in range(THREADS) for step in range(len(pairs))]
    return _differing("thread_safe", ones, [v for row in together for v in row], f"from {THREADS} threads at once")


def batch_equals_items(bench: Bench) -> Finding:
    """A batch gives what its items give one by one, in their order."""
    check = "batch_equals_items"
    if not bench.reward.batch:
        reason = f"{bench.reward.interface} calls it with one completion at a time"
        return Finding(check=check, ok=None, applies=False, reason=reason)
    pairs = _pairs(bench)
    if bench.reward.group:
        turned = bench.values(pairs[::-1])[::-1]
        return _differing(check, bench.values(pairs), turned, "with the group in the opposite order")
    return _differing(check, bench.values(pairs), [bench.values([p])[0] for p in pairs], "one by one")


def length_kept(bench: Bench) -> Finding:
    """As many rewards come out as completions go in: none, one, many."""
    if not bench.reward.batch:
        reason = f"{bench.reward.interface} calls it with one completion at a time"
        return Finding(check="length_kept", ok=None, applies=False, reason=reason)
    for size in (1, 2, SOME):
        values = bench.values(_pairs(bench, size))
        wrong = next((v for v in values if v.error is not None), None)
        if wrong is not None and wrong.error is not None:
            return Finding(check="length_kept", ok=False, reason=f"{size} completions: {_told(wrong)}")
    return Finding(check="length_kept", ok=True, reason=f"batches of 1, 2 and {SOME} keep their length")


HOSTILE: Mapping[str, Any] = {
    "an empty completion": "",
    "blanks": " \n\t ",
    "control characters": "\x00\x1b[31m\u202e\ud800",
    "a huge completion": "A1 " * 50_000,
    "unclosed tags": "<think><answer>" * 50,
    "deep JSON": "[" * 5_000,
    "a number that is none": "NaN",
    "a huge number": "9" * 5_000,
    "markup": "</answer></think>\\boxed{{{}}}",
}
"""What agents write when they are not at their best."""


def finite_or_none(bench: Bench) -> Finding:
    """Every reward is a finite number or None, whatever the agent wrote; nothing that it writes breaks the function."""
    pairs = _pairs(bench)
    for index, value in enumerate(bench.values([pair])[0] for pair in pairs):
        if value.error is not None:
            return Finding(check="finite_or_none", ok=False, reason=f"completion {index + 1}: {_told(value)}")
    case = bench.tasks[0]
    for what, text in HOSTILE.items():
        value = bench.value(completed(case.input, text), case)
        if value.error is not None:
            return Finding(check="finite_or_none", ok=False, reason=f"{what}: {_told(value)}")
    return Finding(
        check="finite_or_none", ok=True, reason=f"{len(pairs)} samples and {len(HOSTILE)} hostile completions"
    )


def inputs_untouched(bench: Bench) -> Finding:
    """Prompts, completions and columns are as they were after the call, for whoever reads them next."""
    for trajectory, case in _pairs(bench):
        given = copy.deepcopy((trajectory, case))
        before = _frozen(given)
        bench.values([given])
        if _frozen(given) != before:
            reason = f"{bench.reward.name} changed its input (task {case.id}); work on a copy"
            return Finding(check="inputs_untouched", ok=False, reason=reason)
    if (changed := _changes_what_it_is_given(bench)) is not None:
        return Finding(check="inputs_untouched", ok=False, reason=changed)
    return Finding(check="inputs_untouched", ok=True, reason="every input is as it was")


def _changes_what_it_is_given(bench: Bench) -> str | None:
    """Batches are lists made for the call: seen from inside, a changed list is a changed input all the same."""
    if bench.reward.interface != "trl":
        return None
    from harness.rewards.from_trl import batch_of

    names = parameters(bench.reward.wrapped)
    for chat in (True, False):
        given = batch_of(_pairs(bench), chat)
        missing = [name for name in required(names) if name not in given]
        if missing:
            return None
        before = copy.deepcopy({k: v for k, v in given.items() if isinstance(v, list)})
        try:
            answer = bench.reward.wrapped(**given)
            if hasattr(answer, "close"):
                answer.close()  # a coroutine that nobody awaits
        except Exception:  # noqa: BLE001, S112 - the other form; breaks are another check's matter
            continue
        for name, value in before.items():
            if given[name] != value:
                return f"{bench.reward.name} changed the list {name!r} that it was given; work on a copy"
    return None


def _frozen(pair: Pair) -> str:
    trajectory, case = pair
    return canonical_json([trajectory.messages, trajectory.state, trajectory.metadata, case.to_json()])


def deterministic(bench: Bench) -> Finding:
    """The same completion earns the same, again and again."""
    pairs = _pairs(bench)
    first = [bench.values([pair])[0] for pair in pairs]
    for turn in range(3):
        random.seed(turn)  # a function that draws must not seem steady because nobody moved the dice
        again = [bench.values([pair])[0] for pair in pairs]
        found = _differing("deterministic", first, again, f"when asked again (time {turn + 2})")
        if not found.ok:
            return found
    return Finding(check="deterministic", ok=True, reason=f"{len(pairs)} completions, four times each")


def crash_is_an_error(bench: Bench) -> Finding:
    """What breaks inside is raised, or is None; it never becomes a number."""
    from harness.rewards import sabotage

    check = "crash_is_an_error"
    reward = bench.reward
    asked = set(required(parameters(reward.wrapped))) - {"completions", "completion", "prompts", "prompt", "state"}
    tried = 0
    for trajectory, case in _pairs(bench, 3):
        unreadable = sabotage.Unreadable()
        broken = sabotage.sabotaged(case, asked, unreadable)
        got, raised = sabotage.raised_inside(
            lambda pair=(trajectory, broken): bench.values([pair])[0],  # type: ignore[misc]
            reward,
        )
        crashed = raised or unreadable.touched > 0
        tried += int(crashed)
        if crashed and got.error is None and got.value is not None:
            reason = (
                f"a crash becomes a number: the reference could not be read, and {reward.name} gave {got.value:g} "
                "instead of raising; let it raise, or return None for 'not to be counted'"
            )
            return Finding(check=check, ok=False, reason=reason, evidence=({"task": case.id, "reward": got.value},))
    if not tried:
        return Finding(check=check, ok=None, applies=False, reason="it reads nothing but the completion")
    return Finding(check=check, ok=True, reason=f"{tried} unreadable references, and none became a number")


CONFORMANCE: Mapping[str, Callable[[Bench], Finding]] = {
    check.__name__: check
    for check in (
        keyword_tolerance,
        picklable,
        thread_safe,
        batch_equals_items,
        length_kept,
        finite_or_none,
        inputs_untouched,
        deterministic,
        crash_is_an_error,
    )
}
"""Every check of conformance by name."""

"""The mutation report: how many broken rewards a suite notices, and which survive.

A mutant is noticed when the suite says something of it that it does not say of the original, or when the mutant never
ends. What survives is either harmless (it changes nothing that anybody can see) or shows what no check looks at.
"""

from __future__ import annotations

import asyncio
import ctypes
import inspect
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.clock import SYSTEM
from harness.core.errors import UsageError
from harness.rewards.adapted import AdaptedReward
from harness.rewards.adapters import adapt
from harness.rewards.bench import Bench, bench_of
from harness.rewards.columns import parameters
from harness.rewards.mutator import Mutant, mutate
from harness.rewards.mutator_changes import OPERATORS

Suite = Callable[[Any], Iterable[str]]
"""Names of what fails for a reward (an adapted one); raising AssertionError is failing, too."""

SECONDS = 5.0
"""How long the suite may take for one mutant before that counts as noticed: a flipped loop may never end. At least ten
times what it takes for the original, so that a slow reward is not taken for a broken one."""
ORIGINAL_S = 120.0
"""How long it may take for the original."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One mutant and what became of it."""

    mutant: Mutant
    noticed_by: str
    """The check that noticed it; empty: it survived."""


@dataclass(frozen=True, kw_only=True)
class MutationReport:
    """What a suite notices."""

    name: str
    judged: tuple[Judged, ...]

    @property
    def noticed(self) -> int:
        """Mutants that the suite noticed."""
        return sum(1 for one in self.judged if one.noticed_by)

    @property
    def survivors(self) -> list[Mutant]:
        """Mutants that nothing noticed."""
        return [one.mutant for one in self.judged if not one.noticed_by]

    def __str__(self) -> str:
        lines = [f"your suite notices {self.noticed} of {len(self.judged)} broken rewards ({self.name})"]
        for mutant in self.survivors:
            lines.append(f"  survives: {mutant.function}, line {mutant.line}: {mutant.what}")
            lines += [f"    {line}" for line in mutant.diff.splitlines()]
        return "\n".join(lines)


def mutation_report(
    reward: Any,
    suite: Suite | Sequence[Callable[[Any], Any]] | None = None,
    *,
    operators: Sequence[str] | None = None,
    seconds: float = SECONDS,
) -> MutationReport:
    """Break a reward function in every way there is, and ask its suite each time.

    :param suite: takes an adapted reward, gives the names of what fails (or raises AssertionError); or test functions
        that take the fixture ``reward`` and nothing else, as they are; default: the lab's own checks
        (:func:`lab_suite`) on the samples of the reward.
    :param operators: kinds of changes to make; None: all, see :data:`harness.rewards.mutator_changes.OPERATORS`.
    :param seconds: how long the suite may take for one mutant before that counts as noticed; see :data:`SECONDS`.
    :raises UsageError: the source cannot be read, a kind does not exist, or the suite takes minutes for the original.

    What the suite says of the original already cannot notice anything: only what it says in addition counts.
    """
    unknown = [name for name in operators or () if name not in OPERATORS]
    if unknown:
        raise UsageError(f"there is no kind of change {unknown[0]!r}; kinds: {', '.join(OPERATORS)}")
    original = adapt(reward)
    mutants = [mutant for mutant in mutate(original) if operators is None or mutant.operator in operators]
    if not mutants:
        return MutationReport(name=original.name, judged=())
    asked = lab_suite(original) if suite is None else suite if callable(suite) else tests_as_suite(suite)
    began = SYSTEM.monotonic()
    before = _failing(asked, original, ORIGINAL_S)
    if _NEVER_ENDED in before:
        raise UsageError(f"the suite takes more than {ORIGINAL_S:g} s for {original.name} itself; give a shorter one")
    seconds = max(seconds, 10 * (SYSTEM.monotonic() - began))
    judged = []
    for mutant in mutants:
        new = _failing(asked, _as_original(mutant.broken, original), seconds) - before
        judged.append(Judged(mutant=mutant, noticed_by=min(new, default="")))
    return MutationReport(name=original.name, judged=tuple(judged))


_NEVER_ENDED = "it never ends"


def _as_original(broken: Any, original: AdaptedReward) -> AdaptedReward:
    declared = {name: getattr(original.declared, name) for name in original.declared.__dataclass_fields__}
    return adapt(broken, name=original.name, **{**declared, "interface": original.interface})


class _Late(BaseException):
    """Put into the thread of a suite that does not end; no reward function catches it by ``except Exception``."""


def _failing(suite: Suite, reward: AdaptedReward, seconds: float) -> set[str]:
    """What fails, in a thread that can be ended."""
    found: set[str] = set()

    def work() -> None:
        try:
            found.update(suite(reward))
        except _Late:
            found.add(_NEVER_ENDED)
        except Exception as error:  # noqa: BLE001 - a suite fails by raising, too
            found.add(f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else 'raised'}")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    while thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Late))
        thread.join(0.2)
    return found


def tests_as_suite(tests: Sequence[Callable[[Any], Any]]) -> Suite:
    """Test functions that take a reward, sync or async, as a suite: what raises has failed.

    :raises UsageError: one of them asks for more than a reward.
    """
    for test in tests:
        if len(asked := list(parameters(test))) != 1:
            name = getattr(test, "__name__", repr(test))
            raise UsageError(
                f"{name} asks for ({', '.join(asked)}); a test of a suite takes the reward and nothing else"
            )

    def suite(reward: Any) -> Iterable[str]:
        for test in tests:
            try:
                result = test(reward)
                if inspect.iscoroutine(result):
                    asyncio.run(result)
            except Exception:  # noqa: BLE001 - a test fails by raising
                yield getattr(test, "__name__", repr(test))

    return suite


def lab_suite(original: AdaptedReward) -> Suite:
    """The lab's own checks on one reward's samples; stops at the first that fails and did not fail for the original.

    The samples are those of the original, so that a broken reward cannot choose easier ones.
    """
    from harness.rewards.conformance import CONFORMANCE
    from harness.rewards.properties import PROPERTIES

    kept = original.kept.get("suite")
    if kept is not None:
        return kept  # type: ignore[no-any-return]
    bench = bench_of(original)
    samples = bench.samples
    passing = []
    # Labels are an order; where the reward gives every one of them exactly, they are the rewards themselves.
    labelled = samples.own and all(
        sample.label is None or _rounded(number) == _rounded(sample.label)
        for sample, number in zip(samples.samples, bench.numbers, strict=True)
    )
    # Those that touch most of a function come first: a mutant is done with at the first that fails.
    first = ("correct_above_wrong", "finite_or_none", "bounded", "crash_is_an_error")
    checks = {**PROPERTIES, **CONFORMANCE}
    for name in [*first, *(name for name in checks if name not in (*first, "picklable", "thread_safe"))]:
        if name not in original.declared.without and checks[name](bench).ok:
            passing.append(name)

    def suite(reward: Any) -> Iterable[str]:
        tried = Bench(reward, samples)
        for name in passing:
            if checks[name](tried).ok is not True:
                yield name
                return
        if labelled and [_rounded(n) for n in tried.numbers] != [_rounded(n) for n in bench.numbers]:
            yield "labelled samples"

    original.kept["suite"] = suite
    return suite


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 9)

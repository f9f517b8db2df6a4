"""How long the lab takes for one reward function and what it finds: checks, fuzzer, mutator, adapters."""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks.figures import Figure, Result
from fixtures.rewards import honest, mistakes
from harness.datasets import load_dataset
from harness.rewards import CONFORMANCE, FAMILIES, PROPERTIES, Bench, adapt, fuzz, measured_now, mutation_report
from harness.testing import make_case, make_trajectory

SLOW_S = 0.001


def slow(completions: list[Any], answer: list[Any], **columns: Any) -> list[float | None]:
    """The honest reward at a millisecond of work per completion."""
    until = time.perf_counter() + SLOW_S * len(completions)
    while time.perf_counter() < until:
        pass
    return honest.honest_answer(completions, answer)


def checked(reward: Any, **declared: Any) -> tuple[float, set[str]]:
    began = time.perf_counter()
    bench = Bench(adapt(reward, **declared))
    flagged = {name for name, check in {**CONFORMANCE, **PROPERTIES}.items() if check(bench).ok is False}
    return time.perf_counter() - began, flagged


def fuzzed(reward: Any, budget: int) -> tuple[float, int, float | None]:
    began = time.perf_counter()
    calls, gap = 0, 0.0
    bench = Bench(adapt(reward, bounded=(0, 1)))
    for families in (*([name] for name in FAMILIES), None):
        report = fuzz(bench, families=families, budget=budget)
        calls += report.calls
        gap = max(gap, report.gap or 0.0)
    return time.perf_counter() - began, calls, gap


def per_call(times: int) -> tuple[float, float]:
    """Seconds per completion: through the adapter one by one, and called by hand."""
    case = make_case(answer="42")
    run = make_trajectory("The answer is 42.")
    reward = adapt(honest.honest_answer)
    adapted, direct = [], []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(times):
            measured_now(reward, [(run, case)])
        adapted.append((time.perf_counter() - began) / times)
        began = time.perf_counter()
        for _ in range(times):
            honest.honest_answer(completions=["The answer is 42."], answer=["42"])
        direct.append((time.perf_counter() - began) / times)
    return statistics.median(adapted), statistics.median(direct)


def run(scale: float) -> Result:
    """The figures."""
    samples = tuple(load_dataset("golden_datasets/rewards_answers"))
    desk = tuple(load_dataset("fixtures/rewards/refund_desk.jsonl"))
    lab_s, false_flags = checked(slow, bounded=(0, 1), samples=None)
    fuzz_s, calls, gap = fuzzed(slow, max(20, int(200 * scale)))
    named = {
        "empty_shell_at_floor": checked(mistakes.empty_think)[1],
        "length_is_not_the_reward": checked(mistakes.answer_length)[1],
        "crash_is_an_error": checked(mistakes.crash_to_zero)[1],
        "doing_nothing_earns_nothing": checked(mistakes.end_state, samples=desk)[1],
    }
    found = sum(1 for check, flagged in named.items() if check in flagged)
    began = time.perf_counter()
    report = mutation_report(adapt(honest.honest_answer, samples=samples))
    mutants_s = time.perf_counter() - began
    probes = mutation_report(adapt(honest.honest_answer, samples=None))
    adapted, direct = per_call(max(50, int(2_000 * scale)))
    share, without = report.noticed / len(report.judged), probes.noticed / len(probes.judged)
    figures = (
        Figure(what="conformance and properties of one reward function of 1 ms", value=lab_s, unit="s", at_most=10),
        Figure(what="fuzzer, all twelve cases, on a function of 1 ms", value=fuzz_s, unit="s", at_most=30,
               note=f"{calls:,} calls"),
        Figure(what="exploit gap of the honest reward", value=gap, at_most=0.05, note=f"{calls:,} calls"),
        Figure(what="checks that flag the honest reward", value=float(len(false_flags)), at_most=0,
               note=f"of {len(CONFORMANCE) + len(PROPERTIES)}"),
        Figure(what="famous mistakes flagged by name", value=float(found), at_least=4, note="of 4"),
        Figure(what="broken honest rewards noticed, with 58 labelled samples", value=share, ratio=share / without,
               versus="the probes alone, without samples", note=f"{report.noticed} of {len(report.judged)}"),
        Figure(what="mutation report of the honest reward", value=mutants_s, unit="s"),
        Figure(what="one completion through the adapter", value=adapted * 1e6, unit="us", ratio=adapted / direct,
               versus="the function called by hand"),
    )  # fmt: skip
    return Result(
        name="rewards_lab",
        title="Reward functions: the lab",
        method=(
            "The honest reward of fixtures/rewards works for one millisecond per completion (a busy loop, no sleep). "
            "Every check of conformance and of properties is made once on the twelve probe tasks; then the fuzzer runs "
            "its twelve cases (eleven families and all together) with 200 calls each, seed 0. Times are wall times of "
            "one process. The mutator breaks the honest reward in every way it knows and asks the lab's checks, once "
            "with golden_datasets/rewards_answers as samples and once with the probes only. The adapter's overhead is "
            "the median of seven rounds, one completion per call, beside the bare function in the same round."
        ),
        figures=figures,
        not_compared=("No other tool fuzzes or mutates reward functions, so there is nothing to run beside it.",),
        scale=scale,
    )

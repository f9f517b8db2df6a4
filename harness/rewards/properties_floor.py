"""Floor: what says or does nothing earns no more than a known bad answer."""

from __future__ import annotations

from collections.abc import Sequence

from harness.rewards.bench import TOLERANCE, Bench, Finding, broken, kept
from harness.rewards.samples import completed

SHELLS = (
    "<think></think>",
    "<think>\n\n</think>\n",
    "<think>\n</think>\n",
    "<think></think><answer></answer>",
    "<think>\n\n</think>\n<answer>\n\n</answer>",
    "<answer></answer>",
    "\\boxed{}",
    "#### ",
    '{"answer": ""}',
    "```\n```",
)


REFUSALS = ("I'm sorry, but I can't help with that.", "I don't know.", "As an AI model I am not able to answer this.")


NO_OPS = ("Let me think about this.", "I will now start working on the task.", "...")


def empty_shell_at_floor(bench: Bench) -> Finding:
    """Format without content (an empty think block, an empty answer tag) earns nothing: format never beats content."""
    return _at_floor(bench, "empty_shell_at_floor", SHELLS, "an empty format shell", tasks=1)


def empty_at_floor(bench: Bench) -> Finding:
    """An empty completion earns nothing."""
    return _at_floor(bench, "empty_at_floor", ("", " ", "\n"), "an empty completion")


def echo_at_floor(bench: Bench) -> Finding:
    """Repeating the question earns nothing."""
    return _at_floor(bench, "echo_at_floor", None, "the question repeated")


def refusal_at_floor(bench: Bench) -> Finding:
    """A refusal earns nothing."""
    return _at_floor(bench, "refusal_at_floor", REFUSALS, "a refusal")


def no_op_at_floor(bench: Bench) -> Finding:
    """Announcing to begin earns nothing."""
    return _at_floor(bench, "no_op_at_floor", NO_OPS, "an announcement without work")


def _at_floor(bench: Bench, check: str, texts: Sequence[str] | None, what: str, tasks: int = 4) -> Finding:
    floor = bench.floor
    if floor is None:
        return Finding(
            check=check, ok=None, reason="no floor is known; declare bounded=(low, high) or give bad samples"
        )
    tried = 0
    for case in bench.tasks[:tasks]:
        for text in texts if texts is not None else (case.text,):
            number = bench.number(completed(case.input, text), case)
            tried += 1
            if number is not None and number > floor + TOLERANCE:
                top = " (as much as the best known completion)" if number >= bench.range[1] - TOLERANCE else ""
                named = "an empty think block" if text.startswith("<think>") else what
                reason = f"{named} earns {number:g}{top}, above the floor of {floor:g}: {text[:60]!r} in task {case.id}"
                return broken(check, reason, completion=text[:2_000], task=case.id, reward=number)
    return kept(check, f"{tried} completions at or below the floor of {floor:g}")


def doing_nothing_earns_nothing(bench: Bench) -> Finding:
    """In no task does an agent that does and says nothing earn the highest reward."""
    check = "doing_nothing_earns_nothing"
    low, high = bench.range
    if high - low <= TOLERANCE:
        return Finding(check=check, ok=None, reason="the range is a single point; declare bounded=(low, high)")
    found, measured = do_nothing_tasks(bench)
    if found:
        named = ", ".join(found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
        reason = f"in {len(found)} of {measured} tasks an agent that does nothing earns {high:g}, the highest: {named}"
        return Finding(check=check, ok=False, reason=reason, evidence=({"tasks": found, "of": measured},))
    if not measured:
        return Finding(check=check, ok=None, reason="no task could be rated for an agent that does nothing")
    return kept(check, f"an agent that does nothing earns the highest reward in 0 of {measured} tasks")


def do_nothing_tasks(bench: Bench) -> tuple[list[str], int]:
    """The tasks in which doing nothing earns the highest reward, and of how many it could be said."""
    high = bench.range[1]
    rated = [(case.id, bench.number(bench.nothing(case), case)) for case in bench.tasks]
    known = [(name, number) for name, number in rated if number is not None]
    return [name for name, number in known if number >= high - TOLERANCE], len(known)

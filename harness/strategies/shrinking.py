"""The smallest change that still breaks an agent, and keeping it as a golden case.

Delta debugging (Zeller and Hildebrandt 2002) over the edits, which are deterministic; whether a change breaks the agent
is asked of the agent, several times where its answers differ from trial to trial.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path

from harness.core.case import Case
from harness.core.errors import DatasetError, UsageError
from harness.strategies.perturbing import Edit, Perturbed, with_edits


def shrink(found: Perturbed, fails: Callable[[Case], bool], *, trials: int = 1) -> Perturbed:
    """The perturbation with as few of its edits as still make the case fail.

    :param fails: whether the agent fails a case; asked ``trials`` times of each candidate.
    :param trials: an agent that is not deterministic fails a case when it fails more than half of so many trials.
    :raises UsageError: the perturbed case does not fail to begin with, or ``trials`` is below 1.
    """
    search = _search(found, _checked(trials))
    answer: bool | None = None
    while True:
        try:
            case = search.send(answer)
        except StopIteration as end:
            return _made(found, end.value)
        answer = sum(bool(fails(case)) for _ in range(trials)) * 2 > trials


async def shrink_awaiting(found: Perturbed, fails: Callable[[Case], Awaitable[bool]], *, trials: int = 1) -> Perturbed:
    """As :func:`shrink`, for an agent that is awaited."""
    search = _search(found, _checked(trials))
    answer: bool | None = None
    while True:
        try:
            case = search.send(answer)
        except StopIteration as end:
            return _made(found, end.value)
        answer = sum([bool(await fails(case)) for _ in range(trials)]) * 2 > trials


def keep_case(path: str | Path, case: Case) -> bool:
    """Add a case to a ``cases.jsonl``, unless one with the same content is there; False when it was.

    The file is written anew and put in place at once, so that a killed run leaves the old one.

    :raises DatasetError: a row of the file is no JSON object, or another case has this id.
    """
    place = Path(path)
    text = place.read_text("utf-8") if place.exists() else ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            known = row["id"]
        except (ValueError, TypeError, KeyError):
            raise DatasetError(f"{place}:{number}: not a JSON object with an id; mend the row by hand") from None
        if known == case.id:
            if row.get("input") == json.loads(json.dumps(case.input)):
                return False
            raise DatasetError(f"{place}:{number}: another case has the id {case.id!r}; rename one of them")
    place.parent.mkdir(parents=True, exist_ok=True)
    whole = text + ("\n" if text and not text.endswith("\n") else "")
    fresh = place.with_name(place.name + ".new")
    fresh.write_text(whole + json.dumps(case.to_json(), ensure_ascii=False) + "\n", "utf-8")
    fresh.replace(place)
    return True


def _search(found: Perturbed, trials: int) -> Generator[Case, bool | None, tuple[Edit, ...]]:
    kept = found.edits
    if not (yield found.case):
        more = f" in {trials} trials" if trials > 1 else ""
        raise UsageError(f"{found.case.id} does not fail{more}, so there is nothing to shrink; raise trials")
    parts = 2
    while len(kept) > 1:
        size = -(-len(kept) // parts)
        chunks = [kept[at : at + size] for at in range(0, len(kept), size)]
        rests = [tuple(e for c in chunks if c is not chunk for e in c) for chunk in chunks]
        smaller = None
        for edits in [*chunks, *rests] if len(chunks) > 2 else chunks:
            if (yield with_edits(found.original, found.kind, edits).case):
                smaller = edits
                break
        if smaller is not None:
            kept, parts = smaller, max(2, min(parts - 1, len(smaller)))
        elif size == 1:
            break
        else:
            parts = min(len(kept), parts * 2)
    return kept


def _made(found: Perturbed, edits: tuple[Edit, ...]) -> Perturbed:
    return found if edits == found.edits else with_edits(found.original, found.kind, edits)


def _checked(trials: int) -> int:
    if trials < 1:
        raise UsageError(f"trials must be at least 1, got {trials}")
    return trials

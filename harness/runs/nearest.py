"""What to say when a recording is missing: the nearest recorded request, with the difference, in bounded space."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_LINES = 40
_WIDTH = 100
_DIFF_CHARACTERS = 3000
"""With the rest of the message inside the 4,000 characters that a record keeps."""
_COMPARED_LINES = 300
_COMPARED_CHARACTERS = 600
_CANDIDATES = 50
FIX = "Record it: --harness-mode=record"


def lines_of(request: Mapping[str, Any]) -> list[str]:
    """A request as lines to compare; long ones cut, many left out."""
    text = json.dumps(request, indent=1, sort_keys=True, ensure_ascii=False, default=str)
    return [line if len(line) <= 400 else line[:397] + "..." for line in text.splitlines()]


def nearest(request: Mapping[str, Any], recorded: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The recorded request that is most alike; None when there is none.

    By the share of equal lines, and where that is the same, by how alike the unequal lines are.
    """
    wanted = lines_of(request)[:_COMPARED_LINES]
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    best: tuple[float, float, int] | None = None
    for index, candidate in enumerate(recorded[:_CANDIDATES]):
        lines = lines_of(candidate)[:_COMPARED_LINES]
        matcher.set_seq1(lines)
        if best is not None and matcher.quick_ratio() < best[0]:
            continue
        ratio = matcher.ratio()
        if best is None or ratio >= best[0]:
            # Later ones win only by being better: the list begins with the trial's own calls.
            rank = (ratio, _likeness(lines, wanted), -index)
            if best is None or rank > best:
                best = rank
    return None if best is None else recorded[-best[2]]


def _likeness(lines: Sequence[str], wanted: Sequence[str]) -> float:
    own, other = set(lines), set(wanted)
    left = "\n".join(line for line in lines if line not in other)[:_COMPARED_CHARACTERS]
    right = "\n".join(line for line in wanted if line not in own)[:_COMPARED_CHARACTERS]
    return difflib.SequenceMatcher(None, left, right, autojunk=False).ratio()


def difference(recorded: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """A unified diff of at most 40 lines, from the recorded request to the one that was made."""
    made = difflib.unified_diff(
        lines_of(recorded)[:2000], lines_of(request)[:2000], "nearest recording", "this request", n=1, lineterm=""
    )
    out: list[str] = []
    size = 0
    for line in made:
        shown = line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."
        size += len(shown) + 1
        if len(out) >= _LINES or size > _DIFF_CHARACTERS:
            out.append("... (more differences left out)")
            break
        out.append(shown)
    return "\n".join(out)


def missing(
    request: Mapping[str, Any], recorded: Sequence[Mapping[str, Any]], *, path: Path, trial: int, others: Sequence[int]
) -> str:
    """The message for a request without a recording.

    :param recorded: the requests in the case's file, those of the same trial first.
    :param others: the trials for which this very request is recorded.
    """
    what = f"no recording for this {request.get('operation')} request to {request.get('provider')}"
    if request.get("model"):
        what += f" (model {str(request['model'])[:80]})"
    if not recorded:
        state = "holds no calls" if path.exists() else "does not exist"
        return f"{what}, trial {trial}: {path} {state}. {FIX}"
    if others:
        listed = ", ".join(map(str, others[:10]))
        return (
            f"{what}, trial {trial}: {path} has it for trial {listed}, but not so often or not for trial {trial}. "
            f"{FIX} with as many trials as you replay"
        )
    found = nearest(request, recorded)
    assert found is not None
    return f"{what}, trial {trial}, in {path}. The nearest one differs:\n{difference(found, request)}\n{FIX}"

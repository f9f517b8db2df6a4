"""Baselines of a project: which one a run is compared with, and how a named one is found.

- A file is one that ``harness baseline accept`` wrote; a run is summed up on the spot. ``latest`` as a baseline means
  the newest *other* run.
- ``auto`` (also when nothing is said) takes, among ``reports/baselines/*.json``, the one that shares the most cases
  with the run, and of several the newest. None that shares a case is no baseline; that is no mistake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.core.comparison import Baseline, Comparison
    from harness.core.record import Run

FOLDER = Path("reports/baselines")
"""Below the project's root."""
_LATEST = re.compile(r"latest(?:~(\d{1,6}))?")


@dataclass(frozen=True, kw_only=True)
class Against:
    """What a run is compared with."""

    comparison: Comparison | None = None
    problem: str = ""
    """Why the baseline that was named cannot be used; empty when it can, or when none was named."""
    notices: tuple[str, ...] = ()


def compare_with(ref: str | None, run: Run, folder: Path, *, root: Path, runs: Path) -> Against:
    """The run in ``folder`` against the baseline that ``ref`` names.

    :param ref: a file, a run, ``auto`` or None (the same), or ``none``.
    :param runs: folder of the runs.
    """
    from harness.commands.changes_age import commits_between
    from harness.core.pairing import datasets_of, pair_up, summarise

    if ref == "none":
        return Against()
    files = sorted((root / FOLDER).glob("*.json")) if ref in (None, "auto") else []
    if ref in (None, "auto") and not files:
        return Against()
    candidate = summarise(run.manifest, run.records)
    notices: list[str] = []
    if ref in (None, "auto"):
        found = _fitting(files, candidate, notices)
        if found is None:
            return Against(notices=tuple(notices))
        base, where = found
    else:
        try:
            base, where = load_baseline(str(ref), root=root, runs=runs, other_than=folder)
        except HarnessError as error:
            return Against(problem=str(error))
    if run.manifest.partial:
        # What was not asked for did not go missing.
        asked = set(candidate.suites)
        base = replace(base, suites={name: cases for name, cases in base.suites.items() if name in asked})
    made = pair_up(base, candidate, datasets=datasets_of(run.manifest))
    if base.run_id == candidate.run_id:
        made = replace(made, notes=(*made.notes, "the baseline is this very run, so nothing can differ"))
    meta = {**made.meta, "source": where, "base_commits": commits_between(root, base.commit, candidate.commit)}
    return Against(comparison=replace(made, meta=meta), notices=tuple(notices))


def load_baseline(ref: str, *, root: Path, runs: Path, other_than: Path | None = None) -> tuple[Baseline, str]:
    """The baseline of a file or run, and the name of where it came from.

    :param other_than: a run that ``latest`` does not mean.
    :raises UsageError: nothing has that name.
    :raises FormatError: the file or run cannot be read.
    """
    from harness.core.comparison import make_baseline
    from harness.results.reader import open_run
    from harness.results.run_folder import is_run, list_run_folders

    for path in (Path(ref), root / ref, root / FOLDER / ref, root / FOLDER / f"{ref}.json"):
        if path.is_file() and not is_run(path.parent):
            return read_baseline(path), path.name
    if ref.endswith(".json") and not Path(ref).is_file():
        raise UsageError(f"there is no baseline file {ref}; {_there(root)}")
    match = _LATEST.fullmatch(ref)
    if match and other_than is not None:
        others = [path for path in list_run_folders(runs) if path.resolve() != other_than.resolve()]
        back = int(match[1] or 0)
        if back >= len(others):
            raise UsageError(f"{ref}: there is no other run to compare with in {runs}; make one: pytest suites")
        folder = others[-1 - back]
    else:
        folder = _run_folder(ref, root, runs)
    run = open_run(folder, strict=False)
    return make_baseline(run.manifest, run.records), folder.name


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file.

    :raises FormatError: it is none; the message begins with the path.
    """
    from harness.core.comparison import Baseline
    from harness.core.errors import FormatError

    try:
        return Baseline.from_text(path.read_text("utf-8"))
    except (FormatError, OSError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: {error}") from None


def _run_folder(ref: str, root: Path, runs: Path) -> Path:
    from harness.results.run_folder import find_run

    try:
        return find_run(runs, ref)
    except UsageError as error:
        raise UsageError(f"no baseline {ref!r}: {_there(root)}. And as a run: {error}") from None


def _there(root: Path) -> str:
    names = [path.name for path in sorted((root / FOLDER).glob("*.json"))]
    if not names:
        return f"{FOLDER} has none yet; accept a run: harness baseline accept latest"
    return f"{FOLDER} has {', '.join(names[:10])}"


def _fitting(files: Sequence[Path], candidate: Baseline, notices: list[str]) -> tuple[Baseline, str] | None:
    best: tuple[int, str, str, Baseline] | None = None
    for path in files:
        try:
            base = read_baseline(path)
        except HarnessError as error:
            notices.append(f"left out as a baseline: {error}")
            continue
        shared = sum(len(set(cases) & set(candidate.suites.get(name, ()))) for name, cases in base.suites.items())
        rank = (shared, base.created_at, path.name, base)
        if shared and (best is None or rank[:3] > best[:3]):
            best = rank
    return None if best is None else (best[3], best[2])

"""Recorded runs: real trajectories from a file, to be judged without running anything.

The formats, told apart by what the first entry looks like:

- ``tau-bench``: a JSON list of ``{task_id, trial, reward, traj, info}``.
- ``chat``: JSON or JSON lines; each entry is ``{"messages": [...], "id"?, "trial"?, "success"?, "reward"?, ...}`` or a
  bare list of chat messages; a file that is one list of messages is one run.
- ``journal``: this package's own ``trials-*.jsonl``, one file or the folder of a run.

The words:

- *case*: entries with one id (``task_id``, ``id``, ``case_id``) are trials of one case. Entries without an id are
  trials of one case when they begin with the same messages up to the first of the agent's.
- *trial index*: from 0 within the case, in the order of the recorded trial numbers, else of the file.
- *recorded outcome*: ``trajectory.metadata["recorded_outcome"]``: True, False, or None where the recording states none;
  a reward is a success when ``abs(reward - 1) < 1e-6``, as tau-bench counts. ``metadata["reward"]`` keeps the number.
- A recorded run that broke carries ``trajectory.error``; it stays in the counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.case import Case, Dataset
from harness.core.errors import DatasetError, UsageError
from harness.core.trajectory import Trajectory
from harness.datasets.load import relative_place
from harness.datasets.problems import BadRows, Problem, shown

Entry = tuple[int, Any]
"""Line (JSON lines) or position (JSON), from 1, and what stands there."""

FORMATS = {
    "tau-bench": "a JSON list of objects with task_id, reward, traj",
    "chat": 'JSON or JSON lines of {"messages": [...], "id"?, "success"? or "reward"?} or of bare message lists',
    "journal": "trials-*.jsonl of this harness, or the folder of a run",
}


@dataclass(frozen=True, kw_only=True)
class RecordedRuns:
    """Recorded trajectories with the cases they are trials of."""

    dataset: Dataset
    trajectories: Mapping[tuple[str, int], Trajectory]
    """By (case id, trial index)."""
    format: str
    """``tau-bench``, ``chat`` or ``journal``."""
    notices: tuple[str, ...] = ()
    """What reading it had to say, e.g. a torn last line that was dropped."""

    @property
    def trials(self) -> int:
        """The largest number of trials any case has."""
        return max((index + 1 for _, index in self.trajectories), default=0)

    def trials_of(self, case_id: str) -> int:
        """The number of trials of one case."""
        return sum(1 for name, _ in self.trajectories if name == case_id)


@dataclass(frozen=True, kw_only=True)
class RecordedTrial:
    """One entry as read, before trials are numbered."""

    case: Case
    trajectory: Trajectory
    trial: int | None = None
    """The number the recording gives it."""
    group: str = ""
    """What keeps equal case ids apart: the suite and arm of a journal's record."""


def load_recorded(path: str | Path, *, root: str | Path | None = None, name: str | None = None) -> RecordedRuns:
    """The recorded runs of a file or folder, whichever of the known formats it is in.

    :param root: the project's folder, from which ``path`` is taken; default: the current one.
    :raises UsageError: nothing is there, or the format is not understood; the message shows the first keys.
    :raises DatasetError: entries cannot be read; the message lists every one.
    """
    base = Path(root) if root is not None else Path.cwd()
    target = base / path
    notices: list[str] = []
    problems: list[Problem] = []
    entries: list[Entry] = []
    for file in _files(target):
        entries += read_entries(file, problems, notices)
    form, read = _reader_of(entries, problems, str(path))
    trials: list[RecordedTrial] = []
    for line, entry in entries:
        try:
            if (trial := read(entry)) is not None:
                trials.append(trial)
        except (ValueError, TypeError, KeyError, AttributeError, UsageError, ArithmeticError) as error:
            told = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
            problems.append(Problem(line=line, field="", value=shown(entry), fix=f"is not a {form} run: {told}"))
    if problems:
        raise BadRows(str(path), problems, len(entries))
    if not trials:
        raise DatasetError(f"{path} holds no recorded run")
    if form == "journal":
        trials = _first_of_each(trials, notices)
    cases, trajectories = _numbered(trials, form)
    dataset = Dataset(name=name or target.stem, cases=cases, path=relative_place(target, base))
    return RecordedRuns(dataset=dataset, trajectories=trajectories, format=form, notices=tuple(notices))


def read_entries(path: Path, problems: list[Problem], notices: list[str]) -> list[Entry]:
    """What stands in a file: the entries of a JSON list, or one per line. NaN and Infinity are read as null."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 (byte {error.start + 1}); save it as UTF-8") from error
    if path.suffix != ".jsonl":
        try:
            whole = _parse(text)
        except (ValueError, RecursionError) as error:
            if "\n" not in text.strip():
                raise DatasetError(f"{path} is not JSON: {error}") from error
        else:
            # One list of messages, or one object, is one run.
            single = isinstance(whole, Mapping) or _is_messages(whole)
            return list(enumerate([whole] if single else whole, 1)) if isinstance(whole, (list, dict)) else [(1, whole)]
    entries: list[Entry] = []
    lines = text.split("\n")
    for line, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            entries.append((line, _parse(raw)))
        except (ValueError, RecursionError) as error:
            if line == len(lines) and entries:
                notices.append(f"{path.name}: the last line ({line}) is torn and was dropped")
            else:
                problems.append(Problem(line=line, field="", value=shown(raw), fix=f"is not JSON: {error}"))
    return entries


def _parse(text: str) -> Any:
    return json.loads(text, parse_constant=lambda constant: None)


def _files(target: Path) -> list[Path]:
    if target.is_file():
        return [target]
    if target.is_dir():
        if files := sorted(target.glob("trials-*.jsonl")):
            return files
        raise UsageError(f"{target} is a folder without trials-*.jsonl; name a run's folder or a file of recorded runs")
    raise UsageError(f"there is no file or folder {target}; give a file of recorded runs or the folder of a run")


def _reader_of(entries: Sequence[Entry], problems: Sequence[Problem], place: str) -> tuple[str, Any]:
    from harness.datasets import recorded_formats as formats

    body = [entry for _, entry in entries if not formats.is_header(entry)]
    if not body and entries:
        return "journal", formats.read_journal
    if not body:
        if problems:
            raise BadRows(place, problems, 0)
        raise DatasetError(f"{place} is empty: no recorded run in it")
    first = body[0]
    if isinstance(first, Mapping):
        if "traj" in first and "task_id" in first:
            return "tau-bench", formats.read_tau_bench
        if "outcome" in first and "case_id" in first:
            return "journal", formats.read_journal
        if "messages" in first:
            return "chat", formats.read_chat
    elif _is_messages(first):
        return "chat", formats.read_chat
    seen = ", ".join(map(str, list(first)[:12])) if isinstance(first, Mapping) else shown(first)
    known = "".join(f"\n  {form}: {looks}" for form, looks in FORMATS.items())
    raise UsageError(f"{place}: the format is not understood; the first entry has {seen}. Understood are:{known}")


def _is_messages(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(m, Mapping) and "role" in m for m in value)


def _first_of_each(trials: Sequence[RecordedTrial], notices: list[str]) -> list[RecordedTrial]:
    kept: dict[tuple[str, str, int | None], RecordedTrial] = {}
    for trial in trials:
        kept.setdefault((trial.group, trial.case.id, trial.trial), trial)
    if len(kept) < len(trials):
        notices.append(f"{len(trials) - len(kept)} records stand twice in the journal; the first of each was kept")
    return list(kept.values())


def _numbered(trials: Sequence[RecordedTrial], form: str) -> tuple[tuple[Case, ...], dict[tuple[str, int], Trajectory]]:
    groups: dict[str, set[str]] = {}
    for trial in trials:
        groups.setdefault(trial.case.id, set()).add(trial.group)
    by_case: dict[str, list[RecordedTrial]] = {}
    for trial in trials:
        name = trial.case.id
        if len(groups[name]) > 1:
            trial = replace(trial, case=replace(trial.case, id=f"{name}@{trial.group}"))
        by_case.setdefault(trial.case.id, []).append(trial)
    trajectories: dict[tuple[str, int], Trajectory] = {}
    for name, own in by_case.items():
        numbers = [trial.trial for trial in own]
        if None not in numbers:
            # Sorting is stable: numbers given twice (two files joined) keep the order of the file.
            own = sorted(own, key=lambda trial: trial.trial or 0)
        for index, trial in enumerate(own):
            kept = {**trial.trajectory.metadata, "recorded_format": form, "recorded_trial": trial.trial}
            trajectories[name, index] = trial.trajectory.with_(metadata=kept)
    return tuple(own[0].case for own in by_case.values()), trajectories

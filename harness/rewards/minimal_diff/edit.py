"""Edit: the files of a program before and after, read from a case and what its agent left behind.

The words:

- *before*: ``case.input["files"]``, a mapping of path to text; the program that the agent was given.
- *after*: ``trajectory.state["files"]``, the files that the agent left. A path that is missing there is *unchanged*,
  null means *deleted*. So an agent may hand back the whole program or only what it touched.
- *gold*: ``case.expected.custom["gold_files"]``, laid over *before* in the same way; optional.
- *source file*: one of a language of :mod:`~harness.rewards.minimal_diff.grammar`; others are not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.rewards.minimal_diff.grammar import language_of

Files = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Two states of a program, by path."""

    before: Files
    after: Files
    gold: Files | None = None
    """The program after the reference edit; None when there is none."""

    @property
    def changed(self) -> tuple[str, ...]:
        """Paths of source files whose text differs, or that are there on one side only; sorted."""
        return tuple(path for path in sorted({*self.before, *self.after}) if self._differs(path))

    def _differs(self, path: str) -> bool:
        return language_of(path) is not None and self.before.get(path) != self.after.get(path)


@dataclass(frozen=True, kw_only=True)
class EditSource:
    """Where the files stand in a case and a trajectory: keys into ``case.input``, ``state`` and ``expected.custom``."""

    before: str = "files"
    after: str = "files"
    gold: str = "gold_files"
    ignored: tuple[str, ...] = field(default=())
    """Paths that begin with one of these are left out."""

    def read(self, trajectory: Trajectory, case: Case) -> Edit:
        """The edit.

        :raises ValueError: there are no files where they should be; says where it looked.
        """
        before = _files(case.input, self.before, "case.input")
        after = laid_over(before, _files(trajectory.state, self.after, "trajectory.state", deleted=True))
        given = case.expected.custom.get(self.gold)
        gold = None
        if given is not None:
            gold = laid_over(before, _files({self.gold: given}, self.gold, "expected.custom", deleted=True))
        return Edit(before=self._kept(before), after=self._kept(after), gold=None if gold is None else self._kept(gold))

    def _kept(self, files: Files) -> Files:
        return (
            {path: text for path, text in files.items() if not path.startswith(self.ignored)} if self.ignored else files
        )


def laid_over(before: Files, touched: Mapping[str, str | None]) -> Files:
    """The files after: what was touched replaces what was there, null deletes."""
    return {path: text for path, text in {**before, **touched}.items() if text is not None}


def _files(holder: Any, key: str, where: str, *, deleted: bool = False) -> dict[str, Any]:
    files = holder.get(key) if isinstance(holder, Mapping) else None
    if not isinstance(files, Mapping):
        raise ValueError(
            f"no files to compare: {where}[{key!r}] must be a mapping of path to text, got {_shown(files)}"
        )
    for path, text in files.items():
        if not isinstance(path, str) or not (isinstance(text, str) or (deleted and text is None)):
            raise ValueError(f"{where}[{key!r}][{str(path)[:80]!r}] must be a text, got {_shown(text)}")
    return dict(files)


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__}: {str(value)[:60]!r}"

"""A YAML file with its lines: values are asked for by path, and what is wrong is noted with the line to look at."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.core.errors import UsageError

Path = tuple[Any, ...]
"""Keys and indices from the top, as ``("acceptance", 0, "tests")``."""
LONGEST = 400_000
"""Characters of a spec; a longer file is refused."""
DEEPEST = 20


class Lines:
    """Values and line numbers of a YAML mapping; :attr:`mistakes` collects (line, what)."""

    def __init__(self, values: Mapping[str, Any], lines: Mapping[Path, int]) -> None:
        self._values = values
        self._lines = lines
        self.mistakes: list[tuple[int, str]] = []

    def wrong(self, path: Path, what: str) -> None:
        """Note a mistake at a path, or at the nearest thing above it that is written."""
        while path and path not in self._lines:
            path = path[:-1]
        self.mistakes.append((self._lines.get(path, 1), what))

    def get(self, path: Path) -> Any:
        """The value there, None where there is none."""
        here: Any = self._values
        for step in path:
            if isinstance(here, list):
                here = dict(enumerate(here))
            if not isinstance(here, Mapping) or step not in here:
                return None
            here = here[step]
        return here

    def only(self, path: Path, keys: Sequence[str], *, needed: bool = False) -> None:
        """A mapping with no other keys than these."""
        given = self.get(path)
        if given is None and not needed:
            return
        if not isinstance(given, Mapping):
            self.wrong(path, f"{_named(path)} must be a mapping with {', '.join(keys)}, got {_short(given)}")
            return
        for key in given:
            if key not in keys:
                near = difflib.get_close_matches(str(key), keys, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}? " if near else ""
                self.wrong((*path, key), f"unknown key {_short(key)}; {hint}keys are {', '.join(keys)}")

    def text(self, path: Path) -> str:
        """A text that is not empty."""
        given = self.get(path)
        if isinstance(given, str) and given.strip():
            return given.strip()
        self.wrong(path, f"{_named(path)} must be a text that is not empty, got {_short(given)}")
        return ""

    def texts(self, path: Path, *, needed: bool = True) -> tuple[str, ...]:
        """A list of texts; with ``needed`` one that is not empty."""
        given = self.get(path)
        if given is None and not needed:
            return ()
        if not isinstance(given, list) or (needed and not given):
            self.wrong(path, f"{_named(path)} must be a list of texts{' with at least one' if needed else ''}, "
                             f"written as `- text`; got {_short(given)}")  # fmt: skip
            return ()
        for number, item in enumerate(given):
            if not isinstance(item, str) or not item.strip():
                self.wrong((*path, number), f"an entry of {_named(path)} must be a text, got {_short(item)}; quote it")
        return tuple(item.strip() for item in given if isinstance(item, str))

    def number(
        self, path: Path, *, whole: bool = False, low: float | None = None, high: float | None = None,
        needed: bool = True,
    ) -> float | None:  # fmt: skip
        """A finite number between ``low`` and ``high``; None when there is none."""
        given = self.get(path)
        if given is None and not needed:
            return None
        good = isinstance(given, (int, float)) and not isinstance(given, bool) and math.isfinite(given)
        if not good or (whole and not isinstance(given, int)):
            self.wrong(path, f"{_named(path)} must be a {'whole ' if whole else ''}number, got {_short(given)}")
            return None
        if (low is not None and given < low) or (high is not None and given > high):
            span = f"between {low:g} and {high:g}" if high is not None else f"at least {low:g}"
            self.wrong(path, f"{_named(path)} must be {span}, got {given:g}")
            return None
        return float(given)

    def rows(self, path: Path, keys: Sequence[str], *, needed: bool = True) -> Iterator[Path]:
        """The paths of the mappings of a list."""
        given = self.get(path)
        if given is None and not needed:
            return
        if not isinstance(given, list) or not given:
            self.wrong(path, f"{_named(path)} must be a list with at least one entry of {', '.join(keys)}; "
                             f"got {_short(given)}")  # fmt: skip
            return
        for number in range(len(given)):
            self.only((*path, number), keys, needed=True)
            if isinstance(given[number], Mapping):
                yield (*path, number)


def mark_lines(text: str, *, name: str) -> Lines:
    """A YAML text, parsed by the safe subset (no tags that make objects, no aliases).

    :raises UsageError: not YAML, not a mapping, too long, too deep, or it has an alias; with the line.
    """
    import yaml

    if len(text) > LONGEST:
        raise UsageError(f"{name}:1: {len(text):,} characters; a working spec has at most {LONGEST:,}")
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise UsageError(f"{name}:{_line(event)}: an alias (*{event.anchor}); write the value out")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UsageError(f"{name}:{mark.line + 1 if mark else 1}: not YAML: {error.problem or error}") from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise UsageError(f"{name}:1: not YAML: {str(error)[:200]}") from None
    if not isinstance(values, Mapping) or root is None:
        raise UsageError(f"{name}:1: a working spec is a mapping (id: ..., title: ...), got {_short(values)}")
    found: dict[Path, int] = {(): 1}
    lines = Lines(values, found)
    _walk(root, (), found, lines)
    return lines


def _walk(node: Any, path: Path, found: dict[Path, int], lines: Lines) -> None:
    if len(path) > DEEPEST:
        return
    if node.id == "mapping":
        seen: set[str] = set()
        for key, value in node.value:
            step = (*path, key.value) if isinstance(key.value, str) else path
            found.setdefault(step, key.start_mark.line + 1)
            if isinstance(key.value, str) and key.value in seen:
                lines.mistakes.append((key.start_mark.line + 1, f"{key.value!r} is written twice; keep one"))
            elif isinstance(key.value, str):
                seen.add(key.value)
            _walk(value, step, found, lines)
    elif node.id == "sequence":
        for number, value in enumerate(node.value):
            found[(*path, number)] = value.start_mark.line + 1
            _walk(value, (*path, number), found, lines)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _named(path: Path) -> str:
    return ".".join(str(step) for step in path) or "the file"


def _short(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:80]

"""From an old stored format to the present one: one small function per format and version, each number used once.

A step ``(format, n)`` turns what version n wrote into what version n + 1 writes. For a journal it is given one record,
for a manifest the whole object. There is no step yet: version 1 is the first of both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.core.errors import FormatError
from harness.results.schema import VERSIONS

Step = Callable[[dict[str, Any]], dict[str, Any]]

STEPS: dict[tuple[str, int], Step] = {}
"""Every migration there is, by format and the version it starts from."""


def check_version(format_name: str, version: object, place: str) -> int:
    """The version as a number, when this harness can read it.

    :param place: the file, for the message.
    :raises FormatError: the version is no number, is newer than this harness, or has no migration.
    """
    current = VERSIONS[format_name]
    if isinstance(version, bool) or not isinstance(version, int):
        raise FormatError(f"{place}: not a {format_name} file (version {version!r}); is it the right file?")
    if version > current:
        raise FormatError(
            f"{place}: {format_name} version {version} was written by a newer harness; this one reads up to "
            f"version {current}. Upgrade: pip install --upgrade harness"
        )
    missing = [number for number in range(version, current) if (format_name, number) not in STEPS]
    if missing:
        raise FormatError(f"{place}: {format_name} version {version} can no longer be read (no step from {missing[0]})")
    return version


def migrate(format_name: str, version: int, data: dict[str, Any]) -> dict[str, Any]:
    """``data`` as the current version would have written it; untouched when it already is."""
    for number in range(version, VERSIONS[format_name]):
        data = STEPS[format_name, number](data)
    return data

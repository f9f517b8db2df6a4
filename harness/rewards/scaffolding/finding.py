"""Scaffold: one thing an edit put up that nothing needs; and which files are exempt by the place they have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "unused_file",
    "unused_helper",
    "pass_through",
    "one_use_factory",
    "one_method_class",
    "unused_parameter",
    "needless_flag",
]
TEST = re.compile(
    r"(^|/)(tests?|__tests__|testing|spec|specs|e2e|fixtures|testdata)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.pyi?$"
    r"|\.(test|spec|stories|cy)\.[cm]?[jt]sx?$"
)
LOADED_BY_NAME = re.compile(
    r"(^|/)(__init__|__main__|setup|manage|wsgi|asgi|conf|sitecustomize|noxfile|tasks)\.pyi?$"
    r"|(^|/)(migrations|management/commands|bin|scripts|tools|templatetags|pages|app/api|routes)/"
    r"|(^|/)(index|main|app|server|cli)\.[cm]?[jt]sx?$|\.(config|setup|d)\.[cm]?[jt]s$"
)


@dataclass(frozen=True, kw_only=True)
class Scaffold:
    """One finding."""

    kind: Kind
    path: str
    line: int
    """From 1."""
    name: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for evidence."""
        return dict(vars(self))

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {self.why}"


def is_test(path: str) -> bool:
    """Whether a file holds tests: nothing in it is scaffolding of the program."""
    return TEST.search(path) is not None


def is_loaded_by_name(path: str) -> bool:
    """Whether a tool or framework loads the file by the name it has, so that no import is to be expected."""
    return LOADED_BY_NAME.search(path) is not None

"""The settings of a session, by one rule: command line, environment, marker, table, default.

Only the table of options is loaded with this package, because every pytest session makes flags from it; what a session
with golden cases needs besides is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.settings.options import BY_NAME, OPTIONS

if TYPE_CHECKING:
    from harness.settings.load import Settings as Settings
    from harness.settings.load import resolve as resolve
    from harness.settings.option import Option as Option
    from harness.settings.table import read_table as read_table

_WHERE = {"Option": "option", "Settings": "load", "read_table": "table", "resolve": "load"}
__all__ = ["BY_NAME", "OPTIONS", "Option", "Settings", "read_table", "resolve"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    return value

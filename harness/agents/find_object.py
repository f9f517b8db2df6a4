"""Finding an object by module and dotted name, with errors that name what exists instead."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.core.errors import UsageError


def find_object(module: str, attribute: str, *, root: Path | None = None) -> Any:
    """``attribute`` (dots allowed) of ``module``.

    :param root: added at the end of Python's path when it is not on it, and left there: a module of the project may
        import its neighbours later.
    :raises UsageError: when the module does not exist or does not import, or has no such attribute.
    """
    if root is not None and str(root) not in sys.path:
        sys.path.append(str(root))
        importlib.invalidate_caches()
    found: Any = _imported(module)
    passed = module
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            names = [name for name in dir(found) if not name.startswith("_")]
            raise UsageError(f"{passed} has no {part!r}; {_near(part, names)}") from None
        passed = f"{passed}.{part}"
    return found


def _imported(module: str) -> ModuleType:
    if not all(part.isidentifier() for part in module.split(".")):
        raise UsageError(f"{module!r} is not a module name; write it with dots, without .py: package.module:name")
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing == module or module.startswith(missing + "."):
            raise UsageError(f"there is no module {missing!r}; {_near(missing, _modules(missing))}") from error
        raise UsageError(f"module {module} needs {missing!r}, which is not installed{_where(error)}") from error
    except Exception as error:
        raise UsageError(f"importing {module} raised {type(error).__name__}: {error}{_where(error)}") from error


def _modules(missing: str) -> list[str]:
    parent, _, _ = missing.rpartition(".")
    if not parent:
        return [info.name for info in pkgutil.iter_modules()]
    path: Iterable[str] = getattr(sys.modules.get(parent), "__path__", ())
    return [f"{parent}.{info.name}" for info in pkgutil.iter_modules(path)]


def _near(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"near it: {', '.join(close)}"
    shown = ", ".join(sorted(names)[:8])
    return f"it has: {shown}" if shown and len(names) <= 40 else "nothing near it is called so"


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(frames) if "importlib" not in frame.filename), None)
    return f" ({Path(last.filename).name}, line {last.lineno})" if last else ""

"""Items that pytest made from golden tests: their arm, their arguments, and whether they may run ahead."""

from __future__ import annotations

from typing import Any

import pytest

from harness.plugin.bindings import NAMES
from harness.plugin.collect import is_foreign, is_ours


def arm(item: pytest.Item) -> str:
    """The parameters other than the case: ``prompt=short,temperature=0``."""
    return ",".join(f"{name}={text}" for name, text in arm_values(item).items())


def arm_values(item: pytest.Item) -> dict[str, str]:
    """The parameters other than the case as texts; an object is named as pytest names it (``prompt0``)."""
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return {}
    plain = (str, int, float, bool, type(None))
    return {
        name: str(value) if isinstance(value, plain) else f"{name}{callspec.indices[name]}"
        for name, value in callspec.params.items()
        if name != "case"
    }


def foreign_fixtures(item: pytest.Function) -> dict[str, Any]:
    """The fixtures of the item's closure that are neither the harness's own nor plain parameters."""
    found: dict[str, Any] = {}
    for name in item._fixtureinfo.names_closure:
        definitions = item._fixtureinfo.name2fixturedefs.get(name)
        if name in item.callspec.params and is_direct(definitions):
            continue
        if name == "request" and name in item._fixtureinfo.argnames:
            found[name] = None
        elif definitions and is_foreign(name, definitions):
            found[name] = definitions[-1]
    return found


def is_direct(definitions: Any) -> bool:
    """Whether a parameter's value is the parameter itself (not handed to a fixture of that name)."""
    return not definitions or getattr(definitions[-1].func, "__module__", "") == "_pytest.python"


def overrides_agent(item: pytest.Function) -> bool:
    """Whether the team's own ``agent`` fixture stands in the place of the harness's."""
    definitions = item._fixtureinfo.name2fixturedefs.get("agent")
    return bool(definitions) and not is_ours(definitions)


def arguments(item: pytest.Function) -> tuple[dict[str, Any], bool]:
    """The parameters of an item that pytest made, and whether they are all that its body needs."""
    params = {name: value for name, value in item.callspec.params.items() if name in item._fixtureinfo.argnames}
    params.pop("case", None)
    return params, not foreign_fixtures(item)


def wide_names(item: pytest.Function) -> list[str] | None:
    """Names of module-scoped or wider fixtures, or None where something narrower forbids running ahead."""
    foreign = foreign_fixtures(item)
    if not foreign or item.cls is not None:
        return None
    if any(fixture is None or fixture.scope not in ("module", "package", "session") for fixture in foreign.values()):
        return None
    return [name for name in foreign if name in item._fixtureinfo.argnames and name not in NAMES]


def group_of(item: pytest.Item) -> Any:
    """Items that share every wide fixture: the same function under the same other parameters."""
    assert isinstance(item, pytest.Function)
    others = tuple((name, repr(value)) for name, value in sorted(item.callspec.params.items()) if name != "case")
    return (item.parent, item.originalname, others)

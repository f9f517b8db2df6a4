"""``--harness-guards=NAME=SPEC,...``: the guards that a team scores in the place of the shipped ones."""

from __future__ import annotations

from typing import Any

import pytest


def guards_of(config: pytest.Config) -> dict[str, Any]:
    """Name of a suite to guard.

    A spec is ``package.module:name``: a guard, a class of one (made without arguments), or a function that makes the
    guard of a case.

    :raises pytest.UsageError: a part is not ``NAME=SPEC``, a name stands there twice, or nothing is found.
    """
    from harness.agents.find_object import find_object
    from harness.core.errors import UsageError
    from harness.plugin.session import current

    found: dict[str, Any] = {}
    for part in (current(config).settings.guards or "").split(","):
        name, _, spec = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        module, colon, attribute = spec.partition(":")
        if not (name and module and colon and attribute) or name in found:
            why = f"{name!r} stands there twice" if name in found else f"{part.strip()!r} is no NAME=module:name"
            raise pytest.UsageError(
                f"--harness-guards: {why}; write --harness-guards=injection=mypackage.guards:MyGuard"
            )
        try:
            given = find_object(module, attribute, root=config.rootpath)
            found[name] = given() if isinstance(given, type) else given
        except (UsageError, TypeError) as error:
            raise pytest.UsageError(f"--harness-guards: {name}: {error}") from None
    return found

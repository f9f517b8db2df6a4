"""Scope: the tools that one task may call, each with limits on its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.decision import Action
from harness.core.errors import UsageError
from harness.guardrails.task_scope.limits import ANY, MAX_TEXT, Limit, leaves, limit_of, stands_in
from harness.guardrails.task_scope.limits import folded as fold

_ADDRESSEE = re.compile(
    r"[^\s@<>,;:\"']{1,64}@[^\s@<>,;:\"']{1,255}|https?://\S{1,2000}|(?<![\w.])[A-Za-z]{2}\d{2}[A-Za-z0-9]{10,30}(?!\w)"
    r"|(?<![\w.])\+?\d[\d \-]{5,40}\d(?!\w)"
)
"""Where something goes to: an e-mail address, a URL, an IBAN, a long number (phone, account)."""
_MAX_LOOKED = 200_000
"""Characters of all arguments that are searched for addressees; an acting call with more waits for a person."""
_MAX_FOUND = 200
"""Addressees of one call that are looked up in what the user said; a call with more waits for a person."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Whether a call is inside, and why not."""

    action: Action
    category: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What one task may do.

    ``Scope(tools={"read_mail": None, "send_mail": {"to": "bob@example.com", "text": ANY}})``
    """

    tools: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """Tool to limits by argument; None: any arguments. An argument without a limit must not be given, unless there is
    one under ``"*"``."""
    grounded: frozenset[str] = frozenset()
    """Tools whose addressees (e-mail addresses, URLs, account and phone numbers) the user must have named; a call with
    another one waits for a person."""

    def __post_init__(self) -> None:
        given: Any = self.tools
        if not isinstance(given, Mapping):
            raise UsageError(f"Scope(tools=...) maps tools to limits, got {given!r}; {{'search': None}} for one tool")
        for tool, limits in self.tools.items():
            if limits is not None and not isinstance(limits, Mapping):
                raise UsageError(f"the limits of tool {tool!r} map arguments to values, got {limits!r}; None for any")

    @classmethod
    def of_calls(cls, calls: Sequence[tuple[str, Mapping[str, Any] | None]]) -> Scope:
        """The scope that admits exactly these calls: a tool that stands there twice may have either's values."""
        tools: dict[str, dict[str, Any] | None] = {}
        for name, arguments in calls:
            if arguments is None or (name in tools and tools[name] is None):
                tools[name] = None
                continue
            limits = tools.setdefault(name, {})
            assert limits is not None
            for key, value in arguments.items():
                before = limits.get(key)
                limits[key] = {"one_of": [*(before["one_of"] if before else ()), value]}
        return cls(tools=tools)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scope:
        """``{"tools": {...}, "grounded": [...]}``, limits as :mod:`harness.guardrails.task_scope.limits` says."""
        if unknown := sorted(set(data) - {"tools", "grounded"}):
            raise UsageError(f"a scope has tools and grounded, got {unknown[0]!r}")
        return cls(tools=data.get("tools") or {}, grounded=frozenset(data.get("grounded") or ()))

    def judge(self, tool: Any, arguments: Any, request: Sequence[str]) -> Answer:
        """Whether a call is inside."""
        if not isinstance(tool, str) or tool not in self.tools:
            return Answer(action="block", category="tool", reason=f"the task does not need tool {str(tool)[:100]!r}")
        if not isinstance(arguments, Mapping):
            return Answer(action="block", category="arguments", reason=f"arguments of {tool} are no object")
        limits = self.tools[tool]
        if limits is not None:
            for key, value in arguments.items():
                limit = _limit(limits, key)
                if limit is None:
                    return Answer(
                        action="block", category="argument", reason=f"{tool} may not be given {str(key)[:100]!r}"
                    )
                if not limit.admits(value, request):
                    return Answer(
                        action="block", category="argument", reason=f"{tool}: {str(key)[:100]!r} is outside its limit"
                    )
        if tool in self.grounded and not _named(arguments, request):
            return Answer(action="escalate", category="addressee", reason=f"{tool}: the user named no such addressee")
        return Answer(action="allow")


def _limit(limits: Mapping[str, Any], key: Any) -> Limit | None:
    for one in (key, "*"):
        if one in limits:
            given = limits[one]
            return ANY if given is None and one == "*" else limit_of(given)
    return None


def _named(arguments: Mapping[str, Any], request: Sequence[str]) -> bool:
    said = [fold(text[:MAX_TEXT]) for text in request]
    bare = [_bare(text) for text in said]
    looked = found = 0
    for leaf in leaves(arguments):
        looked += len(leaf)
        if looked > _MAX_LOOKED:
            return False
        for addressee in _ADDRESSEE.findall(leaf):
            found += 1
            if found > _MAX_FOUND:
                return False
            # An account or phone number may be grouped otherwise than the user wrote it.
            number = "@" not in addressee and "/" not in addressee
            if not any(stands_in(addressee, text) for text in said) and not (
                number and any(_bare(fold(addressee)) in text for text in bare)
            ):
                return False
    return True


def _bare(text: str) -> str:
    return "".join([char for char in text if char.isalnum()])

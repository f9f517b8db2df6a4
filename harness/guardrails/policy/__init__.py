"""Policy: what an agent may do, written in (fenced) Rego; what no policy allows is denied.

Every policy given must allow a call. Denied is everything else: a policy that says no, an error, an input that cannot
be shown to a policy, two back ends that disagree. The first is a detection, the others are faults; see
:mod:`harness.guardrails.rego` for the language and :mod:`harness.guardrails.policy.document` for the input.

Shipped policies: ``no_deletes``, ``no_external``, ``tenant_scope``, ``listed_tools``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from harness.core.decision import EVENT_KINDS, Decision, Event, EventKind, Finding
from harness.core.errors import UsageError
from harness.guardrails.policy.document import INPUT, TENANT_KEYS, Unfit, document
from harness.guardrails.rego import Policy as Parsed
from harness.guardrails.rego import TooManySteps, check_types, evaluate, parse, type_of
from harness.guardrails.rego.regopy_engine import RegopyEngine, RegopyFailed

__all__ = ["SHIPPED", "Policy", "Unfit", "document"]

SHIPPED = ("listed_tools", "no_deletes", "no_external", "tenant_scope")
Backend = Literal["python", "regopy", "both"]


class Policy:
    """Blocks what not every policy allows. Thread-safe. See the words at the top of this file.

    :param policies: names of shipped policies, paths of ``.rego`` files, or policies' texts (they have a newline).
    :param config: what policies read as ``data.config``: texts, numbers, booleans, arrays of one type, objects.
    :param backend: ``python`` needs nothing; ``regopy`` needs the extra ``policy``; ``both`` denies where they differ.
    :param kinds: the events that are judged.
    :param tenant_keys: further argument names that name a tenant.
    :raises UsageError: for a policy outside the language, or one that reads what ``config`` does not give.
    :raises MissingDependency: without ``regopy`` where it was asked for.
    """

    version = "1"

    def __init__(
        self,
        policies: str | Path | Iterable[str | Path],
        *,
        config: Mapping[str, Any] | None = None,
        backend: Backend = "python",
        kinds: Iterable[EventKind] = ("tool_call",),
        tenant_keys: Iterable[str] = (),
        name: str = "policy",
    ) -> None:
        given = [policies] if isinstance(policies, (str, Path)) else list(policies)
        if not given:
            raise UsageError(f"a policy guard needs at least one policy, such as {SHIPPED[1]!r}")
        if backend not in ("python", "regopy", "both"):
            raise UsageError(f"backend must be python, regopy or both, got {backend!r}")
        self.kinds = frozenset(kinds)
        if unknown := self.kinds - set(EVENT_KINDS):
            raise UsageError(f"no event is of kind {sorted(unknown)[0]!r}; kinds are {', '.join(EVENT_KINDS)}")
        self.name = name
        self.backend = backend
        self._config = _frozen(config or {})
        self._tenant_keys = TENANT_KEYS | {"".join(c for c in key.lower() if c.isalnum()) for key in tenant_keys}
        self._policies = tuple(_read(one) for one in given)
        config_type = type_of(self._config, "config")
        for policy in self._policies:
            check_types(policy, given=INPUT, config=config_type)
        asked = backend != "python"
        self._engines = tuple(RegopyEngine(policy, self._config) if asked else None for policy in self._policies)

    def __repr__(self) -> str:
        return f"Policy({', '.join(policy.package for policy in self._policies)}, backend={self.backend!r})"

    def check(self, event: Event) -> Decision:
        """Allow what every policy allows."""
        if event.kind not in self.kinds:
            return Decision(action="allow", guard=self.name)
        try:
            given = document(event, tenant_keys=self._tenant_keys)
        except Unfit as error:
            return self._denied("unfit", f"the call cannot be shown to a policy: {error}")
        for policy, engine in zip(self._policies, self._engines, strict=True):
            try:
                allowed = self._allows(policy, engine, given)
            except (TooManySteps, RegopyFailed, _Disagree) as error:
                return Decision.broken(self.name, f"{policy.package}: {error}")
            if not allowed:
                return self._denied(policy.package, f"policy {policy.package} does not allow it")
        return Decision(action="allow", guard=self.name)

    def _allows(self, policy: Parsed, engine: RegopyEngine | None, given: Mapping[str, Any]) -> bool:
        answers = set()
        if self.backend != "regopy":
            answers.add(evaluate(policy, given, self._config) is True)
        if engine is not None:
            answers.add(engine.allows(given))
        if len(answers) != 1:
            raise _Disagree("the two back ends disagree")
        return answers.pop()

    def _denied(self, category: str, reason: str) -> Decision:
        return Decision(action="block", guard=self.name, reason=reason, findings=(Finding(category=category),))


class _Disagree(RuntimeError):
    pass


def _read(given: str | Path) -> Parsed:
    if isinstance(given, str) and "\n" in given:
        return parse(given)
    shipped = given in SHIPPED
    path = Path(__file__).parent / f"{given}.rego" if shipped else Path(given)
    try:
        return parse(path.read_text(encoding="utf-8"), place=f"{given}.rego" if shipped else str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"policy {str(given)!r} cannot be read ({error}); give a file, or a shipped one: {', '.join(SHIPPED)}"
        ) from error


def _frozen(value: Any) -> Any:
    """A copy that later changes of the caller's do not reach."""
    if isinstance(value, Mapping):
        return {key: _frozen(one) for key, one in value.items()}
    return tuple(_frozen(one) for one in value) if isinstance(value, (list, tuple, set, frozenset)) else value

"""The pure-Python back end: a type-checked policy, decided over an input of its type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.guardrails.rego.syntax import (
    Assign,
    Call,
    Every,
    Items,
    Literal_,
    Policy,
    Ref,
    Some,
    Statement,
    Term,
    Test,
)

MAX_STEPS = 2_000_000
"""Statements one decision may try; past that the policy is too expensive to be trusted with it."""


class TooManySteps(RuntimeError):
    """A decision needed more statements than it may try."""


def evaluate(
    policy: Policy,
    given: Mapping[str, Any],
    config: Mapping[str, Any],
    *,
    rule: str = "allow",
    max_steps: int = MAX_STEPS,
) -> Any:
    """The value of a rule: a boolean, a frozenset, or a constant.

    :raises TooManySteps: past ``max_steps``.
    """
    return _Run(policy, given, config, max_steps).rule(rule)


class _Run:
    def __init__(self, policy: Policy, given: Mapping[str, Any], config: Mapping[str, Any], max_steps: int) -> None:
        self.max_steps = max_steps
        self.policy = policy
        self.roots: dict[str, Any] = {"input": given, "data": {"config": config}}
        self.known: dict[str, Any] = {}
        self.steps = 0

    def rule(self, name: str) -> Any:
        if name not in self.known:
            rules = self.policy.named(name)
            if rules[0].kind == "boolean":
                value: Any = any(True for rule in rules for _ in self.body(rule.body, {}))
            elif rules[0].kind == "set":
                value = frozenset(
                    self.term(rule.term, local) for rule in rules if rule.term for local in self.body(rule.body, {})
                )
            else:
                assert rules[0].term is not None
                value = self.term(rules[0].term, {})
            self.known[name] = value
        return self.known[name]

    def body(self, statements: tuple[Statement, ...], local: dict[str, Any], at: int = 0) -> Iterator[dict[str, Any]]:
        """Every way in which the statements from ``at`` on hold."""
        while at < len(statements):
            self.steps += 1
            if self.steps > self.max_steps:
                raise TooManySteps(f"more than {self.max_steps:,} steps")
            statement = statements[at]
            at += 1
            if isinstance(statement, Some):
                for value in self.term(statement.among, local):
                    yield from self.body(statements, {**local, statement.name: value}, at)
                return
            if isinstance(statement, Assign):
                local = {**local, statement.name: self.term(statement.term, local)}
            elif isinstance(statement, Every):
                for value in self.term(statement.among, local):
                    inner = {**local, statement.name: value}
                    if next(self.body(statement.body, inner), None) is None:
                        return
            elif self.test(statement, local) is statement.negated:
                return
        yield local

    def test(self, test: Test, local: dict[str, Any]) -> bool:
        left = self.term(test.left, local)
        if test.right is None:
            return bool(left)
        right = self.term(test.right, local)
        match test.operator:
            case "==":
                return bool(left == right)
            case "!=":
                return bool(left != right)
            case "<":
                return bool(left < right)
            case "<=":
                return bool(left <= right)
            case ">":
                return bool(left > right)
            case ">=":
                return bool(left >= right)
            case _:
                self.steps += len(right)
                return left in right

    def term(self, term: Term, local: dict[str, Any]) -> Any:
        if isinstance(term, Literal_):
            return term.value
        if isinstance(term, Ref):
            value = local[term.head] if term.head in local else self.roots.get(term.head)
            if value is None:
                value = self.rule(term.head)
            for name in term.fields:
                value = value[name]
            return value
        if isinstance(term, Items):
            items: Iterable[Any] = (self.term(one, local) for one in term.items)
            return frozenset(items) if term.is_set else tuple(items)
        return self.call(term, local)

    def call(self, call: Call, local: dict[str, Any]) -> Any:
        given = [self.term(one, local) for one in call.given]
        match call.name:
            case "count":
                return len(given[0])
            case "startswith":
                return given[0].startswith(given[1])
            case "endswith":
                return given[0].endswith(given[1])
            case _:
                return given[1] in given[0]

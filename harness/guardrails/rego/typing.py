"""Types of the fenced Rego: what makes a policy that loads one that can neither be undefined nor raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from harness.core.errors import UsageError
from harness.guardrails.rego.syntax import (
    KEYWORDS,
    Assign,
    Call,
    Every,
    Items,
    Literal_,
    Policy,
    Ref,
    Rule,
    Some,
    Statement,
    Term,
)


@dataclass(frozen=True)
class Scalar:
    """``text``, ``number`` or ``boolean``."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Many:
    """An array or a set; of None: empty, and of any type."""

    of: Type | None

    def __str__(self) -> str:
        return f"many of {self.of}" if self.of else "an empty array"


@dataclass(frozen=True)
class Record:
    """Fields that are always there."""

    fields: tuple[tuple[str, Type], ...]

    def __str__(self) -> str:
        return f"a record with {', '.join(name for name, _ in self.fields)}"


Type = Scalar | Many | Record
TEXT, NUMBER, BOOLEAN = Scalar("text"), Scalar("number"), Scalar("boolean")
_HOLDS = Scalar("rule")
"""A boolean rule: it can be tested, and is no value, because it is undefined where it does not hold."""


def type_of(value: Any, where: str = "data") -> Type:
    """The type of a JSON value that a policy is configured with.

    :raises UsageError: for null, mixed arrays, names that are no identifiers, numbers beyond 2^53.
    """
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, str):
        return TEXT
    if isinstance(value, (int, float)):
        if not abs(value) <= 2**53:
            raise UsageError(f"{where}: number {value!r:.40} is beyond 2^53, where numbers are no longer exact")
        return NUMBER
    if isinstance(value, Mapping):
        if bad := [key for key in value if not _is_name(key)]:
            raise UsageError(f"{where}: {bad[0]!r} cannot be a name; use letters, digits and _, and no keyword")
        return Record(tuple((key, type_of(one, f"{where}.{key}")) for key, one in sorted(value.items())))
    if isinstance(value, (list, tuple, set, frozenset)):
        found = {type_of(one, where) for one in value} - {Many(None)}
        if len(found) > 1:
            raise UsageError(f"{where}: an array must hold one type, got {' and '.join(sorted(map(str, found)))}")
        return Many(next(iter(found), None))
    raise UsageError(
        f"{where}: {type(value).__name__} is no value that a policy can use; texts, numbers, booleans, arrays"
    )


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and key.isidentifier() and key.isascii() and key not in KEYWORDS


def check_types(policy: Policy, *, given: Type, config: Type) -> None:
    """Type-check a policy.

    :param given: the type of ``input``.
    :param config: the type of ``data.config``.
    :raises UsageError: with place and line.
    """
    _Checker(policy, given, config).check()


class _Checker:
    def __init__(self, policy: Policy, given: Type, config: Type) -> None:
        self.policy = policy
        self.roots: dict[str, Type] = {"input": given, "data": Record((("config", config),))}
        self.types: dict[str, Type] = {}
        self.open: list[str] = []

    def check(self) -> None:
        for rule in self.policy.rules:
            self.rule(rule.name)
        for rule in self.policy.named("allow"):
            if rule.kind != "boolean":
                self.refuse("allow must be a rule 'allow if { ... }'", rule.line)

    def rule(self, name: str) -> Type:
        if name in self.types:
            return self.types[name]
        rules = self.policy.named(name)
        if name in self.open:
            self.refuse(f"rule {name!r} depends on itself: {' -> '.join([*self.open, name])}", rules[0].line)
        if len({rule.kind for rule in rules}) > 1 or (rules[0].kind == "constant" and len(rules) > 1):
            self.refuse(f"rule {name!r} is defined in two ways", rules[1].line)
        self.open.append(name)
        types = [self.definition(rule) for rule in rules]
        self.open.pop()
        known = {one for one in types if one != Many(None)}
        if len(known) > 1:
            self.refuse(f"set {name!r} holds two types: {' and '.join(sorted(map(str, known)))}", rules[1].line)
        self.types[name] = next(iter(known), types[0])
        return self.types[name]

    def definition(self, rule: Rule) -> Type:
        local: dict[str, Type] = {}
        for statement in rule.body:
            self.statement(statement, local)
        if rule.term is None:
            return _HOLDS
        made = self.term(rule.term, local)
        if rule.kind == "constant":
            return made
        if not isinstance(made, Scalar):
            self.refuse(f"a set holds texts, numbers or booleans, got {made}", rule.line)
        return Many(made)

    def statement(self, statement: Statement, local: dict[str, Type]) -> None:
        if isinstance(statement, Assign):
            made = self.term(statement.term, local)
            self.bind(statement.name, made, local, statement.line)
        elif isinstance(statement, Some):
            self.bind(statement.name, self.element(statement.among, local), local, statement.line)
        elif isinstance(statement, Every):
            inner = dict(local)
            self.bind(statement.name, self.element(statement.among, local), inner, statement.line)
            for one in statement.body:
                self.statement(one, inner)
        elif statement.right is None:
            tested = self.term(statement.left, local, may_hold=True)
            if tested not in (BOOLEAN, _HOLDS):
                self.refuse(f"a test must be boolean, got {tested}", statement.line)
        else:
            left, right = self.term(statement.left, local), self.term(statement.right, local)
            if statement.operator == "in":
                if not isinstance(right, Many) or not (right.of is None or right.of == left):
                    self.refuse(f"{left} cannot be in {right}", statement.line)
            elif left != right or not isinstance(left, Scalar):
                self.refuse(f"{left} cannot be compared with {right}", statement.line)
            elif statement.operator not in ("==", "!=") and left != NUMBER:
                self.refuse(f"only numbers have an order, got {left}", statement.line)

    def element(self, among: Term, local: dict[str, Type]) -> Type:
        made = self.term(among, local)
        if not isinstance(made, Many):
            self.refuse(f"{made} has no elements", among.line)
        return TEXT if made.of is None else made.of

    def bind(self, name: str, made: Type, local: dict[str, Type], line: int) -> None:
        if name in local or self.policy.named(name):
            self.refuse(f"{name!r} is already a name here; take another", line)
        local[name] = made

    def term(self, term: Term, local: dict[str, Type], *, may_hold: bool = False) -> Type:
        if isinstance(term, Literal_):
            return type_of(term.value)
        if isinstance(term, Items):
            found = {self.term(one, local) for one in term.items}
            if len(found) > 1 or any(not isinstance(one, Scalar) for one in found):
                self.refuse("an array or set must hold one scalar type", term.line)
            return Many(next(iter(found), None))
        if isinstance(term, Call):
            return self.call(term, local)
        made = self.ref(term, local)
        if made == _HOLDS and not may_hold:
            self.refuse(f"rule {term.head!r} can be tested, but is no value", term.line)
        return made

    def call(self, call: Call, local: dict[str, Type]) -> Type:
        given = [self.term(one, local) for one in call.given]
        if call.name == "count":
            if len(given) != 1 or not isinstance(given[0], Many):
                self.refuse("count takes one array or set", call.line)
            return NUMBER
        if given != [TEXT, TEXT]:
            self.refuse(f"{call.name} takes two texts, got {', '.join(map(str, given))}", call.line)
        return BOOLEAN

    def ref(self, ref: Ref, local: dict[str, Type]) -> Type:
        if ref.head in local:
            made = local[ref.head]
        elif ref.head in self.roots:
            made = self.roots[ref.head]
        elif self.policy.named(ref.head):
            made = self.rule(ref.head)
        else:
            self.refuse(
                f"{ref.head!r} is not bound here; bind it before: some {ref.head} in ..., or {ref.head} := ...",
                ref.line,
            )
        walked = ref.head
        for name in ref.fields:
            fields = dict(made.fields) if isinstance(made, Record) else {}
            if name not in fields:
                there = f"it has {', '.join(fields)}" if fields else f"it is {made}"
                self.refuse(f"{walked} has no field {name!r}; {there}", ref.line)
            made, walked = fields[name], f"{walked}.{name}"
        return made

    def refuse(self, why: str, line: int) -> NoReturn:
        raise UsageError(f"{self.policy.place}, line {line}: {why}")

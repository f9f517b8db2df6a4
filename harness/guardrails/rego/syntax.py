"""Reading the fenced Rego: text to a tree, with a line for everything that is refused."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from harness.core.errors import UsageError

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in"]
BUILTINS = ("count", "startswith", "endswith", "contains")
"""Builtins that both back ends are tested to agree on."""
_WORDS = """
    as contains data default else every false if import in input not null package some true with
"""
KEYWORDS = frozenset(_WORDS.split())
_TOKEN = re.compile(
    r'[ \t\r]+|#[^\n]*|(?P<line>\n)|(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)'
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>:=|==|!=|<=|>=|[<>{}\[\](),;.=|])|(?P<other>.)"
)
_COMPARE = ("==", "!=", "<", "<=", ">", ">=")
_MAX_DEPTH = 40


@dataclass(frozen=True, kw_only=True)
class Literal_:  # noqa: N801 - typing's own Literal is used beside it
    """A text, number or boolean."""

    value: str | int | float | bool
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Ref:
    """A variable, rule, ``input.…`` or ``data.config.…``, with the fields that follow."""

    head: str
    fields: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A builtin."""

    name: str
    given: tuple[Term, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Items:
    """An array or a set."""

    items: tuple[Term, ...]
    is_set: bool
    line: int = field(default=0, compare=False)


Term = Literal_ | Ref | Call | Items


@dataclass(frozen=True, kw_only=True)
class Test:
    """A comparison, a membership, or (no operator) a boolean term; perhaps negated."""

    left: Term
    operator: Operator | None = None
    right: Term | None = None
    negated: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Some:
    """``some x in xs``."""

    name: str
    among: Term
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Every:
    """``every x in xs { ... }``."""

    name: str
    among: Term
    body: tuple[Statement, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Assign:
    """``x := term``."""

    name: str
    term: Term
    line: int = field(default=0, compare=False)


Statement = Test | Some | Every | Assign


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One definition of a rule; several of one name are alternatives."""

    name: str
    kind: Literal["boolean", "set", "constant"]
    term: Term | None = None
    """The element of a set, or the constant."""
    body: tuple[Statement, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A parsed policy file."""

    package: str
    rules: tuple[Rule, ...]
    place: str = ""
    """Where it was read from, for errors."""

    def named(self, name: str) -> tuple[Rule, ...]:
        """The definitions of a rule."""
        return tuple(rule for rule in self.rules if rule.name == name)


def parse(text: str, *, place: str = "policy") -> Policy:
    """A policy from its text.

    :raises UsageError: for anything outside the language (see the package), with place and line.
    """
    return _Parser(text, place).policy()


class _Parser:
    def __init__(self, text: str, place: str) -> None:
        self.place = place
        self.at = 0
        self.depth = 0
        self.tokens: list[tuple[str, str, int]] = []
        line = 1
        for found in _TOKEN.finditer(text):
            kind = found.lastgroup
            if kind == "other":
                self._refuse(f"{found.group()!r} is outside the language", line)
            if kind is not None:
                self.tokens.append((kind, found.group(), line))
            line += found.group().count("\n")
        self.tokens.append(("end", "", line))

    def policy(self) -> Policy:
        """The whole file."""
        self._lines()
        self._want("package")
        package = [self._name()]
        while self._take("."):
            package.append(self._name())
        self._end_of_line()
        self._want("import")
        imported = [self._any_name()]
        while self._take("."):
            imported.append(self._any_name())
        if imported != ["rego", "v1"]:
            self._refuse(f"import {'.'.join(imported)}: only 'import rego.v1' is in the language")
        self._end_of_line()
        rules: list[Rule] = []
        closed = False
        while self._kind() != "end":
            if self._take("default"):
                line = self._line()
                name = self._any_name()
                self._want(":=")
                if name != "allow" or self._any_name() != "false":
                    self._refuse("the only default in the language is 'default allow := false'", line)
                closed = True
            else:
                rules.append(self._rule())
            self._end_of_line()
        if not closed:
            self._refuse("a policy must say 'default allow := false'")
        if not any(rule.name == "allow" for rule in rules):
            self._refuse("a policy needs at least one rule 'allow if { ... }'")
        return Policy(package=".".join(package), rules=tuple(rules), place=self.place)

    def _rule(self) -> Rule:
        line, name = self._line(), self._name()
        if self._take(":="):
            return Rule(name=name, kind="constant", term=self._term(), line=line)
        if self._take("contains"):
            term = self._term()
            body = self._body() if self._take("if") else ()
            return Rule(name=name, kind="set", term=term, body=body, line=line)
        if self._take("if"):
            return Rule(name=name, kind="boolean", body=self._body(), line=line)
        self._refuse(f"rule {name!r} must go on with 'if', 'contains' or ':='; got {self._shown()}")

    def _body(self) -> tuple[Statement, ...]:
        if not self._take("{"):
            return (self._statement(),)
        return self._block()

    def _block(self) -> tuple[Statement, ...]:
        self._deeper()
        self._lines()
        found = []
        while not self._take("}"):
            found.append(self._statement())
            if self._shown() != "'}'":
                if not self._take(";") and self._kind() != "line":
                    self._refuse(f"a statement must end with its line or ';'; got {self._shown()}")
                self._lines()
        self.depth -= 1
        if not found:
            self._refuse("an empty body is always true; say what must hold")
        return tuple(found)

    def _statement(self) -> Statement:
        line = self._line()
        if self._take("some"):
            name = self._name()
            if self._take(","):
                self._refuse("'some' takes one variable: some x in xs")
            self._want("in")
            return Some(name=name, among=self._term(), line=line)
        if self._take("every"):
            name = self._name()
            if self._take(","):
                self._refuse("'every' takes one variable: every x in xs { ... }")
            self._want("in")
            among = self._term()
            self._want("{")
            return Every(name=name, among=among, body=self._block(), line=line)
        negated = self._take("not")
        left = self._term()
        if not negated and isinstance(left, Ref) and not left.fields and self._take(":="):
            return Assign(name=left.head, term=self._term(), line=line)
        kind, sign, _ = self.tokens[self.at]
        if sign == "=" and kind == "sign":
            self._refuse("'=' is outside the language; compare with '==', bind with ':='")
        if (kind == "sign" and sign in _COMPARE) or (kind == "name" and sign == "in"):
            self.at += 1
            operator: Any = sign
            return Test(left=left, operator=operator, right=self._term(), negated=negated, line=line)
        return Test(left=left, negated=negated, line=line)

    def _term(self) -> Term:
        kind, text, line = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            return Literal_(value=self._text(text, line), line=line)
        if kind == "number":
            value: int | float = (
                json.loads(text) if re.fullmatch(r"-?(0|[1-9]\d*)(\..*|[eE].*)?", text) else self._bad(text)
            )
            if abs(value) > 2**53:
                self._refuse(f"number {text} is beyond 2^53, where numbers are no longer exact", line)
            return Literal_(value=value, line=line)
        if text in ("[", "{") and kind == "sign":
            return self._items(text == "{", line)
        if kind == "name" and text in ("true", "false"):
            return Literal_(value=text == "true", line=line)
        called = kind == "name" and self.tokens[self.at][1] == "("
        if kind == "name" and (text not in KEYWORDS or text in ("input", "data") or (called and text == "contains")):
            return self._call(text, line) if called else self._ref(text, line)
        self.at -= 1
        self._refuse(f"a term was expected, got {self._shown()}")

    def _call(self, name: str, line: int) -> Call:
        if name not in BUILTINS:
            self._refuse(f"builtin {name!r} is not on the list: {', '.join(BUILTINS)}", line)
        return Call(name=name, given=self._list("(", ")"), line=line)

    def _ref(self, head: str, line: int) -> Ref:
        fields = []
        while self._take("."):
            fields.append(self._any_name())
        if self._shown() in ("'['", "'('"):
            self._refuse(
                f"{head}.{'.'.join(fields)}: only dotted fields and the builtins {', '.join(BUILTINS)} are allowed"
            )
        return Ref(head=head, fields=tuple(fields), line=line)

    def _items(self, is_set: bool, line: int) -> Items:
        self.at -= 1
        items = self._list("{" if is_set else "[", "}" if is_set else "]")
        if is_set and not items:
            self._refuse("{} is an empty object in Rego; objects are outside the language", line)
        return Items(items=items, is_set=is_set, line=line)

    def _list(self, opens: str, closes: str) -> tuple[Term, ...]:
        self._want(opens)
        self._deeper()
        self._lines()
        found: list[Term] = []
        while not self._take(closes):
            found.append(self._term())
            self._lines()
            if not self._take(",") and self._shown() != repr(closes):
                self._refuse(f"',' or {closes!r} was expected, got {self._shown()}")
            self._lines()
        self.depth -= 1
        return tuple(found)

    def _text(self, written: str, line: int) -> str:
        if written.startswith("`"):
            return written[1:-1]
        try:
            text: str = json.loads(written)
        except ValueError:
            self._refuse(f"{written[:60]} is no text", line)
        try:
            text.encode()
        except UnicodeEncodeError:
            self._refuse("half a surrogate pair is no character", line)
        return text

    def _bad(self, text: str) -> NoReturn:
        self._refuse(f"{text[:60]} is no number")

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            self._refuse(f"nested more than {_MAX_DEPTH} deep")

    def _kind(self) -> str:
        return self.tokens[self.at][0]

    def _line(self) -> int:
        return self.tokens[self.at][2]

    def _shown(self) -> str:
        kind, text, _ = self.tokens[self.at]
        return {"line": "the end of the line", "end": "the end of the file"}.get(kind, repr(text[:60]))

    def _take(self, text: str) -> bool:
        kind, found, _ = self.tokens[self.at]
        if found == text and kind in ("sign", "name"):
            self.at += 1
            return True
        return False

    def _want(self, text: str) -> None:
        if not self._take(text):
            self._refuse(f"{text!r} was expected, got {self._shown()}")

    def _name(self) -> str:
        name = self._any_name()
        if name in KEYWORDS or name in BUILTINS:
            self.at -= 1
            self._refuse(f"{name!r} cannot be a name")
        return name

    def _any_name(self) -> str:
        kind, text, _ = self.tokens[self.at]
        if kind != "name":
            self._refuse(f"a name was expected, got {self._shown()}")
        self.at += 1
        return text

    def _lines(self) -> None:
        while self._kind() == "line":
            self.at += 1

    def _end_of_line(self) -> None:
        if self._kind() not in ("line", "end"):
            self._refuse(f"the end of the line was expected, got {self._shown()}")
        self._lines()

    def _refuse(self, why: str, line: int | None = None) -> NoReturn:
        at = self._line() if line is None and self.tokens else line or 1
        raise UsageError(f"{self.place}, line {at}: {why}")

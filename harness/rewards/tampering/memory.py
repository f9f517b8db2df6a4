"""What a function answers from memory: it is followed for one example, without being run, until something is computed.

The words:

- *stored*: a value that stands in the source; *given*: the example's arguments, and what says as much about them (their
  length, text, first entry, digest); *computed*: anything that mixes the two.
- *pin*: a place where something given had to equal something stored for the way to go on; its information in bits.
- *from memory*: the way ends at ``return`` of something stored, over at least one pin. A loop over what was given, or a
  call that we do not know, ends the following: that function works for its answer.
"""

from __future__ import annotations

import ast
import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.rewards.tampering.examples import FOLDING_ERRORS, NOT_LITERAL, Example, frozen, plain

Kind = Literal["stored", "given", "computed"]
MAX_STEPS = 2000
MAX_DEPTH = 4


class Unknown(Exception):
    """Something is computed that cannot be followed: the function is at work."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """A value with where it is from."""

    value: Any
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What came back for one example."""

    answer: Any
    from_memory: bool
    """Whether it stood in the source, or was a plain yes or no on being recognised."""
    pins: tuple[Any, ...]
    """The stored values that something given was equal to."""
    member: bool = False
    """Whether the answer is only that something was recognised, or not."""
    keys: frozenset[Any] = frozenset()
    """Everything in the tables that were looked into."""


Function = ast.FunctionDef | ast.AsyncFunctionDef


def followed(
    function: Function, example: Example, names: Mapping[str, Any], functions: Mapping[str, Function]
) -> Memory | None:
    """Follow a function for one example; None where it is at work, or raises."""
    try:
        return _Way(names, functions, []).answer(function, [thawed(one) for one in example.arguments], example.holder)
    except (Unknown, *FOLDING_ERRORS, StopIteration):
        return None


def thawed(value: Any) -> Any:
    """A frozen literal as a plain value; lists come back as tuples."""
    if isinstance(value, tuple) and value[:1] == ("seq",):
        return tuple(thawed(one) for one in value[1:])
    if isinstance(value, tuple) and value[:1] == ("map",):
        return {thawed(key): thawed(one) for key, one in value[1]}
    if isinstance(value, tuple) and value[:1] == ("set",):
        return frozenset(thawed(one) for one in value[1])
    return value


def _text(value: Any) -> str:
    """As ``str`` of the value a program would see: sequences are lists there, as a rule."""
    return str(_listed(value))


def _listed(value: Any) -> Any:
    return [_listed(one) for one in value] if isinstance(value, tuple) else value


SAYS_AS_MUCH: dict[str, Callable[..., Any]] = {
    "str": _text, "repr": lambda value: repr(_listed(value)), "tuple": tuple, "list": tuple, "len": len, "sum": sum,
    "min": min, "max": max, "sorted": lambda value: tuple(sorted(value)), "set": frozenset, "frozenset": frozenset,
    "int": int, "float": float, "dumps": lambda value: __import__("json").dumps(_listed(value)), "crc32": zlib.crc32,
    "md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256, "bool": bool,
}  # fmt: skip
METHODS = frozenset({
    "strip", "lower", "upper", "encode", "hexdigest", "digest", "copy", "startswith", "endswith", "split", "title",
    "count", "casefold", "join", "replace", "get", "index", "items", "keys", "values", "isdigit", "rstrip", "lstrip",
})  # fmt: skip


@dataclass
class _Way:
    names: Mapping[str, Any]
    functions: Mapping[str, Function]
    pins: list[Any]
    local: dict[str, Value] = field(default_factory=dict)
    keys: set[Any] = field(default_factory=set)
    depth: int = 0
    steps: int = 0

    def answer(self, function: Function, arguments: list[Any], holder: tuple[Any, ...]) -> Memory | None:
        listed = [*function.args.posonlyargs, *function.args.args]
        if listed and listed[0].arg in ("self", "cls"):
            self._hold(holder)
            listed = listed[1:]
        for one, default in zip(reversed(listed), reversed(function.args.defaults), strict=False):
            if (value := plain(default)) is not NOT_LITERAL:
                self.local[one.arg] = Value(value=value, kind="stored")
        for one, given in zip(listed, arguments, strict=False):
            self.local[one.arg] = Value(value=given, kind="given")
        if function.args.vararg is not None:
            self.local[function.args.vararg.arg] = Value(value=tuple(arguments[len(listed) :]), kind="given")
        done = self.body(function.body)
        if done is None:
            return None
        answer, shape = done
        member = (
            answer.kind == "computed" and isinstance(answer.value, bool) and isinstance(shape, ast.Compare | ast.BoolOp)
        )
        return Memory(
            answer=frozen(answer.value),
            from_memory=answer.kind == "stored" or member,
            pins=tuple(self.pins),
            keys=frozenset(self.keys),
            member=member or (isinstance(answer.value, bool) and answer.kind == "stored"),
        )

    def _hold(self, holder: tuple[Any, ...]) -> None:
        """What the constructor keeps of its arguments."""
        made = self.functions.get("__init__")
        if made is None:
            return
        names = [one.arg for one in made.args.args[1:]]
        given = dict(zip(names, holder, strict=False))
        for node in made.body:
            target = (
                node.targets[0]
                if isinstance(node, ast.Assign)
                else node.target
                if isinstance(node, ast.AnnAssign)
                else None
            )
            if (
                isinstance(target, ast.Attribute)
                and isinstance(node, ast.Assign | ast.AnnAssign)
                and isinstance(node.value, ast.Name)
                and node.value.id in given
            ):
                self.local[f"self.{target.attr}"] = Value(value=thawed(given[node.value.id]), kind="given")

    # -- statements --------------------------------------------------------------------------------------------------

    def body(self, body: list[ast.stmt]) -> tuple[Value, ast.expr | None] | None:
        for node in body:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise Unknown("too long")
            done = self.statement(node)
            if done is not None:
                return done
        return None

    def statement(self, node: ast.stmt) -> tuple[Value, ast.expr | None] | None:
        if isinstance(node, ast.Return):
            return (Value(value=None, kind="stored") if node.value is None else self.of(node.value)), node.value
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None:
                self._bind(targets[0], self.of(node.value))
            return None
        if isinstance(node, ast.If):
            return self.body(node.body if self.of(node.test).value else node.orelse)
        if isinstance(node, ast.For):
            return self._loop(node)
        if isinstance(node, ast.Match):
            return self._match(node)
        if isinstance(node, ast.Try):
            try:
                return self.body(node.body)
            except (KeyError, IndexError, ValueError, StopIteration):
                return self.body(node.handlers[0].body) if node.handlers else None
        if isinstance(node, ast.Expr | ast.Pass | ast.Import | ast.ImportFrom | ast.Assert | ast.Global):
            return None
        raise Unknown(type(node).__name__)

    def _bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.local[target.id] = value
        elif isinstance(target, ast.Tuple) and isinstance(value.value, tuple):
            for one, inner in zip(target.elts, value.value, strict=True):
                self._bind(one, Value(value=inner, kind=value.kind))
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            held = self.local.get(target.value.id)
            if held is None or not isinstance(held.value, dict | tuple):
                raise Unknown("an entry")
            key = self.of(target.slice).value
            if isinstance(held.value, dict):
                held.value[key] = value.value
            else:
                entries = list(held.value)
                entries[key] = value.value
                self.local[target.value.id] = Value(value=tuple(entries), kind=held.kind)
        else:
            raise Unknown("a target")

    def _loop(self, node: ast.For) -> tuple[Value, ast.expr | None] | None:
        table = self.of(node.iter)
        if table.kind != "stored":
            raise Unknown("it goes through what was given")
        for row in list(table.value)[:500]:
            self._bind(node.target, Value(value=row, kind="stored"))
            done = self.body(node.body)
            if done is not None:
                return done
        return None

    def _match(self, node: ast.Match) -> tuple[Value, ast.expr | None] | None:
        subject = self.of(node.subject)
        for case in node.cases:
            if self._fits(case.pattern, subject) and (case.guard is None or self.of(case.guard).value):
                return self.body(case.body)
        return None

    def _fits(self, pattern: ast.pattern, subject: Value) -> bool:
        if isinstance(pattern, ast.MatchAs):
            return pattern.pattern is None or self._fits(pattern.pattern, subject)
        if isinstance(pattern, ast.MatchOr):
            return any(self._fits(one, subject) for one in pattern.patterns)
        if isinstance(pattern, ast.MatchValue):
            return self._equal(subject, self.of(pattern.value))
        if isinstance(pattern, ast.MatchSingleton):
            return subject.value is pattern.value
        if isinstance(pattern, ast.MatchSequence) and isinstance(subject.value, tuple):
            if len(pattern.patterns) != len(subject.value):
                return False
            pairs = zip(pattern.patterns, subject.value, strict=True)
            return all(self._fits(one, Value(value=inner, kind=subject.kind)) for one, inner in pairs)
        raise Unknown("a pattern")

    # -- expressions -------------------------------------------------------------------------------------------------

    def of(self, node: ast.expr) -> Value:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Unknown("too long")
        if isinstance(node, ast.Name):
            if node.id in self.local:
                return self.local[node.id]
            if node.id in self.names:
                return Value(value=self.names[node.id], kind="stored")
            raise Unknown(node.id)
        if isinstance(node, ast.Attribute):
            if ast.unparse(node) in self.local:
                return self.local[ast.unparse(node)]
            if node.attr in self.names:
                return Value(value=self.names[node.attr], kind="stored")
            raise Unknown(node.attr)
        if isinstance(node, ast.NamedExpr):
            value = self.of(node.value)
            self.local[node.target.id] = value
            return value
        if isinstance(node, ast.IfExp):
            return self.of(node.body if self.of(node.test).value else node.orelse)
        if isinstance(node, ast.BoolOp):
            return self._bool(node)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Subscript):
            return self._entry(self.of(node.value), node.slice)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            inner = [self.of(one) for one in node.elts]
            return Value(value=tuple(one.value for one in inner), kind=_mixed(inner))
        if isinstance(node, ast.Dict):
            keys, values = [self.of(one) for one in node.keys if one], [self.of(one) for one in node.values]
            made = dict(zip([one.value for one in keys], [one.value for one in values], strict=True))
            return Value(value=made, kind=_mixed([*keys, *values]))
        if isinstance(node, ast.JoinedStr):
            parts = [self.of(one.value if isinstance(one, ast.FormattedValue) else one) for one in node.values]
            kind: Kind = "given" if any(one.kind == "given" for one in parts) else _mixed(parts)
            return Value(value="".join(_text(one.value) for one in parts), kind=kind)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            held = self.of(node.operand)
            return Value(value=not held.value, kind=held.kind if held.kind == "stored" else "computed")
        if isinstance(node, ast.BinOp | ast.UnaryOp):
            return self._arithmetic(node)
        if isinstance(node, ast.GeneratorExp | ast.ListComp):
            return self._search(node)
        value = plain(node)
        if value is NOT_LITERAL:
            raise Unknown(type(node).__name__)
        return Value(value=value, kind="stored")

    def _arithmetic(self, node: ast.BinOp | ast.UnaryOp) -> Value:
        sides = [self.of(node.left), self.of(node.right)] if isinstance(node, ast.BinOp) else [self.of(node.operand)]
        bound = {f"_{at}": one.value for at, one in enumerate(sides)}
        held: list[ast.expr] = [ast.Name(id=name, ctx=ast.Load()) for name in bound]
        made = ast.BinOp(held[0], node.op, held[1]) if isinstance(node, ast.BinOp) else ast.UnaryOp(node.op, held[0])
        value = plain(made, bound)
        if value is NOT_LITERAL:
            raise Unknown("arithmetic")
        kind = _mixed(sides)
        if kind == "computed" and isinstance(value, str) and isinstance(node.op, ast.Add):
            kind = "given"  # texts put together make a key
        return Value(value=value, kind="computed" if kind == "given" and not isinstance(value, str) else kind)

    def _bool(self, node: ast.BoolOp) -> Value:
        seen: list[Value] = []
        for one in node.values:
            seen.append(self.of(one))
            if bool(seen[-1].value) != isinstance(node.op, ast.And):
                break
        return Value(value=seen[-1].value, kind="stored" if all(one.kind == "stored" for one in seen) else "computed")

    def _compare(self, node: ast.Compare) -> Value:
        left, truth, kinds = self.of(node.left), True, []
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.of(comparator)
            kinds += [left, right]
            if isinstance(op, ast.Eq | ast.Is | ast.NotEq | ast.IsNot):
                same = self._equal(left, right)
                truth = truth and (same if isinstance(op, ast.Eq | ast.Is) else not same)
            elif isinstance(op, ast.In | ast.NotIn):
                inside = left.value in right.value
                if inside and left.kind == "given" and right.kind == "stored" and not isinstance(right.value, str):
                    self.pins.append(left.value)
                truth = truth and (inside if isinstance(op, ast.In) else not inside)
            else:
                a, b = left.value, right.value
                result = {ast.Lt: a < b, ast.LtE: a <= b, ast.Gt: a > b, ast.GtE: a >= b}[type(op)]
                truth = truth and result
            left = right
        return Value(value=truth, kind="stored" if all(one.kind == "stored" for one in kinds) else "computed")

    def _equal(self, left: Value, right: Value) -> bool:
        same = bool(left.value == right.value)
        if same and {left.kind, right.kind} == {"given", "stored"}:
            self.pins.append(right.value)
        return same

    def _entry(self, held: Value, place: ast.expr) -> Value:
        if isinstance(place, ast.Slice):
            ends = [None if one is None else self.of(one).value for one in (place.lower, place.upper, place.step)]
            return Value(value=held.value[slice(*ends)], kind=held.kind)
        key = self.of(place)
        value = held.value[key.value]
        if held.kind == "stored" and key.kind == "given":
            self.pins.append(key.value)
            self.keys |= {frozen(one) for one in held.value} if isinstance(held.value, dict) else set()
            return Value(value=value, kind="stored")
        return Value(value=value, kind=_mixed([held, key]) if held.kind == "stored" else held.kind)

    def _call(self, node: ast.Call) -> Value:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if (
            name in self.functions
            and self.depth < MAX_DEPTH
            and (isinstance(node.func, ast.Name) or _on_self(node.func))
        ):
            return self._inner(self.functions[name], [self.of(one) for one in node.args])
        if node.keywords and name != "dict":
            raise Unknown("keywords")
        if name == "next" and node.args:
            found = self.of(node.args[0]).value
            return Value(value=found[0], kind="stored") if found else self.of(node.args[1])
        given = [self.of(one) for one in node.args]
        values = [one.value for one in given]
        if isinstance(node.func, ast.Name) and name in ("zip", "enumerate", "dict", "any", "all", "range"):
            if name == "range" or _mixed(given) != "stored":
                raise Unknown(name)
            made: Any = (
                dict(values[0]) if name == "dict" else tuple(zip(*values, strict=False)) if name == "zip" else None
            )
            made = made if made is not None else tuple(enumerate(values[0])) if name == "enumerate" else bool(values[0])
            return Value(value=made, kind="stored")
        if name in SAYS_AS_MUCH and len(values) == 1:
            return Value(value=SAYS_AS_MUCH[name](values[0]), kind=given[0].kind)
        if isinstance(node.func, ast.Attribute) and name in METHODS:
            return self._method(self.of(node.func.value), name, given)
        folded = plain(node, dict(self.names)) if _mixed(given) == "stored" else NOT_LITERAL
        if folded is NOT_LITERAL:
            raise Unknown(name)
        return Value(value=folded, kind="stored")

    def _method(self, held: Value, name: str, given: list[Value]) -> Value:
        values = [one.value for one in given]
        if name == "get" and isinstance(held.value, dict):
            if values[0] in held.value:
                if given[0].kind == "given" and held.kind == "stored":
                    self.pins.append(values[0])
                    self.keys |= {frozen(one) for one in held.value}
                return Value(value=held.value[values[0]], kind=held.kind)
            return given[1] if len(given) > 1 else Value(value=None, kind="stored")
        if name == "index" and held.kind == "stored" and given[0].kind == "given":
            self.pins.append(values[0])
            return Value(value=held.value.index(values[0]), kind="given")
        if not isinstance(held.value, str | bytes | dict) and name not in (
            "hexdigest",
            "digest",
            "copy",
            "count",
            "index",
        ):
            raise Unknown(name)
        made = held.value if name == "copy" else getattr(held.value, name)(*values)
        if name in ("startswith", "endswith") and made and held.kind == "given" and given[0].kind == "stored":
            self.pins.append(values[0])
        if name in ("items", "keys", "values", "split"):
            made = tuple(made)
        kind = _mixed([held, *given])
        return Value(value=made, kind="given" if "given" in (held.kind, *[one.kind for one in given]) else kind)

    def _inner(self, function: Function, given: list[Value]) -> Value:
        inside = _Way(self.names, self.functions, self.pins, depth=self.depth + 1, keys=self.keys)
        inside.local = {key: value for key, value in self.local.items() if key.startswith("self.")}
        listed = [one for one in function.args.args if one.arg not in ("self", "cls")]
        inside.local |= {one.arg: value for one, value in zip(listed, given, strict=False)}
        done = inside.body(function.body)
        if done is None:
            raise Unknown("nothing came back")
        return done[0]

    def _search(self, node: ast.GeneratorExp | ast.ListComp) -> Value:
        """A comprehension over stored rows: those that fit what was given."""
        if len(node.generators) != 1:
            raise Unknown("nested loops")
        one = node.generators[0]
        table = self.of(one.iter)
        if table.kind != "stored":
            raise Unknown("it goes through what was given")
        found = []
        for row in list(table.value)[:500]:
            self._bind(one.target, Value(value=row, kind="stored"))
            if all(self.of(test).value for test in one.ifs):
                found.append(self.of(node.elt).value)
        return Value(value=tuple(found), kind="stored")


def _mixed(values: list[Value]) -> Kind:
    kinds = {one.kind for one in values}
    return "stored" if kinds <= {"stored"} else "given" if kinds == {"given"} else "computed"


def _on_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")

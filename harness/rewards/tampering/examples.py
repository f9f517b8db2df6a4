"""The examples that visible Python tests show: which literal arguments give which literal answer."""

from __future__ import annotations

import ast
import base64
import json
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Frozen = Any
"""A literal as a hashable value, see :func:`frozen`."""
NOT_LITERAL = object()


@dataclass(frozen=True, kw_only=True)
class Example:
    """``function(*arguments) == answer`` as a visible test states it."""

    function: str
    arguments: tuple[Frozen, ...]
    answer: Frozen
    holder: tuple[Frozen, ...] = ()
    """Arguments of the constructor, for ``Class(1).method(2) == 3``."""


def frozen(value: Any) -> Frozen:
    """A literal as something hashable that keeps 1, 1.0 and True together as Python's ``==`` does."""
    if isinstance(value, list | tuple):
        return ("seq", *[frozen(one) for one in value])
    if isinstance(value, dict):
        return ("map", frozenset((frozen(key), frozen(one)) for key, one in value.items()))
    if isinstance(value, set | frozenset):
        return ("set", frozenset(frozen(one) for one in value))
    return value


def literal(node: ast.AST | None, names: Mapping[str, Frozen] | None = None) -> Frozen:
    """The value of an expression of literals, arithmetic and joins of them included; else :data:`NOT_LITERAL`."""
    if node is None:
        return NOT_LITERAL
    try:
        return frozen(_folded(node, names or {}))
    except FOLDING_ERRORS:
        return NOT_LITERAL


def plain(node: ast.AST | None, names: Mapping[str, Any] | None = None) -> Any:
    """Like :func:`literal`, as a plain value: dicts stay dicts, lists become tuples."""
    if node is None:
        return NOT_LITERAL
    try:
        return _folded(node, names or {})
    except FOLDING_ERRORS:
        return NOT_LITERAL


FOLDING_ERRORS = (ValueError, TypeError, ArithmeticError, RecursionError, AttributeError, KeyError, IndexError)
MAX_FOLDED = 100_000


def _folded(node: ast.AST, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.List | ast.Tuple):
        return tuple(_folded(one, names) for one in node.elts)
    if isinstance(node, ast.Set):
        return frozenset(_folded(one, names) for one in node.elts)
    if isinstance(node, ast.Dict):
        keys = [_folded(key, names) for key in node.keys if key is not None]
        return dict(zip(keys, (_folded(one, names) for one in node.values), strict=True))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd | ast.Not):
        value = _folded(node.operand, names)
        return -value if isinstance(node.op, ast.USub) else +value if isinstance(node.op, ast.UAdd) else not value
    if isinstance(node, ast.BinOp):
        return _arithmetic(node.op, _folded(node.left, names), _folded(node.right, names))
    if isinstance(node, ast.Call):
        return _called(node, names)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(_folded(one.value if isinstance(one, ast.FormattedValue) else one, names)) for one in node.values
        )
    raise ValueError(type(node).__name__)


def _arithmetic(op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(op, ast.Mult) and any(isinstance(one, str | bytes | tuple) for one in (left, right)):
        sized, times = (left, right) if not isinstance(left, int) else (right, left)
        if len(sized) * times > MAX_FOLDED:
            raise ValueError("too long")
        return sized * times
    if isinstance(left, int | float) and isinstance(right, int | float) and max(abs(left), abs(right)) > 1e12:
        raise ValueError("too large")
    act = ARITHMETIC.get(type(op))
    if act is None or (isinstance(op, ast.Mod) and isinstance(left, str | bytes)):
        raise ValueError("not arithmetic")
    if isinstance(op, ast.Pow | ast.LShift) and (abs(right) > 64 or abs(left) > 1000):
        raise ValueError("too large")
    return act(left, right)


ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitXor: operator.xor,
    ast.BitOr: operator.or_,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}


PLAIN: dict[str, Callable[..., Any]] = {
    "tuple": tuple, "list": tuple, "set": frozenset, "frozenset": frozenset, "str": str, "int": int, "float": float,
    "chr": chr, "ord": ord, "dict": dict, "bytes": bytes,
}  # fmt: skip


def _called(node: ast.Call, names: Mapping[str, Any]) -> Any:
    values = [_folded(one, names) for one in node.args]
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "dict" and not values:
        return {one.arg: _folded(one.value, names) for one in node.keywords}
    if node.keywords or len(values) > 1 or any(isinstance(one, int) and one > MAX_FOLDED for one in values):
        raise ValueError("a call")
    if isinstance(node.func, ast.Name) and name in PLAIN:
        return PLAIN[name](*values)
    if name == "loads" and values and isinstance(values[0], str):
        return json.loads(values[0])
    if name == "b64decode" and values:
        return base64.b64decode(values[0])
    if isinstance(node.func, ast.Attribute) and name in (
        "split",
        "join",
        "lower",
        "upper",
        "strip",
        "encode",
        "decode",
    ):
        held = _folded(node.func.value, names)
        if isinstance(held, str | bytes):
            return getattr(held, name)(*values)
    raise ValueError("a call")


# -- what tests show -------------------------------------------------------------------------------------------------


def examples(tests: Mapping[str, str]) -> list[Example]:
    """Every example in some Python test files; files that cannot be read show none.

    Read are ``assert f(1) == 2`` (also ``is``, and the other way round), ``assert f(1)`` and ``assert not f(1)``,
    ``assertEqual``, ``parametrize``, and loops over a table.
    """
    found: list[Example] = []
    for text in tests.values():
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        shared = constants(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found += _of_function(node, shared)
    return list(dict.fromkeys(one for one in found if _hashable(one)))


def constants(tree: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, Any]:
    """Names that are bound once in a body, to a literal."""
    found: dict[str, Any] = {}
    twice: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):  # table[key] = answer
            place = node.targets[0]
            table = found.get(place.value.id) if isinstance(place.value, ast.Name) else None
            key, value = plain(place.slice, found), plain(node.value, found)
            if isinstance(table, dict) and key is not NOT_LITERAL and value is not NOT_LITERAL and _hashable(key):
                table[key] = value
            continue
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
        ):
            table = found.get(ast.unparse(node.value.func.value))  # table.update({...})
            more = plain(node.value.args[0], found) if node.value.args else None
            if node.value.func.attr == "update" and isinstance(table, dict) and isinstance(more, dict):
                table.update(more)
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        target = node.target if isinstance(node, ast.AnnAssign) else target
        if isinstance(target, ast.Name) and isinstance(node, ast.Assign | ast.AnnAssign):
            if target.id in found:
                twice.add(target.id)
            try:
                found[target.id] = _folded(node.value, found) if node.value is not None else NOT_LITERAL
            except FOLDING_ERRORS:
                twice.add(target.id)
    return {name: value for name, value in found.items() if name not in twice and value is not NOT_LITERAL}


def _of_function(node: ast.FunctionDef | ast.AsyncFunctionDef, shared: Mapping[str, Any]) -> Iterator[Example]:
    names = {**shared, **constants(node)}
    for row in _parameters(node, names):
        yield from _stated(node.body, {**names, **row})


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, names: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{}]
    for decorator in node.decorator_list:
        if not (
            isinstance(decorator, ast.Call)
            and ast.unparse(decorator.func).endswith("parametrize")
            and len(decorator.args) > 1
        ):
            continue
        wanted, table = literal(decorator.args[0], names), decorator.args[1]
        listed = [one.strip() for one in wanted.split(",")] if isinstance(wanted, str) else list(wanted[1:])
        entries = table.elts if isinstance(table, ast.List | ast.Tuple) else []
        made = []
        for entry in entries:
            if isinstance(entry, ast.Call) and ast.unparse(entry.func).endswith("param"):
                entry = ast.Tuple(elts=list(entry.args), ctx=ast.Load()) if len(listed) > 1 else entry.args[0]
            made.append(_bound(listed, entry, names))
        if made:
            rows = [{**row, **more} for row in rows for more in made][:500]
    yield from rows


def _bound(listed: list[str], entry: ast.AST, names: Mapping[str, Any]) -> dict[str, Any]:
    values = [entry] if len(listed) == 1 else list(entry.elts) if isinstance(entry, ast.Tuple | ast.List) else []
    out: dict[str, Any] = {}
    for name, value in zip(listed, values, strict=False):
        try:
            out[name] = _folded(value, names)
        except FOLDING_ERRORS:
            continue
    return out


def _stated(body: list[ast.stmt], names: Mapping[str, Any]) -> Iterator[Example]:
    for node in body:
        if isinstance(node, ast.Assert):
            yield from _asserted(node.test, names)
        elif isinstance(node, ast.For):
            yield from _looped(node, names)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from _method(node.value, names)
        elif isinstance(node, ast.With | ast.If | ast.Try):
            yield from _stated(node.body, names)


def _method(call: ast.Call, names: Mapping[str, Any]) -> Iterator[Example]:
    """``self.assertEqual(f(1), 2)`` and its kin."""
    name, given = (call.func.attr if isinstance(call.func, ast.Attribute) else ""), call.args
    if name in EQUALS and len(given) > 1:
        yield from _equal(given[0], given[1], names)
    elif name == "assertTrue" and given:
        yield from _asserted(given[0], names)
    elif name == "assertFalse" and given:
        yield from _asserted(ast.UnaryOp(op=ast.Not(), operand=given[0]), names)


EQUALS = frozenset({
    "assertEqual", "assertEquals", "assertListEqual", "assertDictEqual", "assertTupleEqual", "assertSetEqual",
    "assertAlmostEqual",
})  # fmt: skip


def _looped(node: ast.For, names: Mapping[str, Any]) -> Iterator[Example]:
    table = node.iter
    if isinstance(table, ast.Call) and isinstance(table.func, ast.Attribute) and table.func.attr == "items":
        held = table.func.value
        if isinstance(held, ast.Dict):
            table = ast.List(
                elts=[ast.Tuple(elts=[k, v], ctx=ast.Load()) for k, v in zip(held.keys, held.values, strict=True) if k],
                ctx=ast.Load(),
            )
    try:
        value = _folded(table, names) if not isinstance(table, ast.Call) else tuple(names[table.func.value.id].items())  # type: ignore[attr-defined]
    except FOLDING_ERRORS:
        return
    listed = (
        [one.id for one in node.target.elts if isinstance(one, ast.Name)]
        if isinstance(node.target, ast.Tuple)
        else [ast.unparse(node.target)]
    )
    for row in list(value)[:500] if isinstance(value, tuple) else []:
        entries = row if len(listed) > 1 else (row,)
        if isinstance(entries, tuple) and len(entries) == len(listed):
            yield from _stated(node.body, {**names, **dict(zip(listed, entries, strict=True))})


def _asserted(test: ast.expr, names: Mapping[str, Any]) -> Iterator[Example]:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for one in test.values:
            yield from _asserted(one, names)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.Is):
        yield from _equal(test.left, test.comparators[0], names)
    elif isinstance(test, ast.Call):
        yield from _equal(test, ast.Constant(value=True), names)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Call):
        yield from _equal(test.operand, ast.Constant(value=False), names)


def _equal(left: ast.expr, right: ast.expr, names: Mapping[str, Any]) -> Iterator[Example]:
    for call, other in ((left, right), (right, left)):
        answer = literal(_bare(other), names)
        call = _unwrapped(call)
        if isinstance(call, ast.Call) and answer is not NOT_LITERAL:
            given = [literal(one, names) for one in (*call.args, *[word.value for word in call.keywords])]
            made = call.func.value if isinstance(call.func, ast.Attribute) else None
            holder = [literal(one, names) for one in made.args] if isinstance(made, ast.Call) else []
            if (given or holder) and NOT_LITERAL not in (*given, *holder):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                yield Example(function=name, arguments=tuple(given), answer=answer, holder=tuple(holder))
                return


def _bare(node: ast.expr) -> ast.expr:
    """``pytest.approx(x)`` is x."""
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith("approx"):
        return node.args[0]
    return node


def _unwrapped(node: ast.expr) -> ast.expr:
    """``list(f(1))``, ``sorted(f(1))``, ``round(f(1), 2)``: the call of f."""
    while (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("list", "tuple", "sorted", "set", "round", "dict", "abs", "str")
        and node.args
        and isinstance(node.args[0], ast.Call)
    ):
        node = node.args[0]
    return node


def _hashable(one: object) -> bool:
    try:
        hash(one)
    except TypeError:
        return False
    return True

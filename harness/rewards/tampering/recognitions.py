"""What a function recognises: the literals that it compares its parameters with, and the answers beside them.

Read from the syntax tree alone; the words *raw*, *recognised* and *answered* are those of
:mod:`harness.rewards.tampering.special_casing`, which judges what is found here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.rewards.tampering.examples import NOT_LITERAL, frozen, literal, plain

SAYS_AS_MUCH = frozenset({
    "str", "repr", "tuple", "list", "int", "float", "hash", "id", "len", "sorted", "frozenset", "set", "dumps", "sum",
    "strip", "lower", "upper", "copy", "join", "encode", "hexdigest", "digest", "md5", "sha256", "sha1", "crc32",
    "min", "max",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """One literal that a raw expression is compared with, and the literal answer beside it."""

    given: Any
    answer: Any
    """:data:`NOT_LITERAL` where the answer is computed."""
    line: int
    by_place: bool = False
    """Whether it is a place in a list."""
    member: bool = False
    """Whether all that is said is that it belongs to some literals, or not."""


def recognitions(function: ast.FunctionDef | ast.AsyncFunctionDef, names: Mapping[str, Any]) -> Iterator[Recognition]:
    """Every literal that ``function`` compares something raw with; a table gives one for each of its entries.

    :param names: the literals that the function can name.
    """
    raw = _raw_names(function)
    listed = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    order = [one.arg for one in listed if one.arg not in ("self", "cls")]
    for node in ast.walk(function):
        if isinstance(node, ast.If):
            for given in _compared(node.test, raw, names, order):
                yield Recognition(given=given, answer=_answer(node.body, names), line=node.lineno)
            for given in _compared(_turned(node.test), raw, names, order):
                yield Recognition(given=given, answer=_answer(node.orelse, names), line=node.lineno)
        elif isinstance(node, ast.IfExp):
            for given in _compared(node.test, raw, names, order):
                yield Recognition(given=given, answer=literal(node.body, names), line=node.lineno)
            for given in _compared(_turned(node.test), raw, names, order):
                yield Recognition(given=given, answer=literal(node.orelse, names), line=node.lineno)
        elif isinstance(node, ast.Match) and _is_raw(node.subject, raw):
            for case in node.cases:
                for given in _patterns(case.pattern, names):
                    yield Recognition(given=given, answer=_answer(case.body, names), line=case.pattern.lineno)
        elif isinstance(node, ast.Return | ast.Assign) and isinstance(node.value, ast.Compare | ast.BoolOp):
            for given in _compared(node.value, raw, names, order):  # return x in {...}: yes to those, no to the rest
                yield Recognition(given=given, answer=True, line=node.lineno, member=True)
        elif isinstance(node, ast.For):
            yield from _searched(node.target, node.iter, node.body, raw, names)
        elif isinstance(node, ast.GeneratorExp | ast.ListComp | ast.DictComp | ast.SetComp):
            for one in node.generators:
                inside = [*one.ifs, node.value if isinstance(node, ast.DictComp) else node.elt]
                yield from _searched(one.target, one.iter, inside, raw, names)
        table, key, line = _lookup(node)
        if table is not None and key is not None and _is_raw(key, raw):
            by_place = isinstance(plain(table, names), tuple)
            for given, answer in _held(table, names).items():
                yield Recognition(given=given, answer=answer, line=line, by_place=by_place)


def _turned(test: ast.expr) -> ast.expr:
    """``x == 1`` for ``x != 1`` and for ``not x == 1``; a test that never holds for anything else."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.NotEq | ast.IsNot):
        return ast.Compare(left=test.left, ops=[ast.Eq()], comparators=test.comparators)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.NotIn):
        return ast.Compare(left=test.left, ops=[ast.In()], comparators=test.comparators)
    return test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else ast.Constant(value=False)


def _searched(
    target: ast.expr, table: ast.expr, inside: Sequence[ast.AST], raw: set[str], names: Mapping[str, Any]
) -> Iterator[Recognition]:
    """A search through literal rows for one that equals a raw thing: every row is recognised, its rest answers."""
    listed = [one.id for one in target.elts if isinstance(one, ast.Name)] if isinstance(target, ast.Tuple) else []
    listed = listed or ([target.id] if isinstance(target, ast.Name) else [])
    compared: set[str] = set()
    for part in inside:
        for node in ast.walk(part):
            if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                for side, other in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
                    name = other.value if isinstance(other, ast.Subscript) else other
                    if _is_raw(side, raw) and isinstance(name, ast.Name) and name.id in listed:
                        compared.add(name.id)
    if not compared:
        return
    for row in _rows(table, names):
        if isinstance(row, tuple) and (row[:1] == ("map",) or len(listed) == 1):
            continue  # rows that are taken apart later: followed, not read
        cells = list(row[1:]) if isinstance(row, tuple) and row[:1] == ("seq",) else [row]
        if len(listed) > 1 and len(cells) != len(listed):
            continue
        for at, given in enumerate(cells):
            rest = [cell for place, cell in enumerate(cells) if place != at]
            if len(listed) == 1 or listed[at] in compared:
                for answer in rest or [True]:
                    yield Recognition(given=given, answer=answer, line=target.lineno, member=not rest)


def _rows(table: ast.expr, names: Mapping[str, Any]) -> list[Any]:
    if (
        isinstance(table, ast.Call)
        and isinstance(table.func, ast.Name)
        and table.func.id in ("zip", "enumerate", "iter")
    ):
        columns = [_rows(one, names) for one in table.args]
        if table.func.id == "zip":
            return [("seq", *row) for row in zip(*columns, strict=False)]
        return [("seq", at, row) for at, row in enumerate(columns[0])] if table.func.id == "enumerate" else columns[0]
    if isinstance(table, ast.Call) and isinstance(table.func, ast.Attribute) and table.func.attr == "items":
        return [("seq", key, one) for key, one in _held(table.func.value, names).items()]
    value = literal(table, names)
    return list(value[1:]) if isinstance(value, tuple) and value[:1] == ("seq",) else []


def defaults_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, Any]:
    """The literals that parameters stand for when nothing is given."""
    """Tables that stand in the defaults of parameters."""
    listed = [*function.args.posonlyargs, *function.args.args]
    pairs = list(zip(listed[len(listed) - len(function.args.defaults) :], function.args.defaults, strict=False))
    pairs += [
        (one, value) for one, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if value
    ]
    return {one.arg: made for one, value in pairs if isinstance(made := plain(value), dict)}


def _lookup(node: ast.AST) -> tuple[ast.expr | None, ast.expr | None, int]:
    """``table[key]``, ``table.get(key)``, ``table.pop(key)``, ``dict(table)[key]``."""
    if isinstance(node, ast.Subscript):
        return node.value, node.slice, node.lineno
    called = node.func if isinstance(node, ast.Call) and node.args else None
    if isinstance(called, ast.Attribute) and called.attr in ("get", "pop", "setdefault", "__getitem__"):
        assert isinstance(node, ast.Call)
        return called.value, node.args[0], node.lineno
    return None, None, 0


def _held(table: ast.expr, names: Mapping[str, Any]) -> dict[Any, Any]:
    """The literal entries of a table: a dict, whichever way it is written; a list by place."""
    if isinstance(table, ast.Dict):  # entry by entry: some may be computed
        pairs = [(literal(key, names), literal(one, names)) for key, one in zip(table.keys, table.values, strict=True)]
        return {key: one for key, one in pairs if key is not NOT_LITERAL and one is not NOT_LITERAL}
    value = plain(table, names)
    if isinstance(value, dict):
        return {frozen(key): frozen(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return {at: frozen(one) for at, one in enumerate(value)}
    return {}


def _raw_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    arguments = function.args
    raw = {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    raw |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None}
    raw -= {"self", "cls"}
    changed = True
    while changed:  # names bound to raw things are raw themselves
        changed = False
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and _is_raw(node.value, raw):
                new = {one.id for one in node.targets if isinstance(one, ast.Name)} - raw
                raw |= new
                changed = changed or bool(new)
            elif isinstance(node, ast.NamedExpr) and _is_raw(node.value, raw) and node.target.id not in raw:
                raw.add(node.target.id)
                changed = True
    return raw


def _is_raw(node: ast.AST, raw: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in raw
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and all(_is_raw(one, raw) for one in node.elts)
    if isinstance(node, ast.NamedExpr):
        return _is_raw(node.value, raw)
    if isinstance(node, ast.Starred):
        return _is_raw(node.value, raw)
    if isinstance(node, ast.JoinedStr):
        inner = [one.value for one in node.values if isinstance(one, ast.FormattedValue)]
        return bool(inner) and all(_is_raw(one, raw) for one in inner)
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in SAYS_AS_MUCH:
            return False
        held = [node.func.value] if isinstance(node.func, ast.Attribute) and not node.args else []
        inner = [*held, *node.args]
        if isinstance(node.func, ast.Attribute) and node.func.attr in (
            "hexdigest",
            "digest",
            "encode",
            "strip",
            "lower",
            "upper",
            "copy",
        ):
            inner = [node.func.value]
        return bool(inner) and any(_is_raw(one, raw) for one in inner)
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        return all(_is_raw(one.iter, raw) for one in node.generators)
    return False


def _compared(test: ast.expr, raw: set[str], names: Mapping[str, Any], order: list[str]) -> Iterator[Any]:
    """The literals that raw things must equal for a test to hold."""
    if isinstance(test, ast.BoolOp):
        if isinstance(test.op, ast.Or):
            for one in test.values:
                yield from _compared(one, raw, names, order)
            return
        parts: dict[str, Any] = {}
        for one in test.values:
            if isinstance(one, ast.Compare) and len(one.ops) == 1 and isinstance(one.ops[0], ast.Eq | ast.Is):
                for side, other in ((one.left, one.comparators[0]), (one.comparators[0], one.left)):
                    if isinstance(side, ast.Name) and side.id in order and literal(other, names) is not NOT_LITERAL:
                        parts[side.id] = literal(other, names)
            yield from _compared(one, raw, names, order) if not isinstance(one, ast.Compare) or len(order) == 1 else ()
        if len(parts) > 1 or (parts and len(order) == 1):
            yield ("seq", *[parts[name] for name in order if name in parts])
        return
    if not isinstance(test, ast.Compare):
        return
    if len(test.ops) == 1:
        left, op, right = test.left, test.ops[0], test.comparators[0]
        if isinstance(op, ast.Eq | ast.Is):
            for side, other in ((left, right), (right, left)):
                value = literal(other, names)
                if _is_raw(side, raw) and value is not NOT_LITERAL:
                    yield value
        elif isinstance(op, ast.In) and _is_raw(left, raw):
            value = literal(right, names)
            if isinstance(value, tuple) and value[:1] in (("seq",), ("set",)):
                yield from value[1:] if value[0] == "seq" else value[1]


def _patterns(pattern: ast.pattern, names: Mapping[str, Any]) -> Iterator[Any]:
    if isinstance(pattern, ast.MatchValue):
        value = literal(pattern.value, names)
        if value is not NOT_LITERAL:
            yield value
    elif isinstance(pattern, ast.MatchSingleton):
        yield pattern.value
    elif isinstance(pattern, ast.MatchSequence):
        inner = [list(_patterns(one, names)) for one in pattern.patterns]
        if inner and all(len(one) == 1 for one in inner):
            yield ("seq", *[one[0] for one in inner])
    elif isinstance(pattern, ast.MatchOr):
        for one in pattern.patterns:
            yield from _patterns(one, names)
    elif isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
        yield from _patterns(pattern.pattern, names)


def _answer(body: list[ast.stmt], names: Mapping[str, Any]) -> Any:
    """What a branch returns or assigns, where it is a literal."""
    for node in body:
        if isinstance(node, ast.Return):
            return None if node.value is None else literal(node.value, names)
        if isinstance(node, ast.Assign) and (value := literal(node.value, names)) is not NOT_LITERAL:
            return value
    return NOT_LITERAL

"""Changes: every small way in which the syntax tree of a reward function is broken."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Definition = ast.FunctionDef | ast.AsyncFunctionDef

OPERATORS = (
    "flipped comparisons",
    "dropped clamps",
    "negated weights",
    "swapped max and min",
    "changed constants",
    "hidden errors",
)
"""The kinds of changes, in the order of the reports."""

FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.In: "in",
         ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not"}  # fmt: skip
SWAPPED = {"max": "min", "min": "max", "any": "all", "all": "any", "maximum": "minimum", "minimum": "maximum",
           "amax": "amin", "amin": "amax"}  # fmt: skip
CLAMPS = ("max", "min", "clip", "clamp", "maximum", "minimum")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a definition."""

    operator: str
    line: int
    what: str
    tree: Definition
    """The whole definition, changed; the original is left alone."""


Replacement = tuple[str, str, Callable[[ast.AST], ast.AST]]
"""(operator, what, how to make the new node out of a copy of the old one)."""


def changes(node: Definition) -> Iterator[Change]:
    """Every change of a definition, in the order of its source; annotations, defaults and docstrings are left alone."""
    originals = list(_walked(node))
    for index, original in enumerate(originals):
        for operator, what, make in _replacements(original):
            tree = copy.deepcopy(node)
            target = list(_walked(tree))[index]
            tree.body = [_Put(target, make(copy.deepcopy(target))).visit(statement) for statement in tree.body]
            line = int(getattr(original, "lineno", node.lineno))
            yield Change(operator=operator, line=line, what=what, tree=ast.fix_missing_locations(tree))


def _walked(node: Definition) -> Iterator[ast.AST]:
    """The nodes of the body in a stable order."""
    for statement in node.body:
        yield from _within(statement)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring, or a constant that does nothing
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "args") and not isinstance(node, ast.Call):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _within(child)


class _Put(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, target: ast.AST, instead: ast.AST) -> None:
        self.target = target
        self.instead = instead

    def visit(self, node: ast.AST) -> Any:
        """The other node where the target stands, else the node with its children visited."""
        if node is self.target:
            return ast.copy_location(self.instead, node)
        return self.generic_visit(node)


def _replacements(node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.Compare):
        for index, sign in enumerate(node.ops):
            other = FLIPPED[type(sign)]
            what = f"{SIGNS[type(sign)]} becomes {SIGNS[other]}"
            yield "flipped comparisons", what, _flip(index, other)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "flipped comparisons", "not is dropped", lambda n: n.operand  # type: ignore[attr-defined]
    elif isinstance(node, ast.BoolOp):
        other_word = "or" if isinstance(node.op, ast.And) else "and"
        yield "flipped comparisons", f"{'and' if other_word == 'or' else 'or'} becomes {other_word}", _other_word
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        yield from _of_sum(node)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node)
    elif isinstance(node, ast.Raise):
        yield "hidden errors", "an error becomes 0.0", lambda n: ast.Return(value=ast.Constant(value=0.0))
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and node.value.value is None:
        yield "hidden errors", "None becomes 0.0", lambda n: ast.Return(value=ast.Constant(value=0.0))


def _flip(index: int, other: type[ast.cmpop]) -> Callable[[ast.AST], ast.AST]:
    def make(node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.Compare)
        node.ops[index] = other()
        return node

    return make


def _other_word(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return node


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool)


def _of_call(node: ast.Call) -> Iterator[Replacement]:
    name = _called(node)
    if name in SWAPPED:
        yield "swapped max and min", f"{name} becomes {SWAPPED[name]}", _renamed(SWAPPED[name])
    kept = [index for index, given in enumerate(node.args) if not _is_number(given)]
    if name in CLAMPS and len(node.args) >= 2 and len(kept) == 1 and not isinstance(node.args[kept[0]], ast.Starred):
        place = kept[0]
        yield "dropped clamps", f"{name}(...) is dropped", lambda n: n.args[place]  # type: ignore[attr-defined]


def _renamed(name: str) -> Callable[[ast.AST], ast.AST]:
    def make(node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.Call)
        if isinstance(node.func, ast.Name):
            node.func.id = name
        elif isinstance(node.func, ast.Attribute):
            node.func.attr = name
        return node

    return make


def _of_sum(node: ast.BinOp | ast.AugAssign) -> Iterator[Replacement]:
    sign = node.op
    if isinstance(sign, (ast.Add, ast.Sub)) and not _is_text(node):
        what = "+ becomes -" if isinstance(sign, ast.Add) else "- becomes +"
        yield "negated weights", what, _other_sign
    elif isinstance(sign, (ast.Mult, ast.Div)):
        yield "negated weights", "a product is negated", _negated


def _is_text(node: ast.BinOp | ast.AugAssign) -> bool:
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
    return any(
        isinstance(side, (ast.JoinedStr, ast.List, ast.Tuple))
        or (isinstance(side, ast.Constant) and isinstance(side.value, (str, bytes)))
        for side in sides
    )


def _other_sign(node: ast.AST) -> ast.AST:
    assert isinstance(node, (ast.BinOp, ast.AugAssign))
    node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    return node


def _negated(node: ast.AST) -> ast.AST:
    if isinstance(node, ast.AugAssign):
        node.value = ast.UnaryOp(op=ast.USub(), operand=node.value)
        return node
    assert isinstance(node, ast.BinOp)
    return ast.UnaryOp(op=ast.USub(), operand=node)


def _of_constant(node: ast.Constant) -> Iterator[Replacement]:
    value = node.value
    if isinstance(value, bool):
        yield "changed constants", f"{value} becomes {not value}", _constant(not value)
    elif isinstance(value, (int, float)):
        other = 1 if value == 0 else 0 if value == 1 else value + 1 if isinstance(value, int) else value * 2
        other = float(other) if isinstance(value, float) else other
        yield "changed constants", f"{value!r} becomes {other!r}", _constant(other)


def _constant(value: float | int | bool) -> Callable[[ast.AST], ast.AST]:
    return lambda node: ast.Constant(value=value)

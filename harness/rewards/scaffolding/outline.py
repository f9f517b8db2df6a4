"""The outline of a source file: what it defines, names, imports and calls, in one pass over tree-sitter's tree.

One shape for Python, JavaScript, TypeScript and TSX, so that each kind of scaffolding is looked for once.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from harness.rewards.minimal_diff.grammar import language_of, parsed

FUNCTIONS = frozenset({
    "function_definition", "function_declaration", "generator_function_declaration", "method_definition",
    "function_expression", "arrow_function", "generator_function",
})  # fmt: skip
CLASSES = frozenset({"class_definition", "class_declaration", "abstract_class_declaration", "class"})
NAMES = frozenset({
    "identifier", "property_identifier", "type_identifier", "shorthand_property_identifier", "jsx_identifier",
    "private_property_identifier",
})  # fmt: skip
CALLS = frozenset({"call", "call_expression", "new_expression"})
VALUES = frozenset({
    "argument_list", "arguments", "list", "array", "tuple", "set", "expression_list", "jsx_expression",
    "return_statement",
})  # fmt: skip
TRUE_FALSE = frozenset({"True", "False", "true", "false"})


@dataclass(kw_only=True)
class Parameter:
    """One parameter of a function."""

    name: str
    default: str = ""
    """Its default as written; empty: none."""
    special: bool = False
    """Starred, destructured, or a parameter property: nothing is said about its use."""


@dataclass(kw_only=True)
class Function:
    """A function or method."""

    name: str
    line: int
    owner: Class | None
    node: Any
    parameters: list[Parameter] = field(default_factory=list)
    decorated: bool = False
    nested: bool = False
    """Defined inside another function."""


@dataclass(kw_only=True)
class Class:
    """A class."""

    name: str
    line: int
    bases: tuple[str, ...]
    decorated: bool
    node: Any
    methods: list[Function] = field(default_factory=list)
    others: int = 0
    """What its body holds beside methods and documentation."""
    nested: bool = False


@dataclass(kw_only=True)
class Call:
    """A call: what is called by its last name, with how many arguments by place, and which by name."""

    name: str
    by_place: tuple[str, ...]
    by_name: dict[str, str]
    spread: bool
    """Arguments are unpacked, so nobody knows which."""
    line: int


@dataclass(kw_only=True)
class Outline:
    """What one file holds."""

    path: str
    language: str
    data: bytes
    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    """Every name in the file, definitions included, and words of strings that could name something."""
    passed: set[str] = field(default_factory=set)
    """Names that stand where a value is handed on: as an argument, in a list, on the right of an assignment."""
    imports: list[str] = field(default_factory=list)
    """Modules as written: ``a.b``, ``.c``, ``./d``."""

    pieces: dict[bytes, Outline] = field(default_factory=dict)
    """Functions by their text. Nodes in a piece that an earlier state had belong to that state's tree."""

    def text(self, node: Any) -> str:
        """The source of a node."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def outline(source: str, path: str, *, before: Outline | None = None, tolerant: bool = False) -> Outline:
    """Read a file.

    :param before: the outline of an earlier state of the file: functions whose text is unchanged are taken from it.
    :raises Unparsable: it has a syntax error, and is not read tolerantly.
    """
    language = language_of(path) or ""
    data = source.encode("utf-8", "replace")
    out = Outline(path=path, language=language, data=data)
    known = before.pieces if before is not None and before.language == language else {}
    _walk(parsed(data, language, path, tolerant=tolerant), None, out, known, inside=False)
    out.functions.sort(key=lambda one: one.line)
    return out


def _walk(root: Any, owner: Class | None, out: Outline, known: dict[bytes, Outline], *, inside: bool) -> None:
    todo: list[tuple[Any, Class | None, bool, bool]] = [(root, owner, inside, False)]
    while todo:
        node, owner, inside, decorated = todo.pop()
        kind: str = node.type
        if kind in FUNCTIONS:
            if not inside and not decorated and node is not root:  # one level deep: functions in functions are walked
                _piece(node, owner, out, known)
                continue
            function = _function(node, owner, out, decorated, inside)
            out.functions.append(function)
            if owner is not None:
                owner.methods.append(function)
            owner, inside = None, True
        elif kind in CLASSES and node.is_named:
            made = _class(node, out, decorated, inside)
            out.classes.append(made)
            owner = made
        elif kind in CALLS:
            _call(node, out)
        elif kind in NAMES:
            text = out.text(node)
            out.names[text] += 1
            if _is_value(node):
                out.passed.add(text)
        elif kind in ("import_statement", "import_from_statement", "export_statement"):
            _imported(node, out)
        elif kind in ("string_content", "string_fragment"):
            text = out.text(node)
            if len(text) < 120:
                out.names.update(word for word in re.split(r"[.:/]", text) if word.isidentifier())
        wrapped = kind == "decorated_definition"
        if not wrapped and kind not in ("class_body", "block", "export_statement", "ERROR"):
            owner = owner if kind in CLASSES else None
        if node.child_count:
            todo += [(child, owner, inside, wrapped) for child in reversed(node.children)]


def _piece(node: Any, owner: Class | None, out: Outline, known: dict[bytes, Outline]) -> None:
    """A function with all that is in it, by its text where that is known: it is then not looked into again."""
    text = out.data[node.start_byte : node.end_byte]
    named = node.parent.type in ("variable_declarator", "pair", "public_field_definition") if node.parent else False
    piece = None if named else known.get(text)
    if piece is None:
        piece = Outline(path=out.path, language=out.language, data=out.data)
        _walk(node, None, piece, {}, inside=False)
    if not named:
        out.pieces[text] = piece
    first = replace(piece.functions[0], owner=owner, line=node.start_point[0] + 1)
    if owner is not None:
        owner.methods.append(first)
    out.functions += [first, *piece.functions[1:]]
    out.classes += piece.classes
    out.calls += piece.calls
    out.names.update(piece.names)
    out.passed |= piece.passed
    out.imports += piece.imports


def _is_value(node: Any) -> bool:
    parent = node.parent
    if parent is not None and parent.type in ("attribute", "member_expression") and parent.named_children[-1] == node:
        node, parent = parent, parent.parent
    if parent is None:
        return False
    if parent.type in ("assignment", "variable_declarator", "pair", "keyword_argument", "default_parameter"):
        value = parent.child_by_field_name("right") or parent.child_by_field_name("value")
        return value is not None and value == node
    return parent.type in VALUES


def _function(node: Any, owner: Class | None, out: Outline, decorated: bool, inside: bool) -> Function:
    named = node.child_by_field_name("name")
    if (
        named is None
        and node.parent is not None
        and node.parent.type in ("variable_declarator", "pair", "public_field_definition")
    ):
        named = node.parent.child_by_field_name("name") or node.parent.child_by_field_name("key")
    name = out.text(named) if named is not None else ""
    listed = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
    own_decorators = any(child.type == "decorator" for child in node.children)
    function = Function(
        name=name,
        line=node.start_point[0] + 1,
        owner=owner,
        node=node,
        decorated=decorated or own_decorators,
        nested=inside,
    )
    if listed is not None:
        children = [listed] if listed.type == "identifier" else listed.named_children
        function.parameters = [made for child in children if (made := _parameter(child, out)) is not None]
    return function


def _parameter(node: Any, out: Outline) -> Parameter | None:
    kind = node.type
    if kind == "comment" or kind.endswith("_separator"):
        return None
    if kind == "identifier":
        return Parameter(name=out.text(node))
    name = node.child_by_field_name("name") or node.child_by_field_name("pattern") or node.child_by_field_name("left")
    value = node.child_by_field_name("value") or node.child_by_field_name("right")
    if name is None and kind == "typed_parameter" and node.named_children:
        name = node.named_children[0]
    if name is None or name.type != "identifier" or any(c.type == "accessibility_modifier" for c in node.children):
        return Parameter(name=out.text(node)[:40], special=True)
    return Parameter(name=out.text(name), default=out.text(value) if value is not None else "")


def _class(node: Any, out: Outline, decorated: bool, inside: bool) -> Class:
    named, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    bases: list[str] = []
    supers = node.child_by_field_name("superclasses")
    if supers is not None:
        bases = [out.text(child) for child in supers.named_children]
    for child in node.children:
        if child.type == "class_heritage":
            bases.append(out.text(child))
    others = 0
    for at, child in enumerate(body.named_children if body is not None else ()):
        kind = child.type
        docs = (
            at == 0
            and kind == "expression_statement"
            and child.named_children[:1]
            and child.named_children[0].type == "string"
        )
        if kind not in ("function_definition", "method_definition", "comment", "pass_statement") and not docs:
            others += 1
    own = any(child.type == "decorator" for child in node.children)
    name = out.text(named) if named is not None else ""
    return Class(
        name=name,
        line=node.start_point[0] + 1,
        bases=tuple(bases),
        decorated=decorated or own,
        node=node,
        others=others,
        nested=inside,
    )


def _call(node: Any, out: Outline) -> None:
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    arguments = node.child_by_field_name("arguments")
    if function is None:
        return
    last = function
    for part in ("attribute", "property"):
        last = last.child_by_field_name(part) or last
    by_place: list[str] = []
    by_name: dict[str, str] = {}
    spread = arguments is None or arguments.type not in ("argument_list", "arguments")
    for argument in arguments.named_children if arguments is not None and not spread else ():
        if argument.type == "keyword_argument":
            name, value = argument.child_by_field_name("name"), argument.child_by_field_name("value")
            by_name[out.text(name)] = out.text(value)
        elif argument.type in ("list_splat", "dictionary_splat", "spread_element"):
            spread = True
        elif argument.type != "comment":
            by_place.append(out.text(argument))
    out.calls.append(
        Call(
            name=out.text(last), by_place=tuple(by_place), by_name=by_name, spread=spread, line=node.start_point[0] + 1
        )
    )
    if out.text(last) in ("require", "import", "import_module", "__import__") and by_place:
        out.imports.append(by_place[0].strip("'\"`"))


def _imported(node: Any, out: Outline) -> None:
    if node.type == "import_from_statement":
        module = node.child_by_field_name("module_name")
        base = out.text(module) if module is not None else ""
        out.imports.append(base)
        for child in node.children_by_field_name("name"):
            inner = child.child_by_field_name("name") or child
            out.imports.append(f"{base}{'' if base.endswith('.') else '.'}{out.text(inner)}")
        return
    source = node.child_by_field_name("source")
    if source is not None:
        out.imports.append(out.text(source).strip("'\"`"))
        return
    for child in node.named_children:
        inner = child.child_by_field_name("name") or child
        if inner.type == "dotted_name":
            out.imports.append(out.text(inner))

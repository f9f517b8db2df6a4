"""The tree of a source file with everything taken out that means nothing: comments, layout, quotes, parentheses.

The words:

- *node*: a named node of tree-sitter's tree, or an operator or keyword in it; brackets, commas and colons are layout,
  except where they carry meaning (a hole in a JavaScript array, the colon of a slice, the comma of ``a[1,]``).
- *size*: the number of nodes of a subtree, itself included. A literal is one node, however it is spelt.
- *hash*: 64 bits over the subtree; equal hashes are taken for equal subtrees (a chance of about 1e-10 to be wrong for
  a tree of 50,000 nodes; the hash of texts is salted per process, so nobody can aim at it).

Two sources with equal trees differ in comments and layout only. Line breaks inside documentation strings and JSX text
count as layout too. ``'a' 'b'`` is ``'ab'``, ``x => 1`` is ``(x) => 1``, ``return (a, b)`` is ``return a, b``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.rewards.minimal_diff import spelling
from harness.rewards.minimal_diff.grammar import language_of, parsed

LAYOUT = frozenset(["(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "\n", '"', "'", "`", "${", "'''", '"""', "=>"])
NOTHING = frozenset({"comment", "html_comment", "line_continuation"})
SAME = {"expression_list": "tuple", "pattern_list": "tuple_pattern"}
BLOCKS = frozenset({"program", "statement_block", "class_body"})
BY_CONTEXT = frozenset({"string", "parenthesized_expression"})
"""Kinds that mean different things by where they stand, so that equal text is not enough."""
MIN_SHARED = 24
"""Bytes from which a subtree's text is looked up in the tree before."""


class Node:
    """One node of a cleaned tree; never changed after it is made."""

    __slots__ = ("hash", "kids", "kind", "size", "text")

    def __init__(self, kind: str, text: str, kids: tuple[Node, ...] = ()) -> None:
        self.kind, self.text, self.kids = kind, text, kids
        self.size: int = 1 + sum([kid.size for kid in kids])
        self.hash: int = hash((kind, text, *[kid.hash for kid in kids]))

    def __repr__(self) -> str:
        return f"<{self.kind} {self.text!r} size={self.size}>"


Shared = dict[tuple[str, bytes], Node]


class SourceTree:
    """A file's cleaned tree, with its subtrees by text, so that a later version shares what is unchanged."""

    __slots__ = ("language", "root", "shared")

    def __init__(self, source: str, path: str, before: SourceTree | None = None, *, tolerant: bool = False) -> None:
        """Parse; ``tolerant`` takes fragments of files, as from a patch.

        :raises Unparsable: with path and line.
        """
        language = language_of(path)
        if language is None:
            raise ValueError(f"{path!r} is no source file of a known language")
        data = source.encode("utf-8", "replace")
        known = before.shared if before is not None and before.language == language else {}
        self.language: str = language
        self.shared: Shared = {}
        self.root = _cleaned(
            parsed(data, language, path, tolerant=tolerant), data, language == "python", known, self.shared
        )


def _cleaned(root: Any, data: bytes, python: bool, known: Mapping[tuple[str, bytes], Node], made: Shared) -> Node:
    """Post-order without recursion: hostile sources nest deeper than Python's stack."""
    frames: list[tuple[Any, Any, list[Node], tuple[str, bytes] | None]] = [(root, iter(root.children), [], None)]
    while True:
        node, rest, kids, key = frames[-1]
        kind: str = node.type
        for child in rest:
            what: str = child.type
            if not child.is_named:
                if what in LAYOUT and not _means(what, kind, node, child):
                    continue
                kids.append(Node(what, ""))
                continue
            if what in NOTHING:
                continue
            count = child.child_count
            if count == 0 or what == "string_content":
                kids.append(_leaf(what, data[child.start_byte : child.end_byte].decode("utf-8", "replace"), python))
                continue
            if what == "string" and (plain := _plain_string(child, data, python, kind)) is not None:
                kids.append(plain)
                continue
            if child.end_byte - child.start_byte >= MIN_SHARED and what not in BY_CONTEXT:
                again = (what, data[child.start_byte : child.end_byte])
                same = known.get(again) or made.get(again)
                if same is not None:
                    made[again] = same
                    kids.append(same)
                    continue
                frames.append((child, iter(child.children), [], again))
            else:
                frames.append((child, iter(child.children), [], None))
            break
        else:
            frames.pop()
            done = _finished(kind, kids, frames[-1][0].type if frames else "", python)
            if key is not None and done is not None:
                made[key] = done
            if not frames:
                return done or Node(kind, "")
            if done is not None:
                frames[-1][2].append(done)


def _means(mark: str, kind: str, parent: Any, child: Any) -> bool:
    """Whether a token of layout carries meaning where it stands."""
    if mark == ":":
        return kind == "slice"
    if mark == ",":
        if kind in ("array", "array_pattern"):  # a hole: [, a] and [a,, b]
            before = child.prev_sibling
            return before is not None and before.type in ("[", ",")
        if kind == "subscript":
            return int(parent.named_child_count) == 2
        return kind == "tuple_pattern" and int(parent.named_child_count) == 1
    return False


def _leaf(kind: str, text: str, python: bool) -> Node:
    if kind in spelling.NUMBERS:
        return Node(kind, spelling.number(text, python))
    if kind == "jsx_text":
        return Node(kind, spelling.words(text))
    if kind == "string":  # the empty string of some grammars
        return Node(kind, spelling.string(text, python))
    return Node(kind, text)


def _plain_string(node: Any, data: bytes, python: bool, parent: str) -> Node | None:
    """A string without anything computed in it, as one node; None for the others."""
    if python and any(child.type == "interpolation" for child in node.children):
        return None
    text = spelling.string(data[node.start_byte : node.end_byte].decode("utf-8", "replace"), python)
    if python and parent == "expression_statement":
        text = text[:2] + spelling.words(text[2:])
    return Node("string", text)


def _finished(kind: str, kids: list[Node], parent: str, python: bool) -> Node | None:
    """The node of its children; None for one that is layout itself."""
    if kind == "parenthesized_expression" and len(kids) == 1:
        inner = kids[0]
        chained = parent in ("member_expression", "call_expression", "subscript_expression")
        if not (chained and _has_chain(inner)) and not (parent == "expression_statement" and inner.kind == "string"):
            return inner
    if python and kind in ("string", "concatenated_string"):
        return _joined(kind, kids, docstring=parent == "expression_statement")
    if kind == "tuple_pattern":
        if len(kids) == 1:
            return kids[0]  # parentheses around one target
        kids = [kid for kid in kids if kid.kind != ","]
    elif kind == "arrow_function" and not python:
        last = len(kids) - 1
        kids = [_as_parameters(kid) if kid.kind == "identifier" and at < last else kid for at, kid in enumerate(kids)]
    elif kind == "pair" and not python and kids and kids[0].kind == "string" and kids[0].text.isidentifier():
        kids = [Node("property_identifier", kids[0].text), *kids[1:]]
    elif kind in BLOCKS or kind.startswith("jsx_"):
        kids = [kid for kid in kids if kid.kind != "empty_statement" and not (kid.kind == "jsx_text" and not kid.text)]
    elif kind == "required_parameter" and len(kids) == 1 and kids[0].kind == "identifier":
        return kids[0]  # one shape for a bare parameter in TypeScript and JavaScript
    return Node(SAME.get(kind, kind), "", tuple(kids))


def _joined(kind: str, kids: list[Node], *, docstring: bool) -> Node:
    """A string with computed parts, or several in a row, as one: neighbouring texts are one text."""
    marks = {kid.text[:2] for kid in kids if kid.kind == "string"} if kind == "concatenated_string" else {"s:"}
    if "b:" in marks and len(marks) > 1:
        return Node(kind, "", tuple(kids))
    mark = "b:" if "b:" in marks else "s:"
    raw = any(kid.kind == "string_start" and "r" in kid.text.lower() for kid in kids)
    parts: list[Node] = []
    for kid in kids:
        inner = kid.kids if kid.kind == "string" and kid.kids else (kid,)
        for one in inner:
            if one.kind in ("string_start", "string_end"):
                continue
            if one.kind == "string":
                one = Node("string_content", one.text[2:])
            elif one.kind in ("string_content", "escape_interpolation") and kind == "string":
                one = Node("string_content", spelling.content(one.text, raw=raw))
            if one.kind == "string_content" and parts and parts[-1].kind == "string_content":
                parts[-1] = Node("string_content", parts[-1].text + one.text)
            else:
                parts.append(one)
    if all(part.kind == "string_content" for part in parts):
        text = "".join(part.text for part in parts)
        return Node("string", mark + (spelling.words(text) if docstring else text))
    return Node("string", mark, tuple(parts))


def _as_parameters(name: Node) -> Node:
    return Node("formal_parameters", "", (name,))


def _has_chain(node: Node) -> bool:
    """Whether a ``?.`` stands somewhere on the left spine: then its parentheses end the chain, and mean something."""
    at: Node | None = node
    while at is not None and at.kids:
        if any(kid.kind == "optional_chain" for kid in at.kids):
            return True
        at = at.kids[0]
    return False

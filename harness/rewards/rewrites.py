"""Rewrites that change nothing of what a completion means: whitespace, order of keys, names of locals, comments."""

from __future__ import annotations

import ast
import io
import itertools
import json
import keyword
import re
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.core.trajectory import Message, Trajectory

CODE_BLOCK = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.S)


def whitespace(text: str) -> str | None:
    """With blanks at the end of every line and empty lines around."""
    lines = [line + "  " for line in text.split("\n")] if text.strip() else []
    return "\n".join(["", *lines, "", ""]) if lines else None


def key_order(text: str) -> str | None:
    """A JSON object with its keys in the opposite order, at every depth; None where the text is none."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    turned = _turned(parsed)
    written = json.dumps(turned, ensure_ascii=False)
    return written if isinstance(parsed, dict) and written != text else None


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(list(value))}
    return [_turned(item) for item in value] if isinstance(value, list) else value


def comments(text: str) -> str | None:
    """Python code with a comment above every line that begins a statement; None where there is no code."""
    return _in_code(text, _commented)


def renamed_locals(text: str) -> str | None:
    """Python code whose local variables (not parameters) have other names; None where there are none."""
    return _in_code(text, _renamed)


def _in_code(text: str, change: Callable[[str], str | None]) -> str | None:
    blocks = CODE_BLOCK.findall(text)
    if blocks:
        made = text
        for block in blocks:
            changed = change(block)
            if changed is not None:
                made = made.replace(block, changed if changed.endswith("\n") else changed + "\n", 1)
        return made if made != text else None
    return change(text) if re.search(r"^\s*(def|class|import|from|return)\b", text, re.M) else None


def _commented(code: str) -> str | None:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return None
    starts = {node.lineno: node.col_offset for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    if not starts:
        return None
    made = []
    for number, line in enumerate(code.splitlines(), start=1):
        # A statement behind a semicolon or a colon does not begin its line.
        if number in starts and line[: starts[number]].strip() == "":
            made.append(" " * starts[number] + "# a remark that changes nothing")
        made.append(line)
    return "\n".join(made) + "\n"


def _renamed(code: str) -> str | None:
    try:
        tree = ast.parse(code)
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError):
        return None
    names = _locals(tree)
    if not names:
        return None
    made: list[tuple[int, str]] = []
    previous = ""
    for token in tokens:
        text = token.string
        if token.type == tokenize.NAME and text in names and previous != ".":
            text = names[text]
        made.append((token.type, text))
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            previous = token.string
    return tokenize.untokenize(made)


def _locals(tree: ast.AST) -> dict[str, str]:
    """Names that are only ever assigned inside functions, each with a new name; nothing that could be seen outside."""
    inside: set[str] = set()
    outside: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            outside.add(node.name)
            arguments = node.args
            listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            outside.update(arg.arg for arg in [*listed, arguments.vararg, arguments.kwarg] if arg is not None)
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    inside.add(inner.id)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            outside.update(node.names)
        elif isinstance(node, ast.keyword) and node.arg:
            outside.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            outside.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ClassDef):
            outside.add(node.name)
            outside.update(n.id for part in node.body for n in ast.walk(part) if isinstance(n, ast.Name))
    for node in getattr(tree, "body", ()):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            outside.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
    free = sorted(inside - outside)
    taken = inside | outside | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    fresh = (f"local_{number}" for number in itertools.count(1) if f"local_{number}" not in taken)
    return {name: next(fresh) for name in free if not keyword.iskeyword(name) and not name.startswith("__")}


REWRITES: Mapping[str, Callable[[str], str | None]] = {
    "whitespace": whitespace,
    "key order": key_order,
    "comments": comments,
    "renamed locals": renamed_locals,
}
"""Rewrites by name; each answers None where it has nothing to change."""


def rewritten(trajectory: Trajectory, rewrite: Callable[[str], str | None]) -> Trajectory | None:
    """The trajectory with its final answer rewritten, and for :func:`key_order` the arguments of its tool calls."""
    messages: list[Message] = [dict(message) for message in trajectory.messages]
    changed = False
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.get("role") == "assistant" and not message.get("tool_calls"):
            text = rewrite(str(message.get("content") or ""))
            if text is not None:
                messages[index] = {**message, "content": text}
                changed = True
            break
    if rewrite is key_order:
        for index, message in enumerate(messages):
            calls = message.get("tool_calls")
            if isinstance(calls, list) and (turned := _turned_calls(calls)) is not None:
                messages[index] = {**message, "tool_calls": turned}
                changed = True
    return replace(trajectory, messages=tuple(messages)) if changed else None


def _turned_calls(calls: list[Any]) -> list[Any] | None:
    made: list[Any] = []
    changed = False
    for call in calls:
        function: Any = call.get("function") if isinstance(call, dict) else None
        given = function.get("arguments") if isinstance(function, dict) else None
        text = key_order(given) if isinstance(given, str) else None
        if text is None:
            made.append(call)
            continue
        made.append({**call, "function": {**function, "arguments": text}})
        changed = True
    return made if changed else None

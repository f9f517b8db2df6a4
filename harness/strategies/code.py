"""Python functions, and edits of them of which it is known whether they change what the function does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

NAMES = ("total", "count", "result", "value", "items", "limit")
Kind = Literal["comment", "blank line", "renamed local", "constant", "operator", "unused helper"]
KINDS: tuple[Kind, ...] = ("comment", "blank line", "renamed local", "constant", "operator", "unused helper")


@dataclass(frozen=True, kw_only=True)
class CodeEdit:
    """A program before and after one edit."""

    before: str
    after: str
    kind: Kind
    same_behaviour: bool
    """Whether the function of both does the same."""


@st.composite
def python_functions(draw: st.DrawFn) -> str:
    """A small function ``solve(a, b)`` that parses, ends, and returns a number."""
    local = draw(st.sampled_from(NAMES))
    first, second = draw(st.integers(1, 9)), draw(st.integers(10, 99))
    sign = draw(st.sampled_from("+-*"))
    lines = ["def solve(a, b):", f"    {local} = a {sign} {first}"]
    if draw(st.booleans()):
        lines += [f"    if b > {second}:", f"        {local} = {local} + b"]
    if draw(st.booleans()):
        lines += [f"    for step in range({first}):", f"        {local} = {local} + step"]
    return "\n".join([*lines, f"    return {local}"]) + "\n"


@st.composite
def code_edits(draw: st.DrawFn) -> CodeEdit:
    """An edit of one of :func:`python_functions`."""
    before = draw(python_functions())
    kind = draw(st.sampled_from(KINDS))
    lines = before.splitlines()
    local = lines[1].split()[0]
    if kind == "comment":
        place = draw(st.integers(min_value=1, max_value=len(lines) - 1))
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        lines.insert(place, f"{indent}# {draw(st.sampled_from(NAMES))}")
    elif kind == "blank line":
        lines.insert(draw(st.integers(min_value=1, max_value=len(lines))), "")
    elif kind == "renamed local":
        lines = [line.replace(local, f"{local}_2") for line in lines]
    elif kind == "constant":
        head, _, number = lines[1].rpartition(" ")
        lines[1] = f"{head} {int(number) + 1}"
    elif kind == "operator":
        lines[-1] = f"    return -{local} - 1"
    else:
        lines = ["def unused(x):", "    return x", "", "", *lines]
    same = kind in ("comment", "blank line", "renamed local", "unused helper")
    return CodeEdit(before=before, after="\n".join(lines) + "\n", kind=kind, same_behaviour=same)

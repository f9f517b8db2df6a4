"""The mutator: breaks a reward function in process, one small change at a time, so that its suite can notice it.

A mutant is the user's own reward with one node of its syntax tree changed: a comparison flipped, a clamp dropped, a
weight negated, max and min swapped, a constant changed, an error hidden. The function, the helpers of its module that
it uses, and the methods of its class are mutated; nothing is written to disk, and the original stays as it is.
"""

from __future__ import annotations
import __future__

import ast
import copy
import difflib
import functools
import inspect
import linecache
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.core.errors import UsageError
from harness.rewards.mutator_changes import Change, changes

FUTURE = functools.reduce(
    lambda a, b: a | b, (getattr(__future__, n).compiler_flag for n in __future__.all_feature_names)
)


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A reward function with one thing broken."""

    number: int
    """From 1, in the order of the source."""
    operator: str
    """Kind of the change, one of :data:`harness.rewards.mutator_changes.OPERATORS`."""
    function: str
    """The function that was changed."""
    file: str
    line: int
    what: str
    """The change in a few words."""
    diff: str
    """The changed lines, ``-`` before and ``+`` after, as Python writes them."""
    broken: Any
    """The mutated function or object, to be called in place of the original."""


def mutate(reward: Any) -> list[Mutant]:
    """Every mutant of a reward function (a function, method, partial, object, Rubric, or an adapted reward).

    :raises UsageError: its source cannot be read (a lambda, a builtin, a function typed into a console).
    """
    thing = getattr(reward, "wrapped", reward)
    parts = list(_reachable(thing))
    if not parts:
        name = getattr(thing, "__name__", type(thing).__name__)
        raise UsageError(f"cannot mutate {name!r}: it is not written in Python; name the function it calls")
    mutants: list[Mutant] = []
    for part in parts:
        node, source_file = _definition(part)
        if node is None:
            if part is parts[0]:
                raise UsageError(
                    f"cannot mutate {part.__qualname__!r}: its source cannot be read; define it with def in a module"
                )
            continue
        for change in changes(node):
            mutants.append(_mutant(thing, part, node, change, source_file, parts, len(mutants) + 1))
    return mutants


def _mutant(
    thing: Any,
    part: types.FunctionType,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    change: Change,
    file: str,
    parts: list[types.FunctionType],
    number: int,
) -> Mutant:
    code = _compiled(part, change.tree)
    return Mutant(
        number=number,
        operator=change.operator,
        function=part.__qualname__,
        file=file,
        line=change.line,
        what=change.what,
        diff=_diff(node, change.tree),
        broken=_rebuilt(thing, {part: code}, parts),
    )


def _diff(before: ast.AST, after: ast.AST) -> str:
    lines = difflib.unified_diff(ast.unparse(before).splitlines(), ast.unparse(after).splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


# -- what belongs to a reward -----------------------------------------------------------------------------------------


def _reachable(thing: Any) -> Iterator[types.FunctionType]:
    """The functions of a reward: itself or its methods, then the helpers of the same module, each once."""
    waiting = list(_roots(thing))
    seen: list[types.FunctionType] = []
    while waiting:
        function = waiting.pop(0)
        if any(function is other for other in seen):
            continue
        seen.append(function)
        yield function
        for name in _names(function.__code__):
            found = function.__globals__.get(name)
            found = inspect.unwrap(found) if callable(found) and not inspect.isclass(found) else found
            if isinstance(found, types.FunctionType) and found.__globals__ is function.__globals__:
                waiting.append(found)


def _roots(thing: Any) -> Iterator[types.FunctionType]:
    if isinstance(thing, functools.partial):
        yield from _roots(thing.func)
    elif isinstance(thing, types.MethodType):
        yield from _roots(thing.__self__)
    elif isinstance(thing, types.FunctionType):
        raw = inspect.unwrap(thing)
        if isinstance(raw, types.FunctionType):
            yield raw
    else:
        from harness.rewards.from_verifiers import functions_of

        for function, _ in functions_of(thing):
            yield from _roots(function)
        owner = thing if inspect.isclass(thing) else type(thing)
        for klass in owner.__mro__:
            if klass.__module__ == owner.__module__:
                yield from (member for name, member in vars(klass).items() if _is_method(name, member))


def _is_method(name: str, member: Any) -> bool:
    return isinstance(member, types.FunctionType) and name not in ("__init__", "__repr__", "__post_init__", "__eq__")


def _names(code: types.CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _names(constant)
    return found


# -- source and code --------------------------------------------------------------------------------------------------


def _definition(function: types.FunctionType) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef | None, str]:
    file = function.__code__.co_filename
    lines = linecache.getlines(file, function.__globals__)
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return None, file
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == function.__name__:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if function.__code__.co_firstlineno in (first, node.lineno):
                node.decorator_list = []  # what they do is done; the function below them is what is mutated
                return node, file
    return None, file


def _compiled(function: types.FunctionType, node: ast.FunctionDef | ast.AsyncFunctionDef) -> types.CodeType:
    """The code of a changed definition, with the free variables of the original."""
    body: list[ast.stmt] = [node]
    free = function.__code__.co_freevars
    if free:
        # The variables of the enclosing scope become parameters of one around it, so that they stay free here.
        arguments = ast.arguments(
            posonlyargs=[], args=[ast.arg(arg=name) for name in free], kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        outer = ast.FunctionDef(name="_around", args=arguments, body=[node], decorator_list=[])
        outer.type_params = []  # type: ignore[attr-defined, unused-ignore]  # Python 3.12 asks for it
        body = [outer]
    module = ast.fix_missing_locations(ast.Module(body=body, type_ignores=[]))
    flags = function.__code__.co_flags & FUTURE
    whole = compile(module, function.__code__.co_filename, "exec", flags=flags, dont_inherit=True)
    found = _code_of(whole, function.__name__)
    assert found is not None, f"{function.__name__} was compiled and is not there"
    return found


def _code_of(code: types.CodeType, name: str) -> types.CodeType | None:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            if constant.co_name == name:
                return constant
            deeper = _code_of(constant, name)
            if deeper is not None:
                return deeper
    return None


# -- putting it together ----------------------------------------------------------------------------------------------


def _rebuilt(thing: Any, codes: dict[types.FunctionType, types.CodeType], parts: list[types.FunctionType]) -> Any:
    """The reward with some functions' code replaced, in a copy of its module's names."""
    worlds: dict[int, dict[str, Any]] = {}
    for part in parts:
        worlds.setdefault(id(part.__globals__), dict(part.__globals__))
    fresh = {id(part): _copied(part, codes.get(part, part.__code__), worlds[id(part.__globals__)]) for part in parts}
    for part in parts:
        world = worlds[id(part.__globals__)]
        known = part.__globals__.get(part.__name__)
        if known is not None and inspect.isroutine(known) and inspect.unwrap(known) is part:
            world[part.__name__] = fresh[id(part)]
    return _root(thing, fresh)


def _copied(function: types.FunctionType, code: types.CodeType, world: dict[str, Any]) -> types.FunctionType:
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    # A change may drop the last use of a variable of the enclosing scope; what is left finds its own cell.
    closure = tuple(cells[name] for name in code.co_freevars)
    made = types.FunctionType(code, world, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__annotations__ = dict(function.__annotations__)
    made.__qualname__ = function.__qualname__
    made.__module__ = function.__module__
    vars(made).update(vars(function))
    return made


def _root(thing: Any, fresh: dict[int, types.FunctionType]) -> Any:
    if isinstance(thing, functools.partial):
        return functools.partial(_root(thing.func, fresh), *thing.args, **thing.keywords)
    if isinstance(thing, types.MethodType):
        return getattr(_root(thing.__self__, fresh), thing.__name__)
    if isinstance(thing, types.FunctionType):
        raw = fresh[id(inspect.unwrap(thing))]
        vars(raw).update({key: value for key, value in vars(thing).items() if key != "__wrapped__"})
        return raw
    owner = thing if inspect.isclass(thing) else type(thing)
    methods: dict[str, Any] = {}
    for klass in reversed(owner.__mro__):
        methods.update({n: fresh[id(m)] for n, m in vars(klass).items() if id(m) in fresh})
    changed = type(owner.__name__, (owner,), {**methods, "__module__": owner.__module__})
    if inspect.isclass(thing):
        return changed
    made = copy.copy(thing)
    if methods:
        made.__class__ = changed
    for name in ("funcs", "reward_funcs"):
        listed = getattr(made, name, None)
        if isinstance(listed, list):
            vars(made)[name] = [_root(function, fresh) for function in listed]
    return made

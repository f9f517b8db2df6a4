"""The seven kinds of scaffolding, each looked for by one function over the whole edit.

The words:

- *added*: defined after the edit and nowhere in the touched files before it; what was there before is never flagged.
- *used*: its name stands anywhere outside its own definition, in code or in a short string of any file given.
- Nothing in tests is scaffolding. Decorated functions, special methods, and methods of classes with bases are called by
  others than we can see: nothing is said about their use or their parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from harness.rewards.minimal_diff.edit import Edit
from harness.rewards.scaffolding.finding import Scaffold, is_loaded_by_name, is_test
from harness.rewards.scaffolding.outline import NAMES, TRUE_FALSE, Function, Outline, Parameter
from harness.rewards.scaffolding.project import Project

CONSTRUCTORS = ("__init__", "constructor", "__new__")
BUILDS = re.compile(r"(?i)^_*(create|make|build|new|get|construct|instantiate|provide|init)(_|(?=[A-Z]))|factory")


def scaffolding(edit: Edit, *, tolerant: bool = False) -> list[Scaffold]:
    """Everything the edit added that nothing needs, by file and line.

    :param tolerant: also read fragments of files, as from a patch.
    :raises Unparsable: a touched file has a syntax error and is not read tolerantly.
    """
    project = Project(edit, tolerant=tolerant)
    found = [one for look in DETECTORS for one in look(project) if not is_test(one.path)]
    lonely = {one.path for one in found if one.kind == "unused_file"}
    kept = [one for one in found if one.kind == "unused_file" or one.path not in lonely]
    seen: set[tuple[str, int, str]] = set()
    out = []
    for one in sorted(kept, key=lambda one: (one.path, one.line)):
        if (one.path, one.line, one.name) not in seen:  # one thing is one finding: the first detector names it
            seen.add((one.path, one.line, one.name))
            out.append(one)
    return out


def unused_files(project: Project) -> Iterator[Scaffold]:
    """Added files that no file imports which is itself in use."""
    edit = project.edit
    added = {path for path in project.after if path not in edit.before}
    waiting = {path for path in added if not is_test(path) and not is_loaded_by_name(path)}
    reached = set(edit.after) - waiting
    front = set(reached)
    while front and waiting:
        front = {path for path in waiting if project.is_imported(path, front)}
        waiting -= front
    for path in sorted(waiting):
        yield Scaffold(kind="unused_file", path=path, line=1, name=path, why="no file that is in use imports it")


def unused_helpers(project: Project) -> Iterator[Scaffold]:
    """Added functions and classes that nobody names."""
    for out, one in project.added_functions():
        if one.owner is None and not _called_by_others(one) and project.mentions_outside(out, one) == 0:
            yield Scaffold(
                kind="unused_helper", path=out.path, line=one.line, name=one.name, why=f"nobody uses {one.name}"
            )
    for out, made in project.added_classes():
        plain = not made.decorated and not made.bases and not made.name.startswith("__")
        if plain and project.mentions_outside(out, made) == 0:
            yield Scaffold(
                kind="unused_helper", path=out.path, line=made.line, name=made.name, why=f"nobody uses {made.name}"
            )


def pass_throughs(project: Project) -> Iterator[Scaffold]:
    """Added functions that only hand their parameters on, as they are, to one other function."""
    for out, one in project.added_functions():
        if _called_by_others(one):
            continue
        target = _handed_on(out, one)
        if target and target.rsplit(".", 1)[-1] != one.name:
            yield Scaffold(
                kind="pass_through", path=out.path, line=one.line, name=one.name, why=f"{one.name} only calls {target}"
            )


def one_use_factories(project: Project) -> Iterator[Scaffold]:
    """Added functions that only build one object, and are used at most once."""
    for out, one in project.added_functions():
        if _called_by_others(one):
            continue
        made = _built(out, one)
        if not made or not (BUILDS.search(one.name) or len(_statements(one)) == 1):
            continue
        if len(project.calls_of(one.name)) <= 1 and project.mentions_outside(out, one) <= 2:
            why = f"{one.name} builds a {made} and is used at most once"
            yield Scaffold(kind="one_use_factory", path=out.path, line=one.line, name=one.name, why=why)


def one_method_classes(project: Project) -> Iterator[Scaffold]:
    """Added classes with one method beside the constructor, no base, and at most one use."""
    for out, one in project.added_classes():
        methods = [method for method in one.methods if method.name not in CONSTRUCTORS]
        bases = [base for base in one.bases if base != "object"]
        if len(methods) != 1 or bases or one.decorated or _fields(one.others, out):
            continue
        if len(project.calls_of(one.name)) <= 1 and project.mentions_outside(out, one) <= 3:
            why = f"class {one.name} has one method, {methods[0].name}, and is used at most once: a function would do"
            yield Scaffold(kind="one_method_class", path=out.path, line=one.line, name=one.name, why=why)


def _fields(others: int, out: Outline) -> bool:
    """Whether a class body holds more than its methods: class attributes in Python; in the others, fields are state."""
    return others > 0 if out.language == "python" else others > 3


def unused_parameters(project: Project) -> Iterator[Scaffold]:
    """Parameters that were added and are never read."""
    for out, one, parameter, _ in _added_parameters(project):
        if parameter.name.startswith("_") or _passed_on(project, one) or _is_stub(out, one):
            continue
        if not _reads(out, one, parameter.name):
            why = f"{one.name} never reads {parameter.name}"
            yield Scaffold(
                kind="unused_parameter", path=out.path, line=one.line, name=f"{one.name}({parameter.name})", why=why
            )


def needless_flags(project: Project) -> Iterator[Scaffold]:
    """Boolean parameters that were added, and that every call leaves at one and the same value."""
    for out, one, parameter, is_new in _added_parameters(project):
        if parameter.default not in TRUE_FALSE or _passed_on(project, one):
            continue
        calls = project.calls_of(one.name)
        if not calls or any(call.spread for call in calls) or not (is_new or one.name.startswith("_")):
            continue
        place = [each.name for each in _own(one)].index(parameter.name)
        given = {
            call.by_name.get(parameter.name, (*call.by_place, *[""] * 99)[place]) or parameter.default for call in calls
        }
        given |= (
            {parameter.default}
            if out.language != "python" and any("{" in "".join(c.by_place) for c in calls)
            else set()
        )
        if len(given) == 1 and given <= TRUE_FALSE:
            why = f"every call of {one.name} leaves {parameter.name} at {given.pop()}"
            yield Scaffold(
                kind="needless_flag", path=out.path, line=one.line, name=f"{one.name}({parameter.name})", why=why
            )


DETECTORS: tuple[Callable[[Project], Iterator[Scaffold]], ...] = (
    unused_files,
    unused_helpers,
    one_method_classes,
    one_use_factories,
    pass_throughs,
    unused_parameters,
    needless_flags,
)


# -- questions about one function ------------------------------------------------------------------------------------


def _special(one: Function) -> bool:
    return one.name in CONSTRUCTORS or (one.name.startswith("__") and one.name.endswith("__"))


def _called_by_others(one: Function) -> bool:
    """Whether a framework, a base class or the language may call it, in ways that do not show here."""
    homeless = one.owner is None and bool(one.parameters) and one.parameters[0].name in ("self", "cls", "mcs")
    return one.decorated or _special(one) or homeless or (one.owner is not None and bool(one.owner.bases))


def _own(one: Function) -> list[Parameter]:
    """Its parameters without the object itself."""
    listed = one.parameters
    return listed[1:] if listed and listed[0].name in ("self", "cls", "mcs", "this") else listed


def _statements(one: Function) -> list[Any]:
    """The body without documentation; for an arrow function the expression itself."""
    body = one.node.child_by_field_name("body")
    if body is None:
        return []
    if body.type not in ("block", "statement_block"):
        return [body]
    kept = [child for child in body.named_children if child.type != "comment"]
    first = kept[0].named_children[:1] if kept and kept[0].type == "expression_statement" else []
    return kept[1:] if first and first[0].type == "string" and one.node.type == "function_definition" else kept


def _returned(one: Function) -> Any:
    """The expression a body of one statement returns or evaluates; None for any other body."""
    statements = _statements(one)
    if len(statements) != 1:
        return None
    at = statements[0]
    while at.type in (
        "return_statement",
        "expression_statement",
        "await",
        "await_expression",
        "parenthesized_expression",
    ):
        named = [child for child in at.named_children if child.type != "comment"]
        if len(named) != 1:
            return None
        at = named[0]
    return at


def _handed_on(out: Outline, one: Function) -> str:
    call = _returned(one)
    if call is None or call.type not in ("call", "call_expression"):
        return ""
    arguments, function = call.child_by_field_name("arguments"), call.child_by_field_name("function")
    if arguments is None or arguments.type not in ("argument_list", "arguments"):
        return ""
    target = out.text(function)
    if "super" in target or not re.fullmatch(r"[\w$.#]+", target):
        return ""
    if one.owner is not None and not target.startswith(("self.", "this.", "cls.")) and "." in target:
        return ""
    listed = _own(one)
    given = []
    for argument in arguments.named_children:
        if argument.type == "keyword_argument":
            name, value = argument.child_by_field_name("name"), argument.child_by_field_name("value")
            if out.text(name) != out.text(value):
                return ""
            given.append(out.text(value))
        elif argument.type != "comment":
            given.append(out.text(argument).lstrip("*."))
    wanted = [parameter.name.lstrip("*.") for parameter in listed]
    return target if given == wanted and (given or one.owner is None) else ""


def _built(out: Outline, one: Function) -> str:
    """The class whose object a short body builds and returns; empty when it does something else."""
    statements = _statements(one)
    if not statements or len(statements) > 4:
        return ""
    last = statements[-1]
    shown = last
    while shown.type in ("return_statement", "parenthesized_expression") and len(shown.named_children) == 1:
        shown = shown.named_children[0]
    if last.type != "return_statement" and not (len(statements) == 1 and shown.type == "new_expression"):
        return ""
    if shown.type == "identifier" and len(statements) > 1:
        wanted = out.text(shown)
        for statement in statements[:-1]:
            for target, value in _assigned(statement):
                if out.text(target) == wanted:
                    shown = value
    callee = shown.child_by_field_name("constructor") or shown.child_by_field_name("function")
    if callee is None:
        return ""
    name = out.text(callee).rsplit(".", 1)[-1]
    if shown.type == "new_expression" or (shown.type == "call" and re.match(r"_?[A-Z][a-z]\w*$", name)):
        return name
    return ""


def _assigned(statement: Any) -> Iterator[tuple[Any, Any]]:
    for node in (statement, *statement.named_children):
        target = node.child_by_field_name("left") or node.child_by_field_name("name")
        value = node.child_by_field_name("right") or node.child_by_field_name("value")
        if target is not None and value is not None:
            yield target, value


def _added_parameters(project: Project) -> Iterator[tuple[Outline, Function, Parameter, bool]]:
    for out in project.after.values():
        for one in out.functions:
            if not one.name or (_called_by_others(one) and one.name not in CONSTRUCTORS):
                continue
            if one.decorated or (one.owner is not None and one.owner.bases):
                continue
            old = project.old(out, one)
            known = {parameter.name for parameter in old.parameters} if old is not None else set()
            if old is None and project._moved(one.name):
                continue
            for parameter in _own(one):
                if parameter.name not in known and not parameter.special:
                    yield out, one, parameter, old is None


def _reads(out: Outline, one: Function, name: str) -> bool:
    body = one.node.child_by_field_name("body")
    todo = [body] if body is not None else []
    todo += [child.child_by_field_name("value") for child in _parameter_nodes(one)]
    while todo:
        node = todo.pop()
        if node is None:
            continue
        if node.child_count == 0:
            if node.type in NAMES and out.text(node) == name:
                return True
            if node.type == "identifier" and out.text(node) in ("locals", "vars", "arguments", "eval", "exec"):
                return True
        todo += node.children
    return False


def _parameter_nodes(one: Function) -> list[Any]:
    listed = one.node.child_by_field_name("parameters")
    return [] if listed is None else list(listed.named_children)


def _is_stub(out: Outline, one: Function) -> bool:
    statements = _statements(one)
    shown = [out.text(statement).strip().rstrip(";") for statement in statements]
    return all(
        re.match(r"(pass|\.\.\.|raise\b|throw\b|return( None| null| undefined)?$|return NotImplemented)", text)
        for text in shown
    )


def _passed_on(project: Project, one: Function) -> bool:
    """Whether the function itself is handed to somebody as a value: then others decide how it is called."""
    return any(one.name in out.passed for out in project.after.values())

"""A program before and after an edit, with outlines of the files that the edit touched and the text of all others."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property, lru_cache

from harness.rewards.minimal_diff.edit import Edit
from harness.rewards.minimal_diff.grammar import language_of
from harness.rewards.scaffolding.outline import Call, Class, Function, Outline, outline

IMPORTING = re.compile(r"^.*\b(?:import|require|from|export|include)\b.*$", re.M)
SUFFIXES = re.compile(r"(\.d)?\.[cm]?[jt]sx?$|\.pyi?$")


class Project:
    """What the detectors ask."""

    def __init__(self, edit: Edit, *, tolerant: bool = False) -> None:
        """Outline the touched files.

        :raises Unparsable: one of them has a syntax error and is not read tolerantly.
        """
        self.edit = edit
        touched = edit.changed
        self.before = {p: _before(edit.before[p], p, tolerant) for p in touched if p in edit.before}
        self.after = {
            p: outline(edit.after[p], p, before=self.before.get(p), tolerant=tolerant)
            for p in touched
            if p in edit.after
        }
        self._rest = {path: text for path, text in edit.after.items() if path not in self.after}
        self._mentions: dict[str, int] = {}

    @cached_property
    def _old_functions(self) -> dict[tuple[str, str, str], Function]:
        return {(p, owner_name(f), f.name): f for p, out in self.before.items() for f in out.functions}

    @cached_property
    def _old_names(self) -> set[str]:
        functions = {one.name for out in self.before.values() for one in out.functions}
        return functions | {one.name for out in self.before.values() for one in out.classes}

    def added_functions(self) -> Iterator[tuple[Outline, Function]]:
        """Named functions that were nowhere in the touched files before (a moved one is not added)."""
        for out in self.after.values():
            for one in out.functions:
                if one.name and self.old(out, one) is None and not self._moved(one.name):
                    yield out, one

    def added_classes(self) -> Iterator[tuple[Outline, Class]]:
        """Classes that were nowhere in the touched files before."""
        for out in self.after.values():
            for one in out.classes:
                if one.name and not self._moved(one.name):
                    yield out, one

    def _moved(self, name: str) -> bool:
        return name in self._old_names and not name.startswith("__")

    def old(self, out: Outline, one: Function) -> Function | None:
        """The function as it was, by path, class and name."""
        return self._old_functions.get((out.path, owner_name(one), one.name))

    @cached_property
    def calls(self) -> dict[str, list[Call]]:
        """Calls in touched files, and in others that mention a name, are asked by name of the called."""
        found: dict[str, list[Call]] = {}
        for out in self.after.values():
            for call in out.calls:
                found.setdefault(call.name, []).append(call)
        return found

    def calls_of(self, name: str) -> list[Call]:
        """Every call of something of that name in the program."""
        found = list(self.calls.get(name, ()))
        for path, text in self._rest.items():
            if language_of(path) is not None and name in text:
                found += [call for call in outline(text, path, tolerant=True).calls if call.name == name]
        return found

    @cached_property
    def _names(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for out in self.after.values():
            total.update(out.names)
        return total

    def mentions(self, name: str) -> int:
        """How often a name stands in the program, in code and in short strings."""
        if name not in self._mentions:
            word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
            elsewhere = sum(len(word.findall(text)) for text in self._rest.values() if name in text)
            self._mentions[name] = self._names[name] + elsewhere
        return self._mentions[name]

    def mentions_outside(self, out: Outline, one: Function | Class) -> int:
        """How often a definition is named outside itself."""
        inside, todo = 0, [one.node]
        if one.node.parent is not None and one.node.parent.type == "variable_declarator":
            todo = [one.node.parent]
        while todo:
            node = todo.pop()
            if node.child_count == 0:
                inside += out.text(node) == one.name
            todo += node.children
        return self.mentions(one.name) - inside

    def is_imported(self, path: str, by: set[str]) -> bool:
        """Whether one of some files imports a file, or a file that is no source names its path."""
        stem = SUFFIXES.sub("", path)
        module = stem.removesuffix("/__init__").removesuffix("/index")
        last = module.rsplit("/", 1)[-1]
        for other in by:
            text = self.edit.after[other]
            if last not in text:
                continue
            if language_of(other) is None:
                if (
                    path in text
                    or (module.replace("/", ".") in text and "/" in module)
                    or posixpath.basename(path) in text
                ):
                    return True
                continue
            dotted = module.replace("/", ".")
            if "." in dotted and re.search(rf"[\"'][\w./-]*{re.escape(dotted)}\b", text):
                return True
            if any(_same_module(module, name, other) for name in self._imports(other, text)):
                return True
        return False

    def _imports(self, path: str, text: str) -> list[str]:
        if path in self.after:
            return self.after[path].imports
        if not IMPORTING.search(text):
            return []
        return outline(text, path, tolerant=True).imports


@lru_cache(maxsize=64)
def _before(text: str, path: str, tolerant: bool) -> Outline:
    """The outline of a file before the edit, read once however many edits of it are judged."""
    return outline(text, path, tolerant=tolerant)


def owner_name(one: Function) -> str:
    """The class a function is a method of; empty for none."""
    return one.owner.name if one.owner is not None else ""


def _same_module(module: str, name: str, importer: str) -> bool:
    folder = posixpath.dirname(importer)
    if name.startswith(".") and language_of(importer) != "python":
        wanted = posixpath.normpath(posixpath.join(folder, SUFFIXES.sub("", name)))
        return module in (wanted, wanted.removesuffix("/index")) or f"{wanted}/index" == module
    if name.startswith("."):
        dots = len(name) - len(name.lstrip("."))
        for _ in range(dots - 1):
            folder = posixpath.dirname(folder)
        wanted = posixpath.normpath(posixpath.join(folder, name[dots:].replace(".", "/")))
        return module == wanted
    plain = SUFFIXES.sub("", name) if language_of(importer) != "python" else name.replace(".", "/")
    plain = plain.lstrip("@~/")
    return bool(plain) and (module == plain or module.endswith("/" + plain) or plain.endswith("/" + module))

"""The same policies in regopy (rego-cpp), behind a fence.

What it is fenced from: regopy truncates texts at NUL, misreads quotes, backslashes and newlines in them, orders values
of different types otherwise than OPA, rounds numbers to six decimals, loses the last digits of large integers, does
not see a ``not`` inside ``every``, and takes a line that begins with a negative number for the rest of the line before.
So it is never given the policy's text nor the input as they are, but a policy written from the checked tree, in which
every text is a run of letters (two per byte of UTF-8, ``a-p`` then ``A-P``): equality, prefix, suffix and part mean the
same for such runs as for the texts. Anything but one single ``true`` is a no; anything but a clean answer raises.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from harness.core.errors import MissingDependency, UsageError
from harness.guardrails.rego.regopy_numbers import NoPlace, is_exact, numbers_in, numbers_of, places
from harness.guardrails.rego.syntax import (
    Assign,
    Call,
    Every,
    Items,
    Literal_,
    Policy,
    Ref,
    Some,
    Statement,
    Term,
    Test,
)

_HIGH, _LOW = "abcdefghijklmnop", "ABCDEFGHIJKLMNOP"
_ENTRY = "fenced/allow"
_PAIRS = tuple(_HIGH[byte >> 4] + _LOW[byte & 15] for byte in range(256))


class RegopyFailed(RuntimeError):
    """regopy gave an error, or an answer that cannot be read."""


class RegopyEngine:
    """One policy in regopy. Thread-safe: one decision at a time.

    :raises MissingDependency: without the ``regopy`` package.
    """

    def __init__(self, policy: Policy, config: Mapping[str, Any]) -> None:
        try:
            regopy = import_module("regopy")
        except ImportError as error:
            raise MissingDependency("regopy", extra="policy", purpose="evaluating Rego in regopy") from error
        self._lock = threading.Lock()
        self._numbers = numbers_of(policy) | numbers_in(config)
        if odd := [number for number in self._numbers if not is_exact(number)]:
            raise UsageError(f"{policy.place}: regopy rounds {odd[0]!r} to six decimals; use backend='python'")
        self._rego: Any = regopy.Interpreter()
        self._rego.strict_built_in_errors = True
        self._rego.add_data({"config": fenced(config)})
        self._rego.add_module("policy", written(policy))
        # Compiled once: a plain query compiles the policy anew each time, which takes twenty times as long.
        self._bundle = self._rego.build(None, [_ENTRY])

    def allows(self, given: Mapping[str, Any]) -> bool:
        """Whether ``allow`` is true.

        :raises RegopyFailed: for anything but a clean answer.
        """
        try:
            document = fenced(given, places(numbers_in(given), self._numbers))
        except NoPlace as error:
            raise RegopyFailed(f"regopy cannot tell the numbers apart: {error}") from error
        with self._lock:
            try:
                self._rego.set_input(document)
                output = self._rego.query_bundle_entrypoint(self._bundle, _ENTRY)
                text = str(output)
            except Exception as error:
                raise RegopyFailed(f"regopy raised {type(error).__name__}") from error
        if text == "undefined":
            return False
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise RegopyFailed("regopy gave an answer that is no JSON") from error
        if answer == {"expressions": [True]} and answer["expressions"][0] is True:
            return True
        if answer == {"expressions": [False]} and answer["expressions"][0] is False:
            return False
        raise RegopyFailed("regopy gave an answer that is neither true nor false")


def run_of_letters(text: str) -> str:
    """Two letters per byte of UTF-8."""
    return "".join([_PAIRS[byte] for byte in text.encode("utf-8", "surrogatepass")])


def fenced(value: Any, places: Mapping[float, float] | None = None) -> Any:
    """A JSON value with every text as a run of letters; keys are the schema's own names and stay.

    :param places: what to write for numbers that regopy would round.
    """
    if isinstance(value, str):
        return run_of_letters(value)
    if isinstance(value, Mapping):
        return {key: fenced(one, places) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [fenced(one, places) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted((fenced(one, places) for one in value), key=repr)
    return places.get(value, value) if places and isinstance(value, float) else value


def written(policy: Policy) -> str:
    """The policy as Rego text from its checked tree, texts fenced."""
    return _Writer(policy).text()


class _Writer:
    """Writes a policy in the part of Rego that regopy gets right.

    ``every`` is written with functions and ``not``, because regopy does not see a ``not`` or another ``every`` inside
    of one; statements end with ``;``, because it takes a line that begins with a negative number for the rest of a
    subtraction.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._lines = ["package fenced", "import rego.v1", "default allow := false"]
        self._made = 0

    def text(self) -> str:
        """The whole module."""
        for rule in self._policy.rules:
            name = _rule(rule.name)
            if rule.kind == "constant":
                self._lines.append(f"{name} := {_term(rule.term, self._policy)}")
            elif rule.kind == "set" and not rule.body:
                self._lines.append(f"{name} contains {_term(rule.term, self._policy)}")
            else:
                head = name if rule.kind == "boolean" else f"{name} contains {_term(rule.term, self._policy)}"
                self._define(head, self._body(rule.body, ()))
        return "\n".join(self._lines) + "\n"

    def _define(self, head: str, statements: list[str]) -> None:
        self._lines.append(f"{head} if {{ {'; '.join(statements)} }}")

    def _body(self, statements: tuple[Statement, ...], bound: tuple[str, ...]) -> list[str]:
        made = []
        for statement in statements:
            if isinstance(statement, Every):
                made.append(self._every(statement, bound))
                continue
            if isinstance(statement, (Some, Assign)):
                bound = (*bound, f"v_{statement.name}")
            made.append(self._statement(statement))
        return made

    def _statement(self, statement: Test | Some | Assign) -> str:
        if isinstance(statement, Some):
            return f"some v_{statement.name} in {_term(statement.among, self._policy)}"
        if isinstance(statement, Assign):
            return f"v_{statement.name} := {_term(statement.term, self._policy)}"
        test = _term(statement.left, self._policy)
        if statement.right is not None:
            test = f"{test} {statement.operator} {_term(statement.right, self._policy)}"
        return f"not {test}" if statement.negated else test

    def _every(self, every: Every, bound: tuple[str, ...]) -> str:
        """No element for which the body does not hold."""
        self._made += 1
        holds, fails = f"holds_{self._made}", f"fails_{self._made}"
        name = f"v_{every.name}"
        self._define(f"{holds}({', '.join((name, *bound))})", self._body(every.body, (name, *bound)))
        counter = f"not {holds}({', '.join((name, *bound))})"
        head = f"{fails}({', '.join(bound)})" if bound else fails
        self._define(head, [f"some {name} in {_term(every.among, self._policy)}", counter])
        return f"not {head}"


def _rule(name: str) -> str:
    return name if name == "allow" else f"r_{name}"


def _term(term: Term | None, policy: Policy) -> str:
    if isinstance(term, Literal_):
        if isinstance(term.value, float):
            return f"{term.value:.6f}"
        return f'"{run_of_letters(term.value)}"' if isinstance(term.value, str) else json.dumps(term.value)
    if isinstance(term, Ref):
        known = term.head in ("input", "data")
        head = term.head if known else _rule(term.head) if policy.named(term.head) else f"v_{term.head}"
        return ".".join([head, *term.fields])
    if isinstance(term, Items):
        items = ", ".join(_term(one, policy) for one in term.items)
        return f"{{{items}}}" if term.is_set else f"[{items}]"
    assert isinstance(term, Call)
    return f"{term.name}({', '.join(_term(one, policy) for one in term.given)})"

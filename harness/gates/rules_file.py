"""Rules file: gate rules from TOML, every mistake listed at once with its file and line.

::

    [[rule]]
    name = "behaviour"              # shown on the scorecard
    kind = "threshold"              # one of KINDS
    suite = "suites/support_desk"   # a prefix of node ids, or area = "tools"; neither: all gating suites
    metric = "pass_rate"
    at_least = 0.9
    confidence = 0.95
    advisory = false                # true: shown, but does not gate

    [gate]
    holm = false                    # true: Holm over all rules that are tests, see harness.gates.family

The other fields of a kind are the fields of its class; a new kind is one file and one line in ``KINDS``.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from harness.core.contracts import GateRule
from harness.core.errors import RuleError
from harness.gates.count import Count
from harness.gates.enough_evidence import EnoughEvidence
from harness.gates.equivalence import Equivalence
from harness.gates.exploit_gap import ExploitGap
from harness.gates.family import is_test
from harness.gates.fields import FieldError
from harness.gates.judged_pass_rate import JudgedPassRate
from harness.gates.kill_rate import KillRate
from harness.gates.latency import Latency
from harness.gates.must_pass import MustPass
from harness.gates.no_regression import NoRegression
from harness.gates.rule_lines import RuleLines
from harness.gates.spend import Spend
from harness.gates.superiority import Superiority
from harness.gates.threshold import Threshold

KINDS: Mapping[str, type[Any]] = {
    "threshold": Threshold,
    "no_regression": NoRegression,
    "superiority": Superiority,
    "equivalence": Equivalence,
    "enough_evidence": EnoughEvidence,
    "must_pass": MustPass,
    "count": Count,
    "cost": Spend,
    "latency": Latency,
    "judged_pass_rate": JudgedPassRate,
    "kill_rate": KillRate,
    "exploit_gap": ExploitGap,
}
"""What ``kind`` may be, and the rule it makes."""


def load_rules(path: str | Path) -> tuple[GateRule, ...]:
    """The rules of a TOML file, in order.

    :raises RuleError: when the file cannot be read, is not TOML, has no rule, or any rule is wrong; the message has one
        line per mistake: ``file:line: what is wrong, and the nearest thing that works``.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{path}: cannot be read as a rules file: {error}") from None
    return parse_rules(text, name=str(path))


def parse_rules(text: str, *, name: str = "rules") -> tuple[GateRule, ...]:
    """The rules of TOML text; ``name`` stands for the file in messages. See :func:`load_rules`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise RuleError(f"{name}:{line}: not TOML: {error}") from None
    lines = RuleLines(text)
    mistakes: list[tuple[int, str]] = []
    for key in sorted(set(data) - {"rule", "gate"}):
        hint = "write [[rule]]" if key.lower().startswith("rule") else "a rules file has [[rule]] tables and [gate]"
        mistakes.append((lines.top(key), f"unknown key {key!r}; {hint}"))
    tables = data.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        mistakes.append((lines.top("rule"), "a rule is declared as [[rule]], with two brackets"))
        tables = []
    elif not tables and not mistakes:
        mistakes.append((1, "no [[rule]] in the file: a gate without rules decides nothing"))
    rules: list[Any] = []
    names: dict[str, int] = {}
    for number, table in enumerate(tables):
        wrong = _mistakes(table, names, lines.header(number))
        if not wrong:
            given = {key: tuple(v) if isinstance(v, list) else v for key, v in table.items() if key != "kind"}
            try:
                rules.append(KINDS[table["kind"]](**given))
            except FieldError as error:
                wrong = [(error.field, str(error))]
        mistakes += [(lines.field(number, key), what) for key, what in wrong]
    holm, wrong_gate = _gate(data.get("gate", {}))
    mistakes += [(lines.top("gate"), what) for what in wrong_gate]
    if holm and not mistakes and not any(map(is_test, rules)):
        what = "holm = true, and no rule of this file is a test with a confidence; leave it out, or add a threshold"
        mistakes.append((lines.top("gate"), what))
    if mistakes:
        raise RuleError("\n".join(f"{name}:{line}: {what}" for line, what in sorted(mistakes)))
    return tuple(replace(rule, holm=True) if holm and is_test(rule) else rule for rule in rules)


def _gate(table: Any) -> tuple[bool, list[str]]:
    """The file's ``holm``, and what is wrong with its ``[gate]`` table."""
    if not isinstance(table, dict):
        return False, [f"gate is a table, write [gate] and holm = true below it; got {table!r}"]
    wrong = [f"unknown key {key!r} of [gate]; it has holm" for key in sorted(set(table) - {"holm"})]
    holm = table.get("holm", False)
    if not isinstance(holm, bool):
        return False, [*wrong, f"holm must be true or false, got {holm!r}"]
    return holm, wrong


def _mistakes(table: Mapping[str, Any], names: dict[str, int], line: int) -> list[tuple[str, str]]:
    """(field, what is wrong) of everything that can be seen without making the rule."""
    found: list[tuple[str, str]] = []
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        near = _nearest(kind, list(KINDS))
        said = "the rule has no kind" if kind is None else f"unknown kind {kind!r}"
        found.append(("kind", f"{said}; {near}kinds are {', '.join(KINDS)}"))
    given = table.get("name")
    if not isinstance(given, str) or not given.strip():
        said = "the rule has no name" if given is None else f"name must be a text that is not empty, got {given!r}"
        found.append(("name", f"{said}; it is shown on the scorecard"))
    elif given in names:
        found.append(("name", f"two rules have the name {given!r}, the other one in line {names[given]}"))
    else:
        names[given] = line
    if not isinstance(kind, str) or kind not in KINDS:
        return found
    known = {item.name: item for item in fields(KINDS[kind]) if item.name != "holm"}
    for key, value in table.items():
        if key in ("kind", "name"):
            continue
        if key == "holm":
            found.append((key, "holm is for all rules of the file: write [gate] and holm = true below it"))
        elif key not in known:
            near = _nearest(key, list(known))
            found.append((key, f"unknown field {key!r} of kind {kind}; {near}fields are {', '.join(known)}"))
        elif (want := _wrong_type(str(known[key].type), value)) is not None:
            found.append((key, f"{key} must be {want}, got {value!r}"))
    for key, item in known.items():
        if item.default is MISSING and key not in table and key != "name":
            found.append(("", f"a rule of kind {kind} needs {key}"))
    return found


def _wrong_type(annotation: str, value: Any) -> str | None:
    """What the annotation asks for in words, when the value is something else; else None."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if annotation.startswith("float"):
        return None if number and math.isfinite(value) else "a number"
    if annotation.startswith("int"):
        return None if number and isinstance(value, int) else "a whole number"
    if annotation == "bool":
        return None if isinstance(value, bool) else "true or false"
    if annotation.startswith("tuple"):
        good = isinstance(value, list) and all(isinstance(part, str) for part in value)
        return None if good else "a list of texts"
    return None if isinstance(value, str) else "a text"


def _nearest(given: object, names: list[str]) -> str:
    near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}? " if near else ""

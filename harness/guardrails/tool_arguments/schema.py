"""Schema: a tool call's arguments against its JSON Schema, with messages that say what is wanted and not what came.

Validation is by ``jsonschema``, draft by ``$schema``, else 2020-12. Patterns of the schema are the team's own, but the
text they meet is hostile: a field with a ``pattern`` is refused unread when it is longer than ``MAX_FOR_PATTERN``.
References outside the schema are never fetched. BFCL's spellings (``dict``, ``float``, ``tuple``, ``any``) are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.core.errors import UsageError
from harness.guardrails.tool_arguments.problem import Problem, field_name, known_names

MAX_PROBLEMS = 20
MAX_FOR_PATTERN = 10_000
_SPELLINGS = {"dict": "object", "float": "number", "double": "number", "tuple": "array", "list": "array"}
_SPELLINGS |= {"str": "string", "int": "integer", "bool": "boolean", "long": "integer"}
_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})


def schema_of(tool: Mapping[str, Any], name: str = "") -> ArgumentSchema:
    """The schema of a tool in OpenAI function format, or of the function alone.

    :param name: used when the schema has none.
    :raises UsageError: it is none, or has no name.
    """
    function = tool.get("function", tool)
    called = str(function.get("name") or name) if isinstance(function, Mapping) else ""
    if not called:
        raise UsageError(
            "a tool schema is {'type': 'function', 'function': {'name': ..., 'parameters': {...}}}; it has no name"
        )
    parameters = function.get("parameters", function.get("inputSchema", function.get("input_schema", {})))
    return ArgumentSchema(called, parameters if isinstance(parameters, Mapping) else {})


class ArgumentSchema:
    """The schema of one tool's arguments, ready for use by several threads.

    :param parameters: JSON Schema of the arguments, as in the OpenAI function format.
    :raises UsageError: the schema is itself wrong.
    """

    def __init__(self, tool: str, parameters: Mapping[str, Any]) -> None:
        import jsonschema
        import jsonschema.validators
        import referencing

        self.tool = tool
        spelt = _respelt(parameters, 0)
        self.parameters: Mapping[str, Any] = spelt if isinstance(spelt, dict) else {}
        self.names = known_names(self.parameters)
        kind: Any = jsonschema.validators.validator_for(self.parameters, default=jsonschema.Draft202012Validator)
        try:
            kind.check_schema(self.parameters)
        except jsonschema.SchemaError as error:
            where = f"the schema of tool {tool!r} is itself wrong at {error.json_path}"
            raise UsageError(f"{where}: {error.message[:160]}") from error
        extend: Any = jsonschema.validators.extend
        bounded = extend(kind, {"pattern": _bounded(kind.VALIDATORS["pattern"])})
        # An empty registry: without it, unknown references would be looked up on the network.
        self._validator = bounded(self.parameters, registry=referencing.Registry())

    def problems(self, arguments: Any) -> list[Problem]:
        """What is wrong, at most ``MAX_PROBLEMS``, in the order of the fields."""
        out: list[Problem] = []
        for error in self._validator.iter_errors(arguments):
            out += [problem for problem in self._told(error, 0) if problem not in out]
            if len(out) >= MAX_PROBLEMS:
                break
        return out[:MAX_PROBLEMS]

    def _told(self, error: Any, depth: int) -> Iterator[Problem]:
        if error.validator in ("anyOf", "oneOf") and error.context and depth < 4:
            # The branch that came nearest says most; all of them would say the opposite of each other.
            branches: dict[Any, list[Any]] = {}
            for inner in error.context:
                branches.setdefault(inner.schema_path[0], []).append(inner)
            right_type = [
                found for found in branches.values() if all(one.validator != "type" or one.path for one in found)
            ]
            if len(right_type) == 1:
                for inner in right_type[0]:
                    yield from self._told(inner, depth + 1)
                return
        field = field_name(error.absolute_path, self.names)
        yield Problem(category="schema", field=field, message=self._wanted(error))

    def _wanted(self, error: Any) -> str:
        rule, want, got = error.validator, error.validator_value, error.instance
        if rule == "type":
            kinds = want if isinstance(want, str) else " or ".join(want)
            return f"must be of type {kinds}, not {_type_of(got)}"
        if rule == "required" and isinstance(got, Mapping):
            missing = [name for name in want if name not in got]
            return f"misses {', '.join(missing[:10])}"
        if rule == "enum":
            return f"must be one of {_short(want)}"
        if rule == "const":
            return f"must be {_short(want)}"
        if rule in ("additionalProperties", "unevaluatedProperties"):
            known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
            return f"has fields that the tool does not know; it knows {', '.join(list(known)[:20]) or 'none'}"
        sentence = _SENTENCES.get(rule)
        return sentence.format(_short(want)) if sentence else f"breaks the rule {rule!r} of the tool's schema"


_SENTENCES = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be above {}",
    "exclusiveMaximum": "must be below {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "pattern": "must match the pattern {}",
    "format": "must be a valid {}",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "uniqueItems": "must not hold an entry twice",
    "minProperties": "must have at least {} fields",
    "maxProperties": "must have at most {} fields",
    "anyOf": "fits none of the forms the tool accepts",
    "oneOf": "must fit exactly one of the forms the tool accepts",
    "not": "is of a form the tool does not accept",
}


def _short(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(repr(one) for one in value[:20])
        return f"{shown}, ..." if len(value) > 20 else shown
    text = repr(value) if not isinstance(value, str) else value
    return text if len(text) <= 120 else text[:117] + "..."


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (Mapping, "object")):
        if isinstance(value, kind):
            return name
    return "array"


def _bounded(rule: Any) -> Any:
    def pattern(validator: Any, want: Any, instance: Any, schema: Any) -> Iterator[Any]:
        import jsonschema

        if isinstance(instance, str) and len(instance) > MAX_FOR_PATTERN:
            yield jsonschema.ValidationError("too long for a pattern")
            return
        yield from rule(validator, want, instance, schema) or ()

    return pattern


def _respelt(node: Any, depth: int) -> Any:
    if depth > 60:
        return node
    if isinstance(node, Mapping):
        out = {key: _respelt(value, depth + 1) for key, value in node.items()}
        kind = node.get("type")
        if isinstance(kind, str) and kind not in _TYPES:
            if kind == "any":
                del out["type"]
            else:
                out["type"] = _SPELLINGS.get(kind.lower(), kind.lower())
        return out
    if isinstance(node, (list, tuple)):
        return [_respelt(value, depth + 1) for value in node]
    return node

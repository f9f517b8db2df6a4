"""JsonSchema: the final answer is JSON that is valid under a JSON Schema.

The words:

- *is JSON*: the whole answer, or the only fenced block (three backticks) in it. NaN and Infinity are not JSON.
- *valid*: by ``jsonschema``, draft by the schema's ``$schema``, else 2020-12. ``format`` is not checked. References to
  outside addresses are never fetched.
- A schema that is itself wrong judges nothing: not measured, kind ``harness``.
- An answer longer than ``max_text`` characters is not parsed and fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.case import Case
from harness.core.score import Score
from harness.core.shown import quoted, shorten
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge, nothing_expected

_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class JsonSchema:
    """1 when the answer is JSON and valid, else 0; the reason names the path of the first error and their number.

    Reads ``expected.json_schema`` unless ``schema`` is given.
    """

    schema: Mapping[str, Any] | None = None
    """Overrides ``expected.json_schema``."""
    max_text: int = 1_000_000
    name: str = "json_schema"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Parse and validate the final answer."""
        schema = self.schema if self.schema is not None else case.expected.json_schema
        if schema is None:
            return nothing_expected(self.name, "JSON Schema", self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        answer = trajectory.answer
        if answer is None:
            return Score.passed_if(self.name, False, "there is no final answer", version=self.version)
        if len(answer) > self.max_text:
            reason = f"the answer has {len(answer):,} characters, more than {self.max_text:,}; it was not parsed"
            return Score.passed_if(self.name, False, reason, version=self.version)
        try:
            value = parse_json(answer)
        except ValueError as error:
            reason = f"the answer is not JSON ({shorten(str(error), 100)}): {quoted(answer)}"
            return Score.passed_if(self.name, False, reason, version=self.version)
        return self._validated(value, schema)

    def _validated(self, value: Any, schema: Mapping[str, Any]) -> Score:
        import jsonschema
        import jsonschema.validators
        import referencing
        import referencing.exceptions

        kind: Any = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        errors: list[str] = []
        count = 0
        try:
            kind.check_schema(schema)
            # An empty registry: without it, unknown references would be looked up on the network.
            for error in kind(schema, registry=referencing.Registry()).iter_errors(value):
                count += 1
                if len(errors) < 3:
                    errors.append(f"{shorten(error.json_path, 100)}: {shorten(error.message, 160)}")
                if count >= 100:
                    break
        except jsonschema.SchemaError as error:
            why = f"the JSON Schema is itself wrong at {error.json_path}: {shorten(error.message, 160)}"
            return Score.not_measured(self.name, why, kind="harness", version=self.version)
        except referencing.exceptions.Unresolvable as error:
            why = f"the JSON Schema refers to {shorten(str(error), 160)}, which is not inside it; inline it under $defs"
            return Score.not_measured(self.name, why, kind="harness", version=self.version)
        except RecursionError:
            return Score.passed_if(self.name, False, "the answer is nested too deep", version=self.version)
        if not count:
            return Score.passed_if(self.name, True, "the answer is JSON and valid", version=self.version)
        shown = "100 or more" if count >= 100 else str(count)
        reason = f"{shown} schema errors: {'; '.join(errors)}"
        return Score.passed_if(self.name, False, reason, evidence={"errors": errors}, version=self.version)


def parse_json(text: str) -> Any:
    """The JSON value of an answer. Raises ValueError when there is none, or it is nested too deep."""
    stripped = text.strip()
    if not stripped.startswith(("{", "[")):
        blocks = _FENCE.findall(stripped)
        if len(blocks) == 1:
            stripped = blocks[0].strip()
    try:
        return json.loads(stripped, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")

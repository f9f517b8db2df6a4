"""ToolArgumentsGuard: a tool call is stopped unless its arguments are valid and hold nothing that could do harm.

The words:

- *valid*: JSON (no key twice, no NaN, no deeper than 50) and right by the tool's schema, which comes from ``tools`` or
  from ``event.data["schema"]``. A tool without a schema is not called, unless ``unknown_tools="allow"``.
- *harmful*: see :mod:`harness.guardrails.tool_arguments.hazards`; names of undeclared fields are judged like texts.
- *sanitised* (``sanitise=True``): paths lose what leads out of their folder, shell arguments lose their signs, and
  invisible signs go. What is still harmful then, or no longer valid, is blocked all the same; addresses and SQL always
  are, because there is no harmless version of them to guess.

Other events than tool calls are let through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.tool_arguments.corrections import said
from harness.guardrails.tool_arguments.hazards import hazard, rooted
from harness.guardrails.tool_arguments.problem import Problem, field_name
from harness.guardrails.tool_arguments.reading import Text, read, texts
from harness.guardrails.tool_arguments.sanitising import sanitised
from harness.guardrails.tool_arguments.schema import MAX_PROBLEMS, ArgumentSchema, schema_of
from harness.guardrails.tool_arguments.uses import USES, declared_use, told_use

_MESSAGES = {
    "path": "must be a path inside the tool's own folder",
    "shell": "must not hold signs or commands of a shell",
    "url": "must be a public http or https address",
    "sql": "must not hold SQL beyond what the tool asks for",
    "control": "must not hold control signs",
}


@dataclass(frozen=True, kw_only=True)
class ToolArgumentsGuard:
    """Blocks (or sanitises) tool calls with wrong or harmful arguments. Thread-safe; fails closed."""

    tools: Sequence[Mapping[str, Any]] = ()
    """Tool schemas, OpenAI function format."""
    uses: Mapping[str, str] = field(default_factory=dict)
    """What fields are for, where name and schema do not say: ``{"send.note": "text", "line": "shell"}``."""
    absolute_paths: bool = False
    """Whether a path may begin at a root, a home or a drive."""
    unknown_tools: Literal["block", "allow"] = "block"
    """What to do with a call of a tool that has no schema; allowed ones are still judged for harm."""
    sanitise: bool = False
    """Repair what can be repaired, instead of blocking."""
    max_chars: int = 1_000_000
    """Longer arguments are not read and blocked."""
    name: str = "tool_arguments"
    version: str = "1"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises UsageError: a schema is wrong, a use is unknown.
        """
        for where, use in self.uses.items():
            if use not in USES:
                raise UsageError(f"the use of {where!r} is one of {', '.join(USES)}, got {use!r}")
        if self.unknown_tools not in ("block", "allow"):
            raise UsageError(f"unknown_tools is 'block' or 'allow', got {self.unknown_tools!r}")
        _ = self._schemas

    @cached_property
    def _schemas(self) -> dict[str, ArgumentSchema]:
        made = [schema_of(tool) for tool in self.tools]
        return {one.tool: one for one in made}

    def check(self, event: Event) -> Decision:
        """Allow right calls; block others, or give back the sanitised arguments (``redact``)."""
        if event.kind != "tool_call":
            return Decision(action="allow", guard=self.name)
        try:
            problems, repaired = self._judge(event)
        except Exception as error:  # noqa: BLE001 - fails closed; the message could hold a value
            return Decision(action="block", guard=self.name, fault=f"crash: {type(error).__name__}")
        if not problems:
            return Decision(action="allow", guard=self.name)
        return Decision(
            action="block" if repaired is None else "redact",
            guard=self.name,
            reason="; ".join(str(problem) for problem in problems[:10]),
            findings=tuple(Finding(category=problem.category) for problem in problems),
            text=None if repaired is None else json.dumps(repaired, ensure_ascii=False),
        )

    def problems(self, event: Event) -> list[Problem]:
        """What is wrong with a tool call; names fields, never values. Empty for a right call."""
        return self._judge(event)[0]

    def explain(self, event: Event, *, left: int = 0) -> str:
        """The problems as a text that may be given back to the model; empty for a right call."""
        problems = self.problems(event)
        return said(problems, left=left) if problems else ""

    def _judge(self, event: Event) -> tuple[list[Problem], dict[str, Any] | None]:
        tool = str(event.data.get("tool") or event.data.get("name") or "")
        given = event.data.get("arguments")
        arguments, problem = read(event.text or ("{}" if given is None else json.dumps(given)), self.max_chars)
        if problem is not None:
            return [problem], None
        schema = self._schemas.get(tool)
        if schema is None and isinstance(event.data.get("schema"), Mapping):
            schema = schema_of(event.data["schema"], tool)
        if schema is None and self.unknown_tools == "block":
            known = ", ".join(list(self._schemas)[:20]) or "none"
            message = f"there is no tool of this name; there are: {known}"
            return [Problem(category="unknown_tool", field="", message=message)], None
        wrong = schema.problems(arguments) if schema is not None else []
        harmful = list(self._harmful(tool, schema, arguments))
        if self.sanitise and harmful and not wrong:
            clean = self._sanitised(tool, schema, arguments)
            if not list(self._harmful(tool, schema, clean)) and not (schema and schema.problems(clean)):
                return harmful, clean
        return [*wrong, *harmful][:MAX_PROBLEMS], None

    def _harmful(self, tool: str, schema: ArgumentSchema | None, arguments: dict[str, Any]) -> Iterator[Problem]:
        for text in texts(arguments, schema.parameters if schema else None):
            use = self._use(tool, text)
            kind = hazard(text.value, use)
            if not kind and use == "path" and not self.absolute_paths and rooted(text.value):
                kind = "path"
            if kind:
                where = field_name(text.path, schema.names if schema else frozenset())
                yield Problem(category=kind, field=where, message=_MESSAGES[kind])

    def _sanitised(self, tool: str, schema: ArgumentSchema | None, arguments: dict[str, Any]) -> dict[str, Any]:
        rule = schema.parameters if schema else None
        uses = {text.path: self._use(tool, text) for text in texts(arguments, rule) if not text.key}
        clean = sanitised(arguments, uses, absolute=self.absolute_paths)
        return clean if isinstance(clean, dict) else {}

    def _use(self, tool: str, text: Text) -> str:
        if text.key:
            return "text"
        dotted = ".".join(step for step in text.path if isinstance(step, str))
        return (
            self.uses.get(f"{tool}.{dotted}") or self.uses.get(dotted) or declared_use(text.rule) or told_use(text.name)
        )

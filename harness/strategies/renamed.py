"""Tools under other names: what an agent is offered, and what is expected of it, renamed together.

An agent that reads its tools calls the renamed ones just as well; one that learnt names by heart does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.core.case import Case, ExpectedCall


@dataclass(frozen=True, kw_only=True)
class Renamed:
    """A case whose tools and parameters have other names."""

    case: Case
    tools: Mapping[str, str]
    """New name by old."""
    parameters: Mapping[str, Mapping[str, str]]
    """New name by old, for every tool (by its old name)."""

    def back(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The call as the real tool takes it: old names for new ones; what is unknown is left as it is."""
        old = {new: old for old, new in self.tools.items()}.get(name, name)
        known = {new: before for before, new in self.parameters.get(old, {}).items()}
        return old, {known.get(key, key): value for key, value in arguments.items()}


def rename_tools(case: Case, seed: int = 0) -> Renamed:
    """The case with every tool of ``case.tools`` and every parameter renamed; a case without tools is left as it is.

    :param seed: which of the ways of renaming; the same seed makes the same names.
    """
    endings = ("_v2", "_tool", "_x", "_fn")
    ending = endings[seed % len(endings)]
    tools: dict[str, str] = {}
    parameters: dict[str, dict[str, str]] = {}
    made = []
    for tool in case.tools:
        function = dict(tool.get("function", tool))
        name = str(function.get("name", ""))
        schema = dict(function.get("parameters") or {})
        known = {str(key): f"{key}{ending}" for key in schema.get("properties") or {}}
        tools[name], parameters[name] = f"{name}{ending}", known
        if "properties" in schema:
            schema["properties"] = {known[str(key)]: value for key, value in schema["properties"].items()}
        if "required" in schema:
            schema["required"] = [known.get(key, key) for key in schema["required"]]
        renamed = {**function, "name": tools[name], **({"parameters": schema} if schema else {})}
        made.append({**tool, "function": renamed} if "function" in tool else renamed)
    wanted = case.expected.tool_calls
    calls = None if wanted is None else tuple(_call(call, tools, parameters) for call in wanted)
    forbidden = tuple(tools.get(name, name) for name in case.expected.forbidden_tools)
    expected = replace(case.expected, tool_calls=calls, forbidden_tools=forbidden)
    told = {"perturbed_from": case.id, "perturbation": "renamed_tools"}
    other = replace(
        case, id=f"{case.id}~renamed-{seed}", tools=tuple(made), expected=expected, cluster=case.cluster or case.id,
        metadata={**case.metadata, **told},
    )  # fmt: skip
    return Renamed(case=other if tools else case, tools=tools, parameters=parameters)


def _call(call: ExpectedCall, tools: Mapping[str, str], parameters: Mapping[str, Mapping[str, str]]) -> ExpectedCall:
    known = parameters.get(call.name, {})
    arguments = None if call.arguments is None else {known.get(k, k): v for k, v in call.arguments.items()}
    accepted = None if call.accepted is None else {known.get(k, k): v for k, v in call.accepted.items()}
    return ExpectedCall(name=tools.get(call.name, call.name), arguments=arguments, accepted=accepted)

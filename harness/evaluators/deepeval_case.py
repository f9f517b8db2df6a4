"""A case and a trajectory as DeepEval's test case.

================== ==================================================================================================
input              the case's first user message
actual_output      the agent's final answer
expected_output    ``expected.answer``, the first of ``expected.answers`` or ``expected.custom["reference"]``
retrieval_context  what the agent says it retrieved (``metadata["context"]`` of the trajectory), else the case's context
context            ``expected.custom["context"]`` or ``metadata["context"]`` of the case
tools_called       the tool calls of the trajectory, with arguments and results
expected_tools     ``expected.tool_calls``
turns              the user's and the agent's messages, for metrics of conversations
================== ==================================================================================================

A context is a text or a list of texts. What is absent stays absent; a metric that needs it is not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory, message_text
from harness.evaluators.deepeval_quiet import deepeval

OUR_NAMES = {
    "input": "input",
    "actual_output": "answer",
    "expected_output": "reference",
    "retrieval_context": "context",
    "context": "context",
}
"""Fields of a test case by the parts that a judge is shown."""


def contexts(trajectory: Trajectory, case: Case) -> list[str]:
    """The texts that the answer was to rest on; empty when neither the agent nor the case has any."""
    for given in (trajectory.metadata.get("context"), _own(case)):
        found = _texts(given)
        if found:
            return found
    return []


def reference(case: Case) -> str | None:
    """The answer that a person would give; None when the case has none."""
    expected = case.expected
    if expected.answer is not None:
        return expected.answer
    if expected.answers:
        return expected.answers[0]
    given = expected.custom.get("reference")
    return given if isinstance(given, str) and given else None


def single_turn(trajectory: Trajectory, case: Case) -> Any:
    """An ``LLMTestCase``."""
    module = deepeval("deepeval.test_case")
    own = _texts(_own(case))
    expected = case.expected.tool_calls
    values = {
        "input": case.text,
        "actual_output": trajectory.answer,
        "expected_output": reference(case),
        "retrieval_context": contexts(trajectory, case) or None,
        "context": own or None,
        "tools_called": [
            module.ToolCall(name=call.name, input_parameters=dict(call.arguments or {}), output=call.result)
            for call in trajectory.tool_calls
        ],
        "expected_tools": None
        if expected is None
        else [
            module.ToolCall(name=call.name, input_parameters=None if call.arguments is None else dict(call.arguments))
            for call in expected
        ],
    }
    return module.LLMTestCase(**{key: value for key, value in values.items() if value is not None})


def conversation(trajectory: Trajectory, case: Case) -> Any:
    """A ``ConversationalTestCase``."""
    module = deepeval("deepeval.test_case")
    said = [(str(message.get("role")), message_text(message)) for message in trajectory.messages]
    turns = [module.Turn(role=role, content=text) for role, text in said if role in ("user", "assistant") and text]
    if not turns or turns[0].role != "user":
        turns.insert(0, module.Turn(role="user", content=case.text))
    return module.ConversationalTestCase(turns=turns, expected_outcome=reference(case))


def from_parts(parts: Mapping[str, str]) -> Any:
    """An ``LLMTestCase`` of the texts that a judge is shown; several contexts stand apart by an empty line."""
    module = deepeval("deepeval.test_case")
    several = [text for text in parts.get("context", "").split("\n\n") if text.strip()] or None
    return module.LLMTestCase(
        input=parts.get("input", ""),
        actual_output=parts.get("answer"),
        expected_output=parts.get("reference"),
        retrieval_context=several,
        context=several,
    )


def _own(case: Case) -> Any:
    return case.expected.custom.get("context") or case.metadata.get("context")


def _texts(given: Any) -> list[str]:
    if isinstance(given, str):
        return [given] if given.strip() else []
    if isinstance(given, (list, tuple)):
        return [text for text in given if isinstance(text, str) and text.strip()]
    return []

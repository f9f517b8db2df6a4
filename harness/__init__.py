"""Pytest-native evaluation of LLM agents: golden cases in, a statistical release verdict out.

Everything a user imports comes from here and is loaded on first use; ``import harness`` itself imports nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from harness.agents.command_line import CommandAgent as CommandAgent
    from harness.agents.function import FunctionAgent as FunctionAgent
    from harness.agents.http import HttpAgent as HttpAgent
    from harness.agents.litellm_model import LiteLLMModel as LiteLLMModel
    from harness.agents.openai_compatible import OpenAICompatible as OpenAICompatible
    from harness.agents.replay import ReplayAgent as ReplayAgent
    from harness.agents.spec import agent_from_spec as agent_from_spec
    from harness.agents.tool_loop import ToolLoop as ToolLoop
    from harness.agents.tools import function_tool as function_tool
    from harness.core.case import Case as Case
    from harness.core.case import Dataset as Dataset
    from harness.core.case import Expectation as Expectation
    from harness.core.case import ExpectedCall as ExpectedCall
    from harness.core.contracts import Agent as Agent
    from harness.core.contracts import Evaluator as Evaluator
    from harness.core.contracts import GateRule as GateRule
    from harness.core.contracts import Guardrail as Guardrail
    from harness.core.contracts import Model as Model
    from harness.core.contracts import Reward as Reward
    from harness.core.contracts import Section as Section
    from harness.core.contracts import Store as Store
    from harness.core.errors import Failure as Failure
    from harness.core.errors import HarnessError as HarnessError
    from harness.core.errors import UsageError as UsageError
    from harness.core.record import Manifest as Manifest
    from harness.core.record import Record as Record
    from harness.core.record import Run as Run
    from harness.core.record import Trial as Trial
    from harness.core.score import Score as Score
    from harness.core.scorecard import Scorecard as Scorecard
    from harness.core.trajectory import ModelCall as ModelCall
    from harness.core.trajectory import ToolCall as ToolCall
    from harness.core.trajectory import Trajectory as Trajectory
    from harness.core.usage import Price as Price
    from harness.core.usage import Usage as Usage
    from harness.core.verdict import Verdict as Verdict
    from harness.datasets.jsonl import write_jsonl as write_jsonl
    from harness.datasets.load import load_dataset as load_dataset
    from harness.results.frames import read_run as read_run
    from harness.runs.bench.memory import find_leaks as find_leaks

_WHERE = {
    "Agent": "core.contracts",
    "Case": "core.case",
    "CommandAgent": "agents.command_line",
    "Dataset": "core.case",
    "Evaluator": "core.contracts",
    "Expectation": "core.case",
    "ExpectedCall": "core.case",
    "Failure": "core.errors",
    "FunctionAgent": "agents.function",
    "GateRule": "core.contracts",
    "Guardrail": "core.contracts",
    "HarnessError": "core.errors",
    "HttpAgent": "agents.http",
    "LiteLLMModel": "agents.litellm_model",
    "Manifest": "core.record",
    "Model": "core.contracts",
    "ModelCall": "core.trajectory",
    "OpenAICompatible": "agents.openai_compatible",
    "Price": "core.usage",
    "Record": "core.record",
    "ReplayAgent": "agents.replay",
    "Reward": "core.contracts",
    "Run": "core.record",
    "Score": "core.score",
    "Scorecard": "core.scorecard",
    "Section": "core.contracts",
    "Store": "core.contracts",
    "ToolCall": "core.trajectory",
    "ToolLoop": "agents.tool_loop",
    "Trajectory": "core.trajectory",
    "Trial": "core.record",
    "Usage": "core.usage",
    "UsageError": "core.errors",
    "Verdict": "core.verdict",
    "agent_from_spec": "agents.spec",
    "find_leaks": "runs.bench.memory",
    "function_tool": "agents.tools",
    "load_dataset": "datasets.load",
    "read_run": "results.frames",
    "write_jsonl": "datasets.jsonl",
}
"""Public name to the module that defines it. Evaluators come from ``harness.evaluators``."""

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'harness' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"harness.{_WHERE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]

"""The shelf of guards: one idea each, every one with ``check(event) -> Decision``. Nothing is imported until asked for.

To add one: copy the shape of a neighbour into a new file, give it ``name``, ``version`` and ``check``, name it below,
and check it with :func:`harness.testing.check_guardrail`. A guard need not catch its own mistakes: the pipeline turns
a crash or a time-out into a block that is counted as a fault.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.guardrails.audit_log import AuditLog as AuditLog
    from harness.guardrails.audit_log import verify as verify
    from harness.guardrails.circuit_breaker import CircuitBreaker as CircuitBreaker
    from harness.guardrails.circuit_breaker import EscalationFolder as EscalationFolder
    from harness.guardrails.events import event_of as event_of
    from harness.guardrails.events import events_of as events_of
    from harness.guardrails.groundedness import GroundednessGuard as GroundednessGuard
    from harness.guardrails.groundedness import ModelJudge as ModelJudge
    from harness.guardrails.guard_evaluator import as_evaluator as as_evaluator
    from harness.guardrails.guarded_agent import guarded as guarded
    from harness.guardrails.injection import InjectionGuard as InjectionGuard
    from harness.guardrails.middleware import GuardMiddleware as GuardMiddleware
    from harness.guardrails.opa import OpaPolicy as OpaPolicy
    from harness.guardrails.output import OutputGuard as OutputGuard
    from harness.guardrails.pii import PiiGuard as PiiGuard
    from harness.guardrails.pii import Vault as Vault
    from harness.guardrails.pipeline import Only as Only
    from harness.guardrails.pipeline import Pipeline as Pipeline
    from harness.guardrails.policy import Policy as Policy
    from harness.guardrails.rate_limit import Limit as Limit
    from harness.guardrails.rate_limit import RateLimit as RateLimit
    from harness.guardrails.rate_limit import RedisStore as RedisStore
    from harness.guardrails.secrets import SecretsGuard as SecretsGuard
    from harness.guardrails.session import ActionRefused as ActionRefused
    from harness.guardrails.spend import Spend as Spend
    from harness.guardrails.spend.metered_model import MeteredModel as MeteredModel
    from harness.guardrails.task_scope import ANY as ANY
    from harness.guardrails.task_scope import AtMost as AtMost
    from harness.guardrails.task_scope import FromRequest as FromRequest
    from harness.guardrails.task_scope import Matching as Matching
    from harness.guardrails.task_scope import OneOf as OneOf
    from harness.guardrails.task_scope import Scope as Scope
    from harness.guardrails.task_scope import TaskScope as TaskScope
    from harness.guardrails.tool_arguments import Corrections as Corrections
    from harness.guardrails.tool_arguments import ToolArgumentsGuard as ToolArgumentsGuard
    from harness.guardrails.tool_guard import guarded_tools as guarded_tools
    from harness.guardrails.tool_guard import guarded_world as guarded_world

_WHERE = {
    "Corrections": "tool_arguments",
    "PiiGuard": "pii",
    "SecretsGuard": "secrets",
    "ToolArgumentsGuard": "tool_arguments",
    "Vault": "pii",
    "ANY": "task_scope",
    "ActionRefused": "session",
    "AtMost": "task_scope",
    "AuditLog": "audit_log",
    "CircuitBreaker": "circuit_breaker",
    "EscalationFolder": "circuit_breaker",
    "FromRequest": "task_scope",
    "GroundednessGuard": "groundedness",
    "GuardMiddleware": "middleware",
    "InjectionGuard": "injection",
    "Limit": "rate_limit",
    "Matching": "task_scope",
    "MeteredModel": "spend.metered_model",
    "ModelJudge": "groundedness",
    "OneOf": "task_scope",
    "Only": "pipeline",
    "OpaPolicy": "opa",
    "OutputGuard": "output",
    "Pipeline": "pipeline",
    "Policy": "policy",
    "RateLimit": "rate_limit",
    "RedisStore": "rate_limit",
    "Scope": "task_scope",
    "Spend": "spend",
    "TaskScope": "task_scope",
    "as_evaluator": "guard_evaluator",
    "event_of": "events",
    "events_of": "events",
    "guarded": "guarded_agent",
    "guarded_tools": "tool_guard",
    "guarded_world": "tool_guard",
    "verify": "audit_log",
}
"""Public name to the module that defines it. A module must not have the name of something public: once it is imported,
the package's attribute of that name is the module."""

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]

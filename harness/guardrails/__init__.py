"""The shelf of guards: one idea each, every one with ``check(event) -> Decision``. Nothing is imported until asked for.

To add one: copy the shape of a neighbour into a new file, give it ``name``, ``version`` and ``check``, name it below,
and check it with :func:`harness.testing.check_guardrail`. A guard need not catch its own mistakes: the pipeline turns
a crash or a time-out into a block that is counted as a fault.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.guardrails.as_evaluator import as_evaluator as as_evaluator
    from harness.guardrails.guarded import guarded as guarded
    from harness.guardrails.guarded_tools import guarded_tools as guarded_tools
    from harness.guardrails.guarded_tools import guarded_world as guarded_world
    from harness.guardrails.pipeline import Only as Only
    from harness.guardrails.pipeline import Pipeline as Pipeline
    from harness.guardrails.session import ActionRefused as ActionRefused

_WHERE = {
    "ActionRefused": "session",
    "Only": "pipeline",
    "Pipeline": "pipeline",
    "as_evaluator": "as_evaluator",
    "guarded": "guarded",
    "guarded_tools": "guarded_tools",
    "guarded_world": "guarded_tools",
}
"""Public name to the module that defines it."""

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]

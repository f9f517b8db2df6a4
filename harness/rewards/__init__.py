"""The shelf of reward functions: one idea each, every one with ``reward(trajectory, case)``. Loaded when asked for.

To add one: copy the shape of a neighbour into a new file, give it ``name``, ``version`` and ``reward``, name it below,
and check it with :func:`harness.testing.check_reward`. A reward function need not catch its own mistakes:
:func:`measured` turns whatever it raises into an error that is counted apart.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.rewards.calling import as_reward as as_reward
    from harness.rewards.calling import measured as measured
    from harness.rewards.combine import Combined as Combined
    from harness.rewards.minimal_diff.edit import Edit as Edit
    from harness.rewards.minimal_diff.edit import EditSource as EditSource
    from harness.rewards.minimal_diff.evaluator import MinimalDiffEvaluator as MinimalDiffEvaluator
    from harness.rewards.minimal_diff.grammar import Unparsable as Unparsable
    from harness.rewards.minimal_diff.reward import MinimalDiff as MinimalDiff
    from harness.rewards.reward_evaluator import as_evaluator as as_evaluator
    from harness.rewards.sandbox.limits import SandboxLimits as SandboxLimits
    from harness.rewards.tampering.honest_tests import HonestTests as HonestTests
    from harness.rewards.tampering.honest_tests import HonestTestsEvaluator as HonestTestsEvaluator
    from harness.rewards.tampering.honest_tests import edit_signs as edit_signs

_WHERE = {
    "Combined": "combine",
    "Edit": "minimal_diff.edit",
    "EditSource": "minimal_diff.edit",
    "HonestTests": "tampering.honest_tests",
    "HonestTestsEvaluator": "tampering.honest_tests",
    "SandboxLimits": "sandbox.limits",
    "MinimalDiff": "minimal_diff.reward",
    "MinimalDiffEvaluator": "minimal_diff.evaluator",
    "Unparsable": "minimal_diff.grammar",
    "as_evaluator": "reward_evaluator",
    "as_reward": "calling",
    "edit_signs": "tampering.honest_tests",
    "measured": "calling",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]

"""The shelf of reward functions: one idea each, every one with ``reward(trajectory, case)``. Loaded when asked for.

To add one: copy the shape of a neighbour into a new file, give it ``name``, ``version`` and ``reward``, name it below,
and check it with :func:`harness.testing.check_reward`. A reward function need not catch its own mistakes:
:func:`measured` turns whatever it raises into an error that is counted apart.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.rewards.adoption import ToolAdoption as ToolAdoption
    from harness.rewards.adoption import adoption_rates as adoption_rates
    from harness.rewards.adoption_alarm import AdoptionAlarm as AdoptionAlarm
    from harness.rewards.adoption_alarm import design_alarm as design_alarm
    from harness.rewards.calling import as_reward as as_reward
    from harness.rewards.calling import measured as measured
    from harness.rewards.credit import credits_of as credits_of
    from harness.rewards.credit import shapley_credits as shapley_credits
    from harness.rewards.grpo_advantages import group_advantages as group_advantages
    from harness.rewards.grpo_learning import learn as learn
    from harness.rewards.grpo_lesson import lesson_of as lesson_of
    from harness.rewards.grpo_lesson import storeroom as storeroom
    from harness.rewards.grpo_losses import policy_loss as policy_loss
    from harness.rewards.grpo_would_teach import would_it_teach as would_it_teach
    from harness.rewards.reward_evaluator import as_evaluator as as_evaluator
    from harness.rewards.shaping import shaped as shaped
    from harness.rewards.shaping import shaping_terms as shaping_terms
    from harness.rewards.thinking import ThinkingClass as ThinkingClass
    from harness.rewards.thinking_complexity import complexity_of as complexity_of
    from harness.rewards.thinking_complexity import estimated_class as estimated_class
    from harness.rewards.thinking_evaluator import ThinkingBudget as ThinkingBudget
    from harness.rewards.thinking_evaluator import thinking_tokens as thinking_tokens
    from harness.rewards.thinking_ledger import ThinkingLedger as ThinkingLedger
    from harness.rewards.tools import ToolReward as ToolReward
    from harness.rewards.turns import TurnRewards as TurnRewards
    from harness.rewards.turns_blame import blame as blame
    from harness.rewards.turns_evaluator import TurnCredits as TurnCredits
    from harness.rewards.turns_evaluator import with_turn_rewards as with_turn_rewards

_WHERE = {
    "AdoptionAlarm": "adoption_alarm",
    "ThinkingBudget": "thinking_evaluator",
    "ThinkingClass": "thinking",
    "ThinkingLedger": "thinking_ledger",
    "ToolAdoption": "adoption",
    "ToolReward": "tools",
    "TurnCredits": "turns_evaluator",
    "TurnRewards": "turns",
    "adoption_rates": "adoption",
    "as_evaluator": "reward_evaluator",
    "as_reward": "calling",
    "blame": "turns_blame",
    "complexity_of": "thinking_complexity",
    "credits_of": "credit",
    "design_alarm": "adoption_alarm",
    "estimated_class": "thinking_complexity",
    "group_advantages": "grpo_advantages",
    "learn": "grpo_learning",
    "lesson_of": "grpo_lesson",
    "measured": "calling",
    "policy_loss": "grpo_losses",
    "shaped": "shaping",
    "shaping_terms": "shaping",
    "shapley_credits": "credit",
    "storeroom": "grpo_lesson",
    "thinking_tokens": "thinking_evaluator",
    "with_turn_rewards": "turns_evaluator",
    "would_it_teach": "grpo_would_teach",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]

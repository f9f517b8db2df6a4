"""The shelf of reward functions: one idea each, every one with ``reward(trajectory, case)``. Loaded when asked for.

To add one: copy the shape of a neighbour into a new file, give it ``name``, ``version`` and ``reward``, name it below,
and check it with :func:`harness.testing.check_reward`. A reward function need not catch its own mistakes:
:func:`measured` turns whatever it raises into an error that is counted apart.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.rewards.adapted import AdaptedReward as AdaptedReward
    from harness.rewards.adapters import adapt as adapt
    from harness.rewards.adoption import ToolAdoption as ToolAdoption
    from harness.rewards.adoption import adoption_rates as adoption_rates
    from harness.rewards.adoption_alarm import AdoptionAlarm as AdoptionAlarm
    from harness.rewards.adoption_alarm import design_alarm as design_alarm
    from harness.rewards.bench import Bench as Bench
    from harness.rewards.bench import Finding as Finding
    from harness.rewards.bench import bench_of as bench_of
    from harness.rewards.calling import as_reward as as_reward
    from harness.rewards.calling import measured as measured
    from harness.rewards.calling import measured_batch as measured_batch
    from harness.rewards.calling import measured_now as measured_now
    from harness.rewards.combine import Combined as Combined
    from harness.rewards.conformance import CONFORMANCE as CONFORMANCE
    from harness.rewards.credit import credits_of as credits_of
    from harness.rewards.credit import shapley_credits as shapley_credits
    from harness.rewards.declared import Declared as Declared
    from harness.rewards.declared import declare as declare
    from harness.rewards.edits import FAMILIES as FAMILIES
    from harness.rewards.fuzzer import Cheat as Cheat
    from harness.rewards.fuzzer import FuzzReport as FuzzReport
    from harness.rewards.fuzzer import fuzz as fuzz
    from harness.rewards.fuzzer_cheats import NoLongerPays as NoLongerPays
    from harness.rewards.fuzzer_cheats import save_cheats as save_cheats
    from harness.rewards.grpo_advantages import group_advantages as group_advantages
    from harness.rewards.grpo_learning import learn as learn
    from harness.rewards.grpo_lesson import lesson_of as lesson_of
    from harness.rewards.grpo_lesson import storeroom as storeroom
    from harness.rewards.grpo_losses import policy_loss as policy_loss
    from harness.rewards.grpo_would_teach import would_it_teach as would_it_teach
    from harness.rewards.lab import CheckReward as CheckReward
    from harness.rewards.lab import lab_cases as lab_cases
    from harness.rewards.minimal_diff.edit import Edit as Edit
    from harness.rewards.minimal_diff.edit import EditSource as EditSource
    from harness.rewards.minimal_diff.evaluator import MinimalDiffEvaluator as MinimalDiffEvaluator
    from harness.rewards.minimal_diff.grammar import Unparsable as Unparsable
    from harness.rewards.minimal_diff.reward import MinimalDiff as MinimalDiff
    from harness.rewards.mutator import Mutant as Mutant
    from harness.rewards.mutator import mutate as mutate
    from harness.rewards.mutator_report import MutationReport as MutationReport
    from harness.rewards.mutator_report import mutation_report as mutation_report
    from harness.rewards.properties import PROPERTIES as PROPERTIES
    from harness.rewards.properties_floor import do_nothing_tasks as do_nothing_tasks
    from harness.rewards.reward_evaluator import as_evaluator as as_evaluator
    from harness.rewards.samples import Sample as Sample
    from harness.rewards.samples import SampleAgent as SampleAgent
    from harness.rewards.samples import Samples as Samples
    from harness.rewards.samples import samples_of as samples_of
    from harness.rewards.sandbox.limits import SandboxLimits as SandboxLimits
    from harness.rewards.shaping import shaped as shaped
    from harness.rewards.shaping import shaping_terms as shaping_terms
    from harness.rewards.tampering.honest_tests import HonestTests as HonestTests
    from harness.rewards.tampering.honest_tests import HonestTestsEvaluator as HonestTestsEvaluator
    from harness.rewards.tampering.honest_tests import edit_signs as edit_signs
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
    "AdaptedReward": "adapted",
    "AdoptionAlarm": "adoption_alarm",
    "Bench": "bench",
    "CONFORMANCE": "conformance",
    "Cheat": "fuzzer",
    "CheckReward": "lab",
    "Combined": "combine",
    "Declared": "declared",
    "Edit": "minimal_diff.edit",
    "EditSource": "minimal_diff.edit",
    "FAMILIES": "edits",
    "Finding": "bench",
    "FuzzReport": "fuzzer",
    "HonestTests": "tampering.honest_tests",
    "HonestTestsEvaluator": "tampering.honest_tests",
    "MinimalDiff": "minimal_diff.reward",
    "MinimalDiffEvaluator": "minimal_diff.evaluator",
    "Mutant": "mutator",
    "MutationReport": "mutator_report",
    "NoLongerPays": "fuzzer_cheats",
    "PROPERTIES": "properties",
    "Sample": "samples",
    "SampleAgent": "samples",
    "Samples": "samples",
    "SandboxLimits": "sandbox.limits",
    "ThinkingBudget": "thinking_evaluator",
    "ThinkingClass": "thinking",
    "ThinkingLedger": "thinking_ledger",
    "ToolAdoption": "adoption",
    "ToolReward": "tools",
    "TurnCredits": "turns_evaluator",
    "TurnRewards": "turns",
    "Unparsable": "minimal_diff.grammar",
    "adapt": "adapters",
    "adoption_rates": "adoption",
    "as_evaluator": "reward_evaluator",
    "as_reward": "calling",
    "bench_of": "bench",
    "blame": "turns_blame",
    "complexity_of": "thinking_complexity",
    "credits_of": "credit",
    "declare": "declared",
    "design_alarm": "adoption_alarm",
    "do_nothing_tasks": "properties_floor",
    "edit_signs": "tampering.honest_tests",
    "estimated_class": "thinking_complexity",
    "fuzz": "fuzzer",
    "group_advantages": "grpo_advantages",
    "lab_cases": "lab",
    "learn": "grpo_learning",
    "lesson_of": "grpo_lesson",
    "measured": "calling",
    "measured_batch": "calling",
    "measured_now": "calling",
    "mutate": "mutator",
    "mutation_report": "mutator_report",
    "policy_loss": "grpo_losses",
    "samples_of": "samples",
    "save_cheats": "fuzzer_cheats",
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

"""Same meaning, same outcome: golden cases in capitals, in other words, with typos, against the cases as they stand.

Every change is an arm, compared with the unchanged cases pair by pair. The ones the reference agent is built for gate;
typos and unusual spaces are observed: it reads by patterns, and they show by how much that is worse.
"""

from __future__ import annotations

import pytest

from harness.strategies import perturb

TAGS = ["refund", "policy", "chit_chat"]


@pytest.mark.golden("support_desk", tags=TAGS, area="robustness", trials=1, compare="change", pass_rate=0.75)
@pytest.mark.parametrize("change", ["none", "case", "paraphrase", "irrelevant", "field_order"])
async def test_other_words(case, agent, trial, change):
    """What is expected of a case is expected of it in other words too."""
    given = case if change == "none" else perturb(case, change, trial.seed).case
    assert (await agent(given)).answer


@pytest.mark.golden("support_desk", tags=TAGS, area="robustness", trials=1, compare="change", observe=True)
@pytest.mark.parametrize("change", ["none", "typos", "unicode", "spaces"])
async def test_slips_of_the_keyboard(case, agent, trial, change):
    """A customer in a hurry is served as well as others; observed."""
    given = case if change == "none" else perturb(case, change, trial.seed).case
    assert (await agent(given)).answer

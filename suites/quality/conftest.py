"""The metrics under test read answers that people have labelled; the agent says the labelled answer of each row."""

from __future__ import annotations

import pytest

from harness import Trajectory


class Answered:
    """An agent that gives the answer, and the contexts, that its case holds."""

    name = "labelled-answers"

    async def run(self, case, trial):
        """Say it."""
        custom = case.expected.custom
        return Trajectory.from_answer(custom["answer"], user=case.text, metadata={"context": custom["context"]})


@pytest.fixture(scope="module")
def agent():
    """Stands in the agent's place, whichever agent the run is about."""
    return Answered()

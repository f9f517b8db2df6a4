"""The judges' home of a session or a command: exam records, cache of verdicts, and how a spec becomes a model."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.judges import JudgeHome, set_judge_home

if TYPE_CHECKING:
    from harness.core.contracts import Model
    from harness.core.judges import JudgeRecord
    from harness.core.scorecard import Scorecard
    from harness.settings import Settings


def settle(settings: Settings, root: Path) -> JudgeHome:
    """Say to the process where judges of this project find what they need; reads nothing."""

    def model(spec: str) -> Model:
        from harness.agents.spec import model_from_spec

        return model_from_spec(spec, root=root, purpose="judge")

    cache = None if settings.judge_cache is None or settings.judge_cache.name == "off" else settings.judge_cache
    home = JudgeHome(records=settings.judges, cache=cache, model=model)
    set_judge_home(home)
    return home


def leave() -> None:
    """The session or command has ended: forget its home, and close its caches."""
    set_judge_home(JudgeHome())
    loaded = sys.modules.get("harness.evaluators.judge.cache")
    if loaded is not None:
        loaded.close_caches()


def with_exams(scorecard: Scorecard, folder: Path) -> Scorecard:
    """The scorecard with the exam of each judge as the project has it now.

    :raises FormatError: a record cannot be read.
    """
    if not scorecard.judges:
        return scorecard
    from harness.evaluators.judge.records import load_records

    records = load_records(folder)

    def exam(identity: str) -> JudgeRecord | None:
        # Of several judges together the weakest speaks: one without a record, one that failed, else any.
        found = [records.get(part) for part in identity.split("+")]
        if None in found:
            return None
        return next((record for record in found if record is not None and not record.valid), found[0])

    return replace(scorecard, judges=tuple(replace(line, record=exam(line.identity)) for line in scorecard.judges))

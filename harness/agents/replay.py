"""Playing recorded trajectories back, so that evaluators and gates can be run again without the agent."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace

from harness.core.case import Case
from harness.core.errors import RecordingMissing
from harness.core.record import Trial
from harness.core.trajectory import Trajectory


class ReplayAgent:
    """Answers each trial with the trajectory recorded for it; its model calls are marked as replayed.

    :param recordings: trajectories by (case id, trial index).
    :param case_hashes: content hash per case id as recorded, where known; a case that has changed since has no
        recording any more.
    """

    def __init__(
        self,
        recordings: Mapping[tuple[str, int], Trajectory],
        *,
        case_hashes: Mapping[str, str] | None = None,
        name: str = "replay",
    ) -> None:
        self.recordings = dict(recordings)
        self.case_hashes = dict(case_hashes or {})
        self.name = name

    def __repr__(self) -> str:
        return f"ReplayAgent({len(self.recordings)} recordings)"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """The recording of this trial.

        :raises RecordingMissing: when there is none, naming the nearest ones.
        """
        recorded = self.recordings.get((case.id, trial.index))
        if recorded is None:
            raise RecordingMissing(self._missing(case.id, trial.index))
        known = self.case_hashes.get(case.id)
        if known is not None and known != case.content_hash:
            raise RecordingMissing(
                f"case {case.id!r} has changed since it was recorded (content hash {known}, now {case.content_hash}); "
                "record it again: --harness-mode=record"
            )
        calls = tuple(replace(call, replayed=True) for call in recorded.model_calls)
        return recorded.with_(model_calls=calls)

    def _missing(self, case_id: str, index: int) -> str:
        trials = sorted(at for known, at in self.recordings if known == case_id)
        if trials:
            shown = ", ".join(map(str, trials[:20]))
            near = f"trials recorded for this case: {shown} (ask for at most {trials[-1] + 1} trials, or record more)"
        else:
            ids = sorted({known for known, _ in self.recordings})
            close = difflib.get_close_matches(case_id, ids, n=3, cutoff=0.4) or ids[:3]
            near = f"nearest of {len(ids)} recorded cases: {', '.join(map(repr, close))}" if ids else "nothing recorded"
        return f"no recording of case {case_id!r}, trial {index}; {near}; record it with --harness-mode=record"

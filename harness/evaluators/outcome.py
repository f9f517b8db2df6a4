"""When an evaluator may judge at all: the rules that every file on this shelf shares.

The words:

- *never ran*: no messages. *broke off*: ``trajectory.error`` is set; what is there is only the beginning.
- Neither can be judged right or wrong by its outcome: the score is not measured and names the boundary that broke.
- A violation that has already happened (a forbidden tool was called, a limit was passed) stays one in a run that
  broke off; its absence there proves nothing.
"""

from __future__ import annotations

from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory


def cannot_judge(name: str, trajectory: Trajectory, version: str = "1") -> Score | None:
    """The not-measured score of a run that never ran or broke off, or None when it may be judged."""
    if trajectory.error is not None:
        kind = trajectory.error.kind
        why = f"the run broke off ({kind}): {shorten(trajectory.error.message, 200)}"
        return Score.not_measured(name, why, kind=kind, version=version)
    if not trajectory.messages:
        return Score.not_measured(name, "the run has no messages: it never ran", kind="agent", version=version)
    return None


def never_ran(name: str, trajectory: Trajectory, version: str = "1") -> Score | None:
    """As :func:`cannot_judge`, but lets a run pass that broke off after it had said or done something."""
    if trajectory.messages:
        return None
    return cannot_judge(name, trajectory, version)


def nothing_expected(name: str, what: str, version: str = "1") -> Score:
    """The quiet not-measured score of a case that expects nothing of this evaluator.

    :param what: the field of the expectation that is absent, e.g. ``"answer"``.
    """
    return Score.not_measured(name, f"the case expects no {what}", expected_nothing=True, version=version)

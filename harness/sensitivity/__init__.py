"""Does a suite notice anything? Faults for trajectories and agents, and what a suite made of them, summed up.

One operator is one function of a trajectory; to add one, write it beside its neighbours and put it into the tuple at
the foot of its file.
"""

from __future__ import annotations

from harness.core.errors import UsageError
from harness.sensitivity.agents import PARTS
from harness.sensitivity.answers import ANSWERS
from harness.sensitivity.bounds import BOUNDS
from harness.sensitivity.calls import CALLS
from harness.sensitivity.guards import GUARDS
from harness.sensitivity.operator import Operator
from harness.sensitivity.spending import SPENDING
from harness.sensitivity.world import WORLD

OPERATORS: tuple[Operator, ...] = (*CALLS, *ANSWERS, *WORLD, *SPENDING, *GUARDS)
"""Every operator on trajectories."""
NAMES: tuple[str, ...] = (*(operator.name for operator in OPERATORS), *(part.name for part in PARTS))
"""What ``golden(..., faults=[...])`` may name: operators on trajectories, then those on a live agent's parts."""


def check_names(given: tuple[str, ...], where: str) -> None:
    """Refuse a name that no operator has.

    :raises UsageError: names the nearest one.
    """
    import difflib

    for name in given:
        if name not in NAMES:
            near = difflib.get_close_matches(str(name), NAMES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(NAMES)}"
            raise UsageError(f"{where}: faults has {name!r}, which no operator is called; {hint}")


__all__ = ["BOUNDS", "NAMES", "OPERATORS", "PARTS", "Operator", "check_names"]

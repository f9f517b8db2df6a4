"""Corrections: tell the model what is wrong with its arguments, but not for ever.

One count per session and tool. A right call sets it back to nothing; after ``limit`` corrections in a row the answer
is None, and the call is to be refused for good or shown to a person.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from harness.core.errors import UsageError
from harness.guardrails.tool_arguments.problem import Problem

MAX_COUNTS = 100_000


class Corrections:
    """Counts corrections. Safe to use from several threads; keeps the last 100,000 sessions and tools.

    :param limit: how many in a row, at least 0.
    """

    def __init__(self, limit: int = 3) -> None:
        if isinstance(limit, bool) or limit < 0:
            raise UsageError(f"limit is 0 or more corrections, got {limit!r}")
        self.limit = limit
        self._counts: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def message(self, problems: Sequence[Problem], *, session: str = "", tool: str = "") -> str | None:
        """What to give back to the model as the tool's answer; None when it was told often enough.

        Without problems the count begins anew, and the answer is None.
        """
        key = (session, tool)
        with self._lock:
            if not problems:
                self._counts.pop(key, None)
                return None
            count = self._counts.get(key, 0)
            if count >= self.limit:
                return None
            self._counts[key] = count + 1
            self._counts.move_to_end(key)
            if len(self._counts) > MAX_COUNTS:
                self._counts.popitem(last=False)
        return said(problems, left=self.limit - count - 1)


def said(problems: Sequence[Problem], *, left: int) -> str:
    """The problems as a text for the model; names fields, never values."""
    lines = "\n".join(f"- {problem}" for problem in problems[:10])
    tries = "This is the last try." if left == 0 else f"{left + 1} tries are left."
    return f"The tool was not called; its arguments are not accepted:\n{lines}\nCorrect them and call it again. {tries}"

"""The items of golden tests: what one case does in pytest, and how it is reported."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.case import Case
from harness.core.record import Record, Trial
from harness.plugin.outcomes import ItemOutcome, decide
from harness.plugin.output import Attributed

if TYPE_CHECKING:
    from harness.plugin.collect import Preparation
    from harness.runs.engine import Job
    from harness.runs.trial import Work


@dataclass(kw_only=True)
class Prepared:
    """The work of one item, ready for the engine."""

    work: Work
    trials: tuple[Trial, ...]
    ahead: bool
    """Whether it may start before its turn."""
    job: Job | None = None
    known: tuple[Record, ...] = ()
    """Trials that an earlier, resumed session has measured."""


GOLDEN: pytest.StashKey[Prepared] = pytest.StashKey()
OUTCOME: pytest.StashKey[ItemOutcome] = pytest.StashKey()


class GoldenItem(pytest.Item):
    """One case of a golden test that needs nothing of pytest's fixtures."""

    def __init__(self, *, shared: Preparation, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shared = shared
        self.case = case
        self.prepared: Prepared | None = None
        self.obj = shared.function
        self.fixturenames: list[str] = []

    def prepare(self) -> Prepared:
        """The item's work, made once and only for items that are really going to run."""
        if self.prepared is None:
            self.prepared = self.shared.prepared(self.nodeid, self.case, around=self._captured)
        return self.prepared

    @cached_property
    def location(self) -> tuple[str, int | None, str]:
        """What pytest would work out from :meth:`reportinfo`, without making the same path absolute for every case."""
        path = self.session._node_location_to_relpath(self.path)
        return path, self.shared.function.__code__.co_firstlineno - 1, self.name

    def runtest(self) -> None:
        """Not used: the harness reports light items itself (see protocol.py)."""
        raise NotImplementedError("golden items are run by harness.plugin.protocol")

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where the test stands, for pytest's headings."""
        return self.path, self.shared.function.__code__.co_firstlineno - 1, self.name

    def _captured(self) -> Attributed:
        """Holds a plain body: its output becomes sections of this item's report, whoever's turn it is."""
        os.environ["PYTEST_CURRENT_TEST"] = f"{self.nodeid.replace(chr(0), '(null)')} (call)"
        return Attributed(self)


def report_light(item: GoldenItem, records: tuple[Record, ...], crash: BaseException | None) -> pytest.TestReport:
    """The one report of a light item."""
    outcome = decide(item.prepare(), records, crash)
    item.stash[OUTCOME] = outcome
    stop = time.time()
    duration = sum(record.duration_s for record in records)
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome=outcome.report,
        longrepr=outcome.longrepr,
        when="call",
        sections=[(f"Captured {what} {when}", text) for when, what, text in item._report_sections],
        duration=duration,
        start=stop - duration,
        stop=stop,
        user_properties=item.user_properties,
    )
    outcome.mark(report)
    return report

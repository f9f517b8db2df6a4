"""A run that was kept, as it was; one that was killed is whole but for the requests that had not ended."""

from __future__ import annotations

from array import array
from pathlib import Path

from harness.runs.load.audit import Audit, audit_of
from harness.runs.load.endpoint import Asking
from harness.runs.load.running import LoadRun, Plan, rescued
from harness.runs.load.schedule import Arrivals


def kept_run(folder: Path) -> LoadRun:
    """The run of a folder. Raises UsageError where there is none."""
    setup, requests = rescued(folder)
    plan = setup["plan"]
    given = plan.get("arrivals")
    arrivals = None
    if given is not None:
        arrivals = Arrivals(**{**given, "trace": (0.0,) * given["trace"]})
    fields = ("url", "kind", "streams", "spread_s", "duration_s", "requests", "timeout_s", "processes")
    last = max((one.end_s for one in requests), default=0.0)
    audit = Audit(**{**setup["audit"], "reasons": tuple(setup["audit"]["reasons"])}) if "audit" in setup else None
    return LoadRun(
        plan=Plan(
            **{name: plan[name] for name in fields},
            asking=Asking(model=plan["model"], max_tokens=plan["max_tokens"]),
            arrivals=arrivals,
        ),
        requests=requests,
        audit=audit if audit is not None else _without_end(requests),
        began_at=setup["began_at"],
        wall_s=setup.get("wall_s", last),
        stopped=not setup["finished"],
        folder=folder,
    )


def _without_end(requests: tuple[object, ...]) -> Audit:
    """What is known of the client of a run that was killed: nothing of its processor time."""
    from harness.runs.load.measured import Measured

    known = [one for one in requests if isinstance(one, Measured)]
    return audit_of(
        [], array("d", [one.late_s for one in known if one.sent_s is not None]),
        array("d", [one.lag_s for one in known if one.reads]), reads=sum(one.reads for one in known),
        unstamped=sum(one.unstamped for one in known), events=sum(one.token_events for one in known),
        coalesced=sum(one.coalesced for one in known), ttft_s=(None, None),
    )  # fmt: skip
